"""One capture against its payload: everything that was derived from it is derived again and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from finra_core.domain.analytics import CALC_VERSION, Analysis, analyze, volumes_by
from finra_core.domain.captures import Capture
from finra_core.domain.coverage import HalfCoverage, coverage_by
from finra_core.domain.errors import FinraError, SourceError, StoreError
from finra_core.domain.records import Record, Records, are_same
from finra_core.domain.sums import sums_of
from finra_core.history.problems import DERIVED, RESTORE, RESTORE_ALL, Problem, ProblemKind, of_capture
from finra_core.ports.store import CaptureQuery, ReadView, Store
from finra_core.weekly_summary.parsing import ParsedContent, parse_content
from finra_core.weekly_summary.payload import combined_hash, hash_documents
from finra_core.weekly_summary.profile import profile


@frozen(kw_only=True)
class CheckedCapture:
    """What one capture's check found. rows: rows of the payload; documents_hash: None where it could not be read."""

    number: int
    rows: int = 0
    size_bytes: int = 0
    analyses: int = 0
    older_analyses: int = 0
    documents_hash: str | None = None
    problems: tuple[Problem, ...] = ()


def check_capture(store: Store, capture: Capture) -> CheckedCapture:
    """Check one capture in a view of its own. What cannot be read is a problem.

    capture: as it was when the verification began. It may have got its records since.
    """
    try:
        with store.read() as view:
            now = view.captures(CaptureQuery(partitions=frozenset({capture.partition})))
            found = next((each for each in now if each.number == capture.number), None)
            if found is None:
                gone = of_capture(capture, ProblemKind.DROPPED, "it is no longer there", RESTORE)
                return CheckedCapture(number=capture.number, problems=(gone,))
            return _check(view, found)
    except StoreError as error:
        broken = of_capture(capture, ProblemKind.UNREADABLE, error.message, RESTORE_ALL)
        return CheckedCapture(number=capture.number, problems=(broken,))


def _check(view: ReadView, capture: Capture) -> CheckedCapture:
    try:
        documents = view.payload(capture)
    except StoreError as error:
        broken = of_capture(capture, ProblemKind.PAYLOAD, error.message, RESTORE)
        return CheckedCapture(number=capture.number, problems=(broken,))
    rows, problems = _of_content(capture, documents)
    checked = CheckedCapture(
        number=capture.number,
        rows=rows,
        size_bytes=sum(map(len, documents)),
        documents_hash=hash_documents(documents),
        problems=tuple(problems),
    )
    if not capture.is_normalized:
        return checked
    return _with_derived(view, capture, documents, checked)


def _of_content(capture: Capture, documents: Sequence[bytes]) -> tuple[int, list[Problem]]:
    """How many rows the documents have, and what is wrong with the capture's hash and counts of them."""
    try:
        profiles = list(map(profile, documents))
    except SourceError as error:
        return 0, [of_capture(capture, ProblemKind.PAYLOAD, f"no document of FINRA's: {error.message}", RESTORE)]
    problems = []
    if combined_hash(each.canonical_hash() for each in profiles) != capture.content_hash:
        problems.append(of_capture(capture, ProblemKind.CONTENT_HASH, "the payload has another content hash", RESTORE))
    rows, size = sum(each.row_count for each in profiles), sum(map(len, documents))
    if rows != capture.row_count:
        message = f"the payload has {rows:,} rows, the capture says {capture.row_count:,}"
        problems.append(of_capture(capture, ProblemKind.COUNTS, message, RESTORE))
    if size != capture.size_bytes:
        message = f"the payload has {size:,} bytes, the capture says {capture.size_bytes:,}"
        problems.append(of_capture(capture, ProblemKind.COUNTS, message, RESTORE))
    return rows, problems


def _with_derived(
    view: ReadView, capture: Capture, documents: Sequence[bytes], checked: CheckedCapture
) -> CheckedCapture:
    try:
        parsed = parse_content(documents, capture.partition)
    except FinraError as error:
        message = f"it has records, and its payload gives none: {error.message}"
        broken = of_capture(capture, ProblemKind.RECORDS, message, DERIVED)
        return CheckedCapture(
            number=checked.number,
            rows=checked.rows,
            size_bytes=checked.size_bytes,
            documents_hash=checked.documents_hash,
            problems=(*checked.problems, broken),
        )
    own = [a for a in view.analyses([capture.partition.week_ending]) if a.inputs == (capture.number,)]
    current = [analysis for analysis in own if analysis.calc_version == CALC_VERSION]
    problems = [
        *_of_records(view, capture, parsed.records),
        *_of_rejects(view, capture, parsed),
        *_of_sums(capture, parsed.records, current),
    ]
    return CheckedCapture(
        number=checked.number,
        rows=checked.rows,
        size_bytes=checked.size_bytes,
        analyses=len(current),
        older_analyses=len(own) - len(current),
        documents_hash=checked.documents_hash,
        problems=(*checked.problems, *problems),
    )


def _of_records(view: ReadView, capture: Capture, derived: Records) -> Iterator[Problem]:
    try:
        stored = view.records(capture)
    except StoreError as error:
        yield of_capture(capture, ProblemKind.RECORDS, f"its records cannot be read: {error.message}", DERIVED)
        return
    if are_same(stored, derived):
        return
    # Named only where they differ: to make a record of each row costs more than to compare all of them.
    held, due = set(stored.rows()), set(derived.rows())
    # By their text: damage can leave a number where a text belongs.
    lacking, surplus = sorted(due - held, key=repr), sorted(held - due, key=repr)
    double = len(stored) - len(held)
    counts = f"{len(lacking):,} of its {len(derived):,} records are not stored as the payload has them"
    more = f", {len(surplus):,} stored ones are not in the payload" if surplus else ""
    twice = f", {double:,} are stored twice" if double else ""
    first = f"; the first: {_named((lacking or surplus)[0])}" if lacking or surplus else ""
    yield of_capture(capture, ProblemKind.RECORDS, f"{counts}{more}{twice}{first}", DERIVED)


def _named(record: Record) -> str:
    venue = record.venue
    return f"{record.security.symbol or 'no symbol'} at {venue.mpid or venue.name or venue.crd or 'no venue'}"


def _of_rejects(view: ReadView, capture: Capture, parsed: ParsedContent) -> Iterator[Problem]:
    if capture.rejected_rows != len(parsed.rejects):
        message = f"{len(parsed.rejects):,} rows of the payload are rejected, the capture says {capture.rejected_rows}"
        yield of_capture(capture, ProblemKind.COUNTS, message, DERIVED)
    try:
        stored = view.rejects(capture)
    except StoreError as error:
        yield of_capture(capture, ProblemKind.REJECTS, f"its rejected rows cannot be read: {error.message}", DERIVED)
        return
    if stored != list(parsed.rejects):
        message = f"the {len(stored):,} stored rejected rows are not the {len(parsed.rejects):,} of the payload"
        yield of_capture(capture, ProblemKind.REJECTS, message, DERIVED)


def _of_sums(capture: Capture, derived: Records, analyses: Sequence[Analysis]) -> Iterator[Problem]:
    sums = sums_of(derived)
    coverage = coverage_by(sums)
    if capture.coverage != coverage:
        message = f"its coverage is {_said(capture.coverage)}, the payload's is {_said(coverage)}"
        yield of_capture(capture, ProblemKind.COVERAGE, message, DERIVED)
    for stored in analyses:
        if stored != analyze(capture, volumes_by(sums), stored.computed_at):
            message = "its analytics are not those of its records"
            yield of_capture(capture, ProblemKind.ANALYTICS, message, DERIVED)


def _said(coverage: Sequence[HalfCoverage]) -> str:
    return ", ".join(f"{half.half} {half.rows:,} rows {half.venues:,} venues" for half in coverage) or "missing"
