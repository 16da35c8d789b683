"""What the core needs from the world. Every method says its units, order, atomicity and errors.

Adapters implement these; `finra_core.testing` holds the suites that any implementation must pass.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from attrs import frozen

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord, Check
from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness, WeekState
from finra_core.domain.records import Records
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload


@frozen
class Listing:
    """What a source has: its partitions, and what it holds but cannot offer (a file that names no week)."""

    partitions: frozenset[Partition]
    problems: tuple[SourceError, ...] = ()


@frozen
class Usage:
    """What a source has cost: requests made, and bytes received as they came over the network."""

    requests: int = 0
    bytes_received: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.requests + other.requests, self.bytes_received + other.bytes_received)


class Source(Protocol):
    """Where FINRA's weeks come from. Methods may be called from several threads at once."""

    @property
    def label(self) -> str:
        """How a log line names it: `API`, `files`."""

    @property
    def archive(self) -> bool:
        """True for a fixed collection, of which a run takes all unless told which weeks; false for a live feed."""

    def listing(self) -> Listing:
        """All partitions on offer.

        Raises:
            SourceError: the source as a whole does not answer.
        """

    def probe(self, partition: Partition) -> SourceVersion | None:
        """The partition's version, at a small part of the cost of fetching it; None where there is none to be had.

        Raises:
            SourceError: the source did not answer.
        """

    def fetch(self, partition: Partition) -> Payload:
        """The whole partition as it is now.

        Raises:
            SourceUnavailableError: it could not be read for now.
            SourceError: it is not there, not whole or not what was asked for.
        """

    def price(self, version: SourceVersion | None) -> Usage:
        """What fetching a partition of this version is expected to cost; nothing where the source is free."""

    def usage(self) -> Usage:
        """What this source has cost since it was opened."""

    def close(self) -> None:
        """Release connections; the source is not used after."""


@frozen(kw_only=True)
class NewCapture:
    """A capture to be stored; the store gives it its number and its revision. Fields as in `Capture`."""

    capture_id: str
    partition: Partition
    captured_at: datetime
    verified_at: datetime
    content_hash: str
    version: SourceVersion | None
    row_count: int
    run_id: str
    reason: str


@frozen
class RowChanges:
    """What a capture's records changed against the partition's records before: rows begun, ended, and living on.

    A row with a changed value counts as one ended and one begun.
    """

    added: int
    withdrawn: int
    unchanged: int


@frozen(kw_only=True)
class RunRecord:
    """One run in the ledger; finished_at, exit_code and report_json are None while it runs or if it was killed."""

    run_id: str
    started_at: datetime
    finished_at: datetime | None
    mode: str
    run_date: date
    exit_code: int | None
    report_json: str | None


class Transaction(Protocol):
    """One atomic change of a store. All methods raise StoreError where the store fails."""

    def latest_capture(self, partition: Partition) -> Capture | None:
        """The partition's newest capture, as no other writer can change it until this transaction ends."""

    def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        """Store a capture with its payload and its RAW manifest row.

        Its number is over all earlier ones of the partition; its revision is one over the newest with
        its capture_id, or 1.
        """

    def mark_verified(self, capture: Capture, at: datetime) -> None:
        """Note that a reading that began at `at` found the same content; the latest such time stays."""

    def add_records(
        self, capture: Capture, records: Records, rejects: Sequence[Reject], at: datetime
    ) -> RowChanges | None:
        """Store a capture's records, its rejects and its NORMALIZED manifest row.

        Only rows that differ from those of the partition's newest normalized capture are written.
        None, and nothing is written, when this or a later capture of the partition is normalized already.
        """

    def add_analysis(self, analysis: Analysis) -> bool:
        """Store analytics and their CALC manifest row.

        False, and nothing is written, when the same (tier, inputs, calc_version) is there already, or
        when one across tiers rests on a capture that is no longer its tier's newest normalized one.
        """

    def withdraw_readiness(self, week_ending: date, issue: str, at: datetime) -> None:
        """Mark the week, if it was judged before, as not ready for this reason until it is judged again.

        Its stages are no longer all complete, and the issue is added to the blocking ones, once.
        """

    def put_readiness(self, readiness: Sequence[Readiness], at: datetime) -> None:
        """Store judgments in place of earlier ones on the same week and use."""

    def record_checks(self, checks: Sequence[Check], at: datetime) -> None:
        """Open, renew, reopen and resolve anomalies.

        What a check found is opened or seen again, and reopened where it was resolved; every open
        anomaly of the check's partition_key and stage that it did not find is resolved.
        """

    def start_run(self, run: RunRecord) -> None:
        """Enter a run in the ledger.

        Raises:
            StoreError: its run_id is there already.
        """

    def finish_run(self, run: RunRecord) -> None:
        """Complete the ledger's row of this run_id.

        Raises:
            StoreError: there is none.
        """


class Store(Protocol):
    """Captures, records, analytics, judgments and findings. Methods may be called from several threads at once.

    Every reading method sees one committed state. All raise StoreError where the store fails.
    """

    @property
    def url(self) -> str:
        """The URL that opens it, without secrets."""

    def transaction(self, key: str | None = None) -> AbstractContextManager[Transaction]:
        """Begin a transaction: committed when the block ends, rolled back when it raises.

        `key` is the partition_key that will be written, None for bookkeeping alone.

        Raises:
            PartitionLockedError: another process is writing under this key.
            StoreLockedError: another process held the store's only write lock for too long.
        """

    def latest_captures(self, partitions: Collection[Partition]) -> dict[Partition, Capture]:
        """The newest capture of each of these partitions that has one."""

    def captures(self, partitions: Collection[Partition] | None = None) -> list[Capture]:
        """All captures (of these partitions), by week, tier and number."""

    def unnormalized(self) -> list[Capture]:
        """Captures without records, newer than their partition's newest normalized one; by week, tier and number."""

    def unanalyzed(self, calc_version: int) -> list[Capture]:
        """Normalized captures without analytics of this version, by week, tier and number."""

    def weeks(self) -> list[date]:
        """The week endings of all captures, newest first."""

    def week_states(self, weeks: Collection[date], calc_version: int) -> dict[date, WeekState]:
        """How far each of these weeks has come; a week without captures has an empty state."""

    def documents(self, capture: Capture) -> tuple[bytes, ...]:
        """The raw documents of a capture, byte for byte."""

    def records(self, capture: Capture) -> Records:
        """The records of a normalized capture, by security and venue.

        Raises:
            StoreError: the capture is not normalized; so do `rejects` and `shared_symbols`.
        """

    def rejects(self, capture: Capture) -> list[Reject]:
        """The rejected rows of a normalized capture, by document and line."""

    def shared_symbols(self, captures: Sequence[Capture]) -> frozenset[str]:
        """The symbols that more than one of these captures has records of."""

    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        """All analytics (of these weeks), oldest first."""

    def readiness(self, weeks: Collection[date] | None = None) -> list[Readiness]:
        """The judgments (on these weeks), newest week first."""

    def anomalies(self, *, include_resolved: bool = False) -> list[AnomalyRecord]:
        """Anomalies, latest seen first, then by fingerprint."""

    def runs(self) -> list[RunRecord]:
        """The ledger of runs, newest first."""

    def close(self) -> None:
        """Release connections; the store is not used after."""
