"""Phase 2: give records to the raw captures that wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from finra_core.domain.anomalies import OF_NORMALIZATION, Anomaly, Category, Check, Details, Severity, Stage
from finra_core.domain.captures import RESOLUTION, Capture, unnormalized
from finra_core.domain.errors import PartitionLockedError, StoreError
from finra_core.domain.failures import Failure, failure_of
from finra_core.domain.scopes import Scope
from finra_core.history.sealing import writing
from finra_core.ports.observer import AnomalyFound, RecordsStored, StepFailed
from finra_core.ports.store import CaptureQuery, RowCounts
from finra_core.runs.context import Run
from finra_core.runs.misplaced import check_placed
from finra_core.runs.reading import Measured, Reading, read
from finra_core.runs.transactions import again, record_checks
from finra_core.weekly_summary.delimited import Reject


@frozen(kw_only=True)
class Waiting:
    """One partition's captures that wait for records, oldest first. reading: of the newest, where it is at hand."""

    captures: tuple[Capture, ...]
    reading: Reading | None = None


@frozen(kw_only=True)
class Normalized:
    """What became of a capture in this phase.

    measured: None where its records were not stored. failure: why it has none, None where nothing failed.
    """

    capture: Capture
    measured: Measured | None = None
    failure: Failure | None = None
    found: tuple[Anomaly, ...] = ()


def normalize(run: Run, waiting: Waiting) -> list[Normalized]:
    """Give the waiting captures of one partition their records, oldest first.

    Each is compared with the one before it. When a newer one has records, an older one that failed is superseded.
    """
    *older, newest = waiting.captures
    return [*(_normalize(run, capture, None) for capture in older), _normalize(run, newest, waiting.reading)]


def _normalize(run: Run, capture: Capture, at_hand: Reading | None) -> Normalized:
    """Give a capture its records. Bad rows are set aside, counted and named."""
    began = run.clock()
    try:
        reading = at_hand or read(_payload(run, capture), capture.partition)
        if not reading.says_week:
            check_placed(run.store, capture, reading.coverage)
        found = rejected_rows(capture, reading.rejects)
        counts = again(run, lambda: _put(run, capture, reading, found))
    except PartitionLockedError:
        return Normalized(capture=capture)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  one partition's failure is that partition's, whatever it is
        return _fail(run, capture, error)
    if counts is None:
        return Normalized(capture=capture)
    seconds = (run.clock() - began).total_seconds()
    run.tell(RecordsStored, capture=capture, rows=len(reading.records), counts=counts, seconds=seconds)
    for anomaly in found:
        run.tell(AnomalyFound, anomaly=anomaly)
    return Normalized(capture=capture, measured=reading.measured, found=found)


def _payload(run: Run, capture: Capture) -> tuple[bytes, ...]:
    with run.store.read() as view:
        return view.payload(capture)


def _put(run: Run, capture: Capture, reading: Reading, found: tuple[Anomaly, ...]) -> RowCounts | None:
    """Store the records. None, and nothing written, if this or a later capture of the partition has records by now."""
    scope = Scope.partition(capture.partition)
    with writing(run.store, scope, run.clock) as unit:
        captures = unit.captures(CaptureQuery(partitions=frozenset({capture.partition})))
        if capture.number not in {waiting.number for waiting in unnormalized(captures)}:
            return None
        at = _visible_from(run.clock(), captures)
        counts = unit.put_records(capture, reading.records, reading.rejects, reading.coverage, at)
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


def rejected_rows(capture: Capture, rejects: Sequence[Reject]) -> tuple[Anomaly, ...]:
    """The finding that rows of a capture could not be used; none where all could."""
    if not rejects:
        return ()
    message = f"{len(rejects):,} of {capture.row_count:,} rows rejected; the first: {rejects[0].reason}"
    scope = Scope.partition(capture.partition)
    details: Details = {"rejected": len(rejects), "capture_id": capture.capture_id}
    return (Anomaly(Severity.WARN, Category.REJECTED_ROWS, scope, Stage.NORMALIZED, message, details),)
