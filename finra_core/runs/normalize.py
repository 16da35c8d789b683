"""Phase 2: give records to the raw captures that wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from finra_core.domain.analytics import Volumes, volumes_by
from finra_core.domain.anomalies import OF_NORMALIZATION, Anomaly, Category, Check, Details, Severity, Stage
from finra_core.domain.captures import RESOLUTION, Capture, unnormalized
from finra_core.domain.coverage import HalfCoverage, coverage_by
from finra_core.domain.errors import PartitionLockedError, StoreError
from finra_core.domain.failures import Failure, failure_of
from finra_core.domain.scopes import Scope
from finra_core.domain.sums import sums_of
from finra_core.history.sealing import writing
from finra_core.ports.observer import AnomalyFound, RecordsStored, StepFailed
from finra_core.ports.store import CaptureQuery, RowCounts
from finra_core.runs.context import Run
from finra_core.runs.misplaced import check_placed, neighbors
from finra_core.runs.transactions import again, record_checks
from finra_core.weekly_summary.parsing import ParsedContent, parse_content


@frozen
class Measured:
    """What a run knows of a capture whose records it has just stored."""

    volumes: Volumes
    symbols: frozenset[str]


@frozen(kw_only=True)
class Normalized:
    """What became of a capture in this phase.

    measured: None where its records were not stored. failure: why it has none, None where nothing failed.
    """

    capture: Capture
    measured: Measured | None = None
    failure: Failure | None = None
    found: tuple[Anomaly, ...] = ()


def normalize(run: Run, captures: Sequence[Capture]) -> list[Normalized]:
    """Give the waiting captures of one partition their records, oldest first.

    Each is compared with the one before it. When a newer one has records, an older one that failed is superseded.
    """
    return [_normalize(run, capture) for capture in captures]


def _normalize(run: Run, capture: Capture) -> Normalized:
    """Give a capture its records. Bad rows are set aside, counted and named."""
    began = run.clock()
    try:
        with run.store.read() as view:
            documents = view.payload(capture)
            beside = neighbors(view, capture.partition, documents)
        parsed = parse_content(documents, capture.partition)
        sums = sums_of(parsed.records)
        coverage = coverage_by(sums)
        check_placed(run.store, capture, documents, coverage, beside)
        found = rejected_rows(capture, parsed)
        counts = again(run, lambda: _put(run, capture, parsed, coverage, found))
    except PartitionLockedError:
        return Normalized(capture=capture)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  one partition's failure is that partition's, whatever it is
        return _fail(run, capture, error)
    if counts is None:
        return Normalized(capture=capture)
    seconds = (run.clock() - began).total_seconds()
    run.tell(RecordsStored, capture=capture, rows=len(parsed.records), counts=counts, seconds=seconds)
    for anomaly in found:
        run.tell(AnomalyFound, anomaly=anomaly)
    return Normalized(capture=capture, measured=Measured(volumes_by(sums), frozenset(sums.symbols)), found=found)


def _put(
    run: Run,
    capture: Capture,
    parsed: ParsedContent,
    coverage: Sequence[HalfCoverage],
    found: tuple[Anomaly, ...],
) -> RowCounts | None:
    """Store the records. None, and nothing written, if this or a later capture of the partition has records by now."""
    scope = Scope.partition(capture.partition)
    with writing(run.store, scope, run.clock) as unit:
        captures = unit.captures(CaptureQuery(partitions=frozenset({capture.partition})))
        if capture.number not in {waiting.number for waiting in unnormalized(captures)}:
            return None
        at = _visible_from(run.clock(), captures)
        counts = unit.put_records(capture, parsed.records, parsed.rejects, coverage, at)
        record_checks(unit, [Check(scope, Stage.NORMALIZED, found, OF_NORMALIZATION)], at)
    return counts


def _visible_from(now: datetime, captures: Sequence[Capture]) -> datetime:
    """The instant to record: later than when any earlier capture became visible, even if the clock went back."""
    latest = max((capture.normalized_at for capture in captures if capture.normalized_at), default=None)
    return now if latest is None or now > latest else latest + RESOLUTION


def _fail(run: Run, capture: Capture, error: Exception) -> Normalized:
    failure = failure_of(error)
    anomaly = failure.as_anomaly(Scope.partition(capture.partition), Stage.NORMALIZED)
    run.tell(StepFailed, partition=capture.partition, stage=Stage.NORMALIZED, error=error)

    def record() -> None:
        with writing(run.store, Scope(), run.clock) as unit:
            record_checks(unit, [Check(anomaly.scope, Stage.NORMALIZED, (anomaly,), OF_NORMALIZATION)], run.clock())

    again(run, record)
    run.tell(AnomalyFound, anomaly=anomaly)
    return Normalized(capture=capture, failure=failure, found=(anomaly,))


def rejected_rows(capture: Capture, parsed: ParsedContent) -> tuple[Anomaly, ...]:
    """The finding that rows of a capture could not be used; none where all could."""
    rejects = parsed.rejects
    if not rejects:
        return ()
    message = f"{len(rejects):,} of {capture.row_count:,} rows rejected; the first: {rejects[0].reason}"
    scope = Scope.partition(capture.partition)
    details: Details = {"rejected": len(rejects), "capture_id": capture.capture_id}
    return (Anomaly(Severity.WARN, Category.REJECTED_ROWS, scope, Stage.NORMALIZED, message, details),)
