"""Decisions in words: the reasons that the log, the report and the tables give."""

from __future__ import annotations

from finra_core.domain.captures import SourceVersion
from finra_core.domain.revision import Decision, Evidence, Rule

_SHOWN = 8
_FINRAS = "FINRA's list"


def reason(decision: Decision) -> str:
    """Why, in a few words."""
    evidence, rule = decision.evidence, decision.rule
    if rule is Rule.VERSION_CHANGED:
        return _difference(evidence)
    if rule is Rule.NOT_OFFERED:
        begins = f"; {evidence.offered_in or _FINRAS} begins {evidence.offered_from}" if evidence.offered_from else ""
        return f"not offered{begins}"
    return _REASONS[rule].format(
        new=_short(evidence.content_hash),
        stored=_short(evidence.latest.content_hash if evidence.latest else None),
        day=evidence.version.last_update_date if evidence.version else None,
        latest=evidence.latest,
        due=evidence.due,
        note=evidence.note,
    )


_REASONS = {
    Rule.FIRST_CAPTURE: "No prior capture found (first ingest)",
    Rule.FORCED: "Forced: {note}",
    Rule.VERIFY: "verifying the content",
    Rule.NO_VERSION: "no version to compare, comparing the content",
    Rule.VERSION_UNCHANGED: "Source unchanged since {day}",
    Rule.VERSION_OF_THAT_DAY: "captured before {day} had ended, comparing the content",
    Rule.CONTENT_CHANGED: "content changed, hash {new} != {stored}",
    Rule.CONTENT_UNCHANGED: "Content unchanged (hash {new})",
    Rule.RECORDS_UNCHANGED: "Content unchanged (the same records in another form)",
    Rule.SILENT_REVISION: "content changed, hash {new} != {stored}",
    Rule.CAPTURED_MEANWHILE: "another run captured {latest} meanwhile",
    Rule.LOCKED: "{note}",
    Rule.OVER_BUDGET: "its turn to be checked is left to a later run: no bytes are left in the budget",
    Rule.NOT_DUE: "due on {due}",
    Rule.NOT_THERE_YET: "due since {due}, not there yet",
    Rule.LATE: "late: was due on {due}",
    Rule.NO_LONGER_OFFERED: "no longer offered by the source; the captures stay",
    Rule.SOURCE_FAILED: "{note}",
    Rule.CONTENT_REFUSED: "{note}",
}


def _difference(evidence: Evidence) -> str:
    version, stored = evidence.version, evidence.latest.version if evidence.latest else None
    if version is None or stored is None:
        return "the source's version changed"
    return _versions_differ(version, stored)


def _versions_differ(version: SourceVersion, stored: SourceVersion) -> str:
    if version.last_update_date != stored.last_update_date:
        sign = ">" if version.last_update_date > stored.last_update_date else "<"
        return f"source updated {version.last_update_date} {sign} stored {stored.last_update_date}"
    return f"source has {version.row_count or 0:,} rows, stored {stored.row_count or 0:,}"


def _short(content_hash: str | None) -> str | None:
    return content_hash and content_hash[:_SHOWN]
