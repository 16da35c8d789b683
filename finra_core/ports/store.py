"""Where captures, and what follows from them, are kept. Stores read and put. Every rule is a function in the domain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from enum import Enum
from itertools import pairwise
from types import TracebackType
from typing import Protocol

from attrs import frozen

from finra_core.domain.analytics import Analysis, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord, Severity
from finra_core.domain.captures import RESOLUTION, Capture, NewCapture, by_partition, capture_order
from finra_core.domain.chain import ChainEntry
from finra_core.domain.changes import RowChange, compare_records
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Record, Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.domain.revision import Decision
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload

# What is asked for -----------------------------------------------------------------------------------


@frozen(kw_only=True)
class CaptureQuery:
    """Which captures. A field that is None asks for all; several fields must all hold.

    captured_by: captured at this instant or before. known_at: whose records were visible at this instant. normalized:
    only captures with records (True), or without (False). newest: only each partition's newest, among those that the
    other fields let through.
    """

    partitions: frozenset[Partition] | None = None
    weeks: frozenset[date] | None = None
    captured_by: datetime | None = None
    known_at: datetime | None = None
    normalized: bool | None = None
    newest: bool = False

    def select(self, captures: Iterable[Capture]) -> list[Capture]:
        """The captures asked for, by week, tier and number: for stores that hold them in memory."""
        found = sorted((capture for capture in captures if self._wants(capture)), key=capture_order)
        return list({capture.partition: capture for capture in found}.values()) if self.newest else found

    def _wants(self, capture: Capture) -> bool:
        return (
            (self.partitions is None or capture.partition in self.partitions)
            and (self.weeks is None or capture.partition.week_ending in self.weeks)
            and (self.normalized is None or capture.is_normalized is self.normalized)
            and (self.captured_by is None or capture.captured_at <= self.captured_by)
            and (self.known_at is None or capture.is_known(self.known_at))
        )


@frozen(kw_only=True)
class RestatementQuery:
    """Which restatements. A field that is None asks for all; several fields must all hold.

    known_since: whose records became visible at this instant or later. symbol: only rows of this symbol, to the letter.
    """

    weeks: frozenset[date] | None = None
    tiers: frozenset[Tier] | None = None
    known_since: datetime | None = None
    symbol: str | None = None

    def select(
        self, captures: Iterable[Capture], rows_of: Callable[[Capture], Iterable[Record]]
    ) -> dict[int, list[RowChange]]:
        """The changes asked for, as `ReadView.restatements` gives them: for stores that hold all rows in memory."""
        found = {}
        normalized = [capture for capture in captures if capture.is_normalized]
        for same in by_partition(normalized).values():
            for before, after in pairwise(same):
                if self._wants(after):
                    found[after.number] = compare_records(self._own(rows_of(before)), self._own(rows_of(after)))
        return {number: changes for number, changes in found.items() if changes}

    def _wants(self, capture: Capture) -> bool:
        return (
            (self.weeks is None or capture.partition.week_ending in self.weeks)
            and (self.tiers is None or capture.partition.tier in self.tiers)
            and (self.known_since is None or not capture.is_known(self.known_since - RESOLUTION))
        )

    def _own(self, rows: Iterable[Record]) -> Iterable[Record]:
        return (row for row in rows if self.symbol is None or row.security.symbol == self.symbol)


@frozen(kw_only=True)
class AnomalyQuery:
    """Which anomalies. A field that is None asks for all; several fields must all hold."""

    scopes: frozenset[Scope] | None = None
    weeks: frozenset[date] | None = None
    fingerprints: frozenset[str] | None = None
    severities: frozenset[Severity] | None = None
    open_only: bool = False

    def select(self, records: Iterable[AnomalyRecord]) -> list[AnomalyRecord]:
        """The anomalies asked for, latest seen first, then by fingerprint."""
        found = [record for record in records if self._wants(record)]
        return sorted(sorted(found, key=lambda r: r.fingerprint), key=lambda r: r.last_seen, reverse=True)

    def _wants(self, record: AnomalyRecord) -> bool:
        return (
            (self.scopes is None or record.anomaly.scope in self.scopes)
            and (self.weeks is None or record.anomaly.scope.week_ending in self.weeks)
            and (self.fingerprints is None or record.fingerprint in self.fingerprints)
            and (self.severities is None or record.anomaly.severity in self.severities)
            and (record.is_open or not self.open_only)
        )


@frozen(kw_only=True)
class JudgmentQuery:
    """Which judgments. A field that is None asks for all. history: earlier ones too, not only those that hold."""

    weeks: frozenset[date] | None = None
    ready_for: str | None = None
    history: bool = False

    def select(self, judgments: Iterable[Judgment]) -> list[Judgment]:
        """The judgments asked for, in the order of `ReadView.judgments`. judgments: all, in the order of their puts."""
        latest_first = [judgment for judgment in judgments if self.wants(judgment)][::-1]
        found = latest_first if self.history else _first_by_week_and_use(latest_first)
        found.sort(key=lambda judgment: judgment.readiness.ready_for)
        found.sort(key=lambda judgment: judgment.readiness.week_ending, reverse=True)
        return found

    def wants(self, judgment: Judgment) -> bool:
        """Whether the week and the use are asked for."""
        readiness = judgment.readiness
        return (self.weeks is None or readiness.week_ending in self.weeks) and (
            self.ready_for is None or readiness.ready_for == self.ready_for
        )


def _first_by_week_and_use(judgments: Iterable[Judgment]) -> list[Judgment]:
    first: dict[tuple[date, str], Judgment] = {}
    for judgment in judgments:
        first.setdefault((judgment.readiness.week_ending, judgment.readiness.ready_for), judgment)
    return list(first.values())


@frozen(kw_only=True)
class DecisionQuery:
    """Which decisions. A field that is None asks for all; several fields must all hold.

    newest: only each partition's latest, among those that the other fields let through. limit: at most so many, the
    latest.
    """

    run_id: str | None = None
    partition: Partition | None = None
    weeks: frozenset[date] | None = None
    newest: bool = False
    limit: int | None = None

    def select(self, records: Iterable[DecisionRecord]) -> list[DecisionRecord]:
        """The decisions asked for, in the order of `ReadView.decisions`. records: all, in the order of their puts."""
        latest_put_first = [record for record in records if self.wants(record)][::-1]
        found = sorted(latest_put_first, key=lambda record: record.decided_at, reverse=True)
        if self.newest:
            latest: dict[Partition, DecisionRecord] = {}
            for record in found:
                latest.setdefault(record.partition, record)
            found = list(latest.values())
        return found[: self.limit]

    def wants(self, record: DecisionRecord) -> bool:
        """Whether the run, the partition and the week are asked for."""
        return (
            (self.run_id is None or record.run_id == self.run_id)
            and (self.partition is None or record.partition == self.partition)
            and (self.weeks is None or record.partition.week_ending in self.weeks)
        )


@frozen(kw_only=True)
class RunQuery:
    """Which runs. A field that is None asks for all; limit: at most so many, the newest.

    swept: only those with a `sweep_from`.
    """

    run_id: str | None = None
    swept: bool = False
    limit: int | None = None

    def select(self, runs: Iterable[RunRecord]) -> list[RunRecord]:
        """The runs asked for, in the order of `ReadView.runs`. runs: all, in the order of their first puts."""
        latest_put_first = [run for run in runs if self._wants(run)][::-1]
        return sorted(latest_put_first, key=lambda run: run.started_at, reverse=True)[: self.limit]

    def _wants(self, run: RunRecord) -> bool:
        return (self.run_id is None or run.run_id == self.run_id) and (run.sweep_from is not None or not self.swept)


# What is kept ----------------------------------------------------------------------------------------


@frozen
class RowCounts:
    """How a capture's records differ from the partition's records before: rows that began, ended, and live on.

    A row with a changed value counts once as withdrawn and once as added.
    """

    added: int
    withdrawn: int
    unchanged: int


@frozen(kw_only=True)
class DecisionRecord:
    """What a run decided about a partition, and when. reason: the decision in words."""

    run_id: str
    partition: Partition
    decision: Decision
    reason: str
    decided_at: datetime


@frozen(kw_only=True)
class RunRecord:
    """One run in the ledger; finished_at, exit_code and report_json are None while it runs or if it was killed.

    sweep_from: the day with which the next sweep of older weeks begins. Rows that FINRA dated before it have been
    looked for. None where this run did not sweep, or its source could not tell.
    """

    run_id: str
    started_at: datetime
    finished_at: datetime | None
    mode: str
    run_date: date
    exit_code: int | None
    report_json: str | None
    sweep_from: date | None = None


class Lock(str, Enum):
    """A store's named locks. A unit of work that holds several takes them in this order."""

    ANOMALIES = "anomalies"
    JUDGMENTS = "judgments"
    CHAIN = "chain"


# The port ---------------------------------------------------------------------------------------------


class ReadView(Protocol):
    """One committed state of a store, the same for as long as the view is open, whatever others commit.

    All methods raise StoreError where the store fails. A view is used by one thread at a time.
    """

    def captures(self, query: CaptureQuery = ...) -> list[Capture]:
        """Captures, by week, tier and number."""

    def payload(self, capture: Capture) -> tuple[bytes, ...]:
        """The raw documents of a capture, byte for byte, in their order.

        Raises:
            StoreError: this store has no such capture, or its payload is damaged.
        """

    def records(self, capture: Capture) -> Records:
        """The records of a normalized capture, by security and venue.

        Raises:
            StoreError: the capture is not normalized; so do `rejects`, `symbols` and `changes`.
        """

    def rejects(self, capture: Capture) -> list[Reject]:
        """The rejected rows of a normalized capture, by document and line."""

    def symbols(self, capture: Capture) -> frozenset[str]:
        """The symbols of a normalized capture's records."""

    def changes(self, before: Capture, after: Capture) -> list[RowChange]:
        """The rows that differ between two normalized captures of one partition, by security and venue.

        Raises:
            StoreError: they are captures of two partitions.
        """

    def restatements(self, query: RestatementQuery = ...) -> dict[int, list[RowChange]]:
        """What each normalized capture changed of its partition's normalized capture before it, by its number.

        The changes of a capture are by security and venue. A capture that changed nothing has none, and neither has a
        partition's first.
        """

    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        """All analytics (of these weeks), oldest first."""

    def analysis_keys(self, weeks: Collection[date] | None = None) -> list[AnalysisKey]:
        """The keys of all analytics (of these weeks), oldest first."""

    def judgments(self, query: JudgmentQuery = ...) -> list[Judgment]:
        """Judgments, newest week first, then by use, then latest put first."""

    def anomalies(self, query: AnomalyQuery = ...) -> list[AnomalyRecord]:
        """Anomalies, latest seen first, then by fingerprint."""

    def decisions(self, query: DecisionQuery = ...) -> list[DecisionRecord]:
        """Decisions, latest first; of one instant the latest put first."""

    def runs(self, query: RunQuery = ...) -> list[RunRecord]:
        """The ledger of runs, latest started first; of one instant the latest put first."""

    def pins(self) -> list[Pin]:
        """The pins, by capture_id and revision."""

    def prunes(self) -> list[PruneRecord]:
        """What was removed, in the order of the puts."""

    def chain(self, after: int = 0, limit: int | None = None) -> list[ChainEntry]:
        """The entries of the chain whose `seq` is greater, in its order; with a limit at most so many, the first."""

    def chain_head(self) -> ChainEntry | None:
        """The entry with the greatest `seq`; None where there is none."""


class UnitOfWork(ReadView, Protocol):
    """One atomic change of a store. It reads what it has put.

    Between two reads it may see what others commit, unless its scope or a lock that it holds keeps them out.

    A put has no rule in it. The caller knows what may be put, and with which values, and reads what that depends on in
    the same unit of work.
    """

    def hold(self, lock: Lock) -> None:
        """Hold a named lock until the unit of work ends. Reads after it see all that earlier holders committed.

        Raises:
            StoreLockedError: another process held it for too long.
        """

    def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        """Store a capture with its payload and its RAW manifest row.

        Its number is greater than those of all earlier captures. Its `checked_at` is its `verified_at`.
        """

    def put_checked(self, captures: Sequence[Capture]) -> None:
        """Set the `verified_at` and `checked_at` of stored captures to what these values say; nothing else changes.

        Raises:
            StoreError: this store has no such capture.
        """

    def put_records(
        self,
        capture: Capture,
        records: Records,
        rejects: Sequence[Reject],
        coverage: Sequence[HalfCoverage],
        at: datetime,
    ) -> RowCounts:
        """Store a capture's records, rejects and coverage, and its NORMALIZED manifest row.

        Only rows that differ from those of the partition's newest normalized capture have to be written.

        Raises:
            StoreError: this or a later capture of the partition has records already, or this store has no such capture.
        """

    def put_analysis(self, analysis: Analysis) -> None:
        """Store analytics and their CALC manifest row.

        Raises:
            StoreError: analytics with this key are there already.
        """

    def put_judgments(self, judgments: Sequence[Judgment]) -> None:
        """Store judgments. Each replaces the one that holds for its week and use, which stays in the history."""

    def put_anomalies(self, records: Sequence[AnomalyRecord]) -> None:
        """Store anomalies, each in place of the one with its fingerprint."""

    def put_decisions(self, records: Sequence[DecisionRecord]) -> None:
        """Add decisions."""

    def put_run(self, run: RunRecord) -> None:
        """Store a run, in place of the one with its run_id."""

    def put_pin(self, pin: Pin) -> None:
        """Store a pin, in place of the one of its capture."""

    def remove_pin(self, pin: Pin) -> None:
        """Remove the pin of this capture, if there is one."""

    def remove_captures(self, captures: Sequence[Capture]) -> None:
        """Remove captures of one partition, and all that only they have: payloads, rows, manifest rows, pins.

        Analytics go if they rest on one of them. The records of other captures, and the changes between them, stay as
        they are, and so do judgments, anomalies and decisions.

        Raises:
            StoreError: this store has no such capture, or they are captures of two partitions.
        """

    def put_prune(self, record: PruneRecord) -> None:
        """Add a record of what was removed."""

    def put_chain(self, entries: Sequence[ChainEntry]) -> None:
        """Add entries to the chain. The caller holds its lock.

        Raises:
            StoreError: there is an entry with this `seq`.
        """


class Store(Protocol):
    """Captures, records, analytics, judgments and findings. A context manager: leaving it closes it.

    Methods may be called from several threads at once. All raise StoreError where the store fails.
    """

    @property
    def url(self) -> str:
        """The URL that opens it, without secrets."""

    def read(self) -> AbstractContextManager[ReadView]:
        """Open a view of the state that is committed now. Others can commit while it is open."""

    def write(self, scope: Scope) -> AbstractContextManager[UnitOfWork]:
        """Begin a unit of work. It is committed when the block ends, and rolled back if the block raises.

        scope: what will be written. Writers of one partition exclude each other, and so do writers of one week across
        tiers. Writers with the scope of the store as a whole exclude each other only by the locks that they hold.

        Raises:
            PartitionLockedError: another process is writing in this scope.
            StoreLockedError: another process held the store's only write lock for too long.
        """

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        """A function that pickles, and that opens this store in another process.

        same_machine: whether that process sees this machine's files.

        Raises:
            ConfigurationError: this store cannot be opened there.
        """

    def close(self) -> None:
        """Release connections; the store is not used after."""

    def __enter__(self) -> Store:
        """This store."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        """Close it."""


class SchemaAdmin(Protocol):
    """Who looks after the schema of a store that has one. `finra_core.registry.open_schema` finds it by the URL.

    It connects when a method needs the database. All but `ddl` raise StoreError where the database fails.
    """

    @property
    def newest_version(self) -> str:
        """The version that this release of the library works with."""

    def version(self) -> str | None:
        """The database's version; None where there is no schema yet."""

    def upgrade(self) -> None:
        """Bring the schema to the newest version, in one transaction; make it where there is none.

        Raises:
            StoreSchemaError: it is newer than this release knows, or not this library's.
        """

    def ddl(self) -> str:
        """The SQL that makes the newest schema in an empty database. Needs no database."""
