"""Telling a restatement from the same rows in another form.

FINRA's API and its downloads give one partition with different columns and in different orders, so their content hashes
always differ. Only the records show whether anything changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from attrs import evolve

from finra_core.domain.captures import Capture
from finra_core.domain.errors import SourceDataError
from finra_core.domain.records import Record, Records, venue_identity
from finra_core.domain.revision import Action, Decision, Rule, decide_by_content
from finra_core.ports.store import ReadView
from finra_core.runs.fetching import Fetched
from finra_core.weekly_summary.delimited import first_line, read_header
from finra_core.weekly_summary.parsing import parse_content


def decide_fetched(view: ReadView, captures: Sequence[Capture], fetched: Fetched, forced: str | None) -> Decision:
    """The decision on a content that was fetched. captures: the partition's, oldest first."""
    latest = captures[-1] if captures else None
    decision = decide_by_content(latest, fetched.content_hash, fetched.payload.version, forced=forced)
    # Versions that can be compared are made of the records' own dates and number.
    settled = decision.action is Action.SKIP or decision.rule in (Rule.FORCED, Rule.VERSION_CHANGED)
    if latest is None or settled or not _is_same_in_another_form(view, latest, fetched):
        return decision
    return evolve(decision, action=Action.SKIP, rule=Rule.RECORDS_UNCHANGED)


def _is_same_in_another_form(view: ReadView, latest: Capture, fetched: Fetched) -> bool:
    """Whether a content has other columns than the newest capture and yet the same records."""
    if not latest.is_normalized or _columns(view.payload(latest)) == _columns(fetched.payload.documents):
        return False
    try:
        parsed = parse_content(fetched.payload.documents, fetched.partition)
    except SourceDataError:
        return False  # normalizing it will tell what is wrong with it
    return not parsed.rejects and _comparable(parsed.records) == _comparable(view.records(latest))


def _columns(documents: Iterable[bytes]) -> set[frozenset[str]]:
    return {frozenset(read_header(first_line(document)[1])[1]) for document in documents}


def _comparable(records: Records) -> Counter[Record]:
    """What both forms have. A download has no product type, and a venue's name does not identify it."""
    return Counter(
        record._replace(security=record.security._replace(product_type=""), venue=venue_identity(record.venue))
        for record in records.rows()
    )
