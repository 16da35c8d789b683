"""A store over SQLAlchemy: every reading method in one read transaction, every change in one write transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection, Engine

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord, Check
from finra_core.domain.captures import Capture
from finra_core.domain.errors import ConfigurationError, StoreUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness, WeekState
from finra_core.domain.records import Records
from finra_core.ports import NewCapture, RowChanges, RunRecord
from finra_core.registry import open_store
from finra_core.runs.reopening import Reopening, current_journey, reopened
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload
from finra_sql import analytics, anomalies, captures, judgments, payloads, rows, runs
from finra_sql.dialect import SqlDialect
from finra_sql.failures import take_failure
from finra_sql.migrate import HEAD
from finra_sql.surrogate_keys import Numbers, NumbersInTransaction


class SqlTransaction:
    """The statements of one write transaction."""

    def __init__(self, connection: Connection, dialect: SqlDialect, numbers: NumbersInTransaction) -> None:
        self._connection = connection
        self._dialect = dialect
        self._numbers = numbers

    def latest_capture(self, partition: Partition) -> Capture | None:
        """See `Transaction.latest_capture`."""
        return captures.newest(self._connection, partition)

    def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        """See `Transaction.add_capture`."""
        return captures.add(self._connection, capture, payload)

    def mark_verified(self, capture: Capture, at: datetime) -> None:
        """See `Transaction.mark_verified`."""
        captures.mark_verified(self._connection, capture, at)

    def add_records(
        self, capture: Capture, records: Records, rejects: Sequence[Reject], at: datetime
    ) -> RowChanges | None:
        """See `Transaction.add_records`."""
        return rows.add(self._connection, self._dialect, self._numbers, capture, records, rejects=rejects, at=at)

    def add_analysis(self, analysis: Analysis) -> bool:
        """See `Transaction.add_analysis`."""
        return analytics.add(self._connection, analysis)

    def withdraw_readiness(self, week_ending: date, issue: str, at: datetime) -> None:
        """See `Transaction.withdraw_readiness`."""
        judgments.withdraw(self._connection, week_ending, issue, at)

    def put_readiness(self, readiness: Sequence[Readiness], at: datetime) -> None:
        """See `Transaction.put_readiness`."""
        judgments.put(self._connection, readiness, at)

    def record_checks(self, checks: Sequence[Check], at: datetime) -> None:
        """See `Transaction.record_checks`."""
        self._dialect.take_turn(self._connection, "anomalies")
        anomalies.record_checks(self._connection, checks, at)

    def start_run(self, run: RunRecord) -> None:
        """See `Transaction.start_run`."""
        runs.start(self._connection, run)

    def finish_run(self, run: RunRecord) -> None:
        """See `Transaction.finish_run`."""
        runs.finish(self._connection, run)


class SqlStore:
    """A store in a database whose schema is current and whose errors are translated."""

    def __init__(
        self, engine: Engine, dialect: SqlDialect, url: str, *, read_only: bool, schema_version: str | None = HEAD
    ) -> None:
        self._engine = engine
        self._dialect = dialect
        self._url = url
        self._read_only = read_only
        self._schema_version = schema_version
        self._numbers = Numbers()
        self._reopening = Reopening(partial(open_store, url, read_only=read_only))

    def __reduce__(self) -> tuple[object, ...]:
        journey = current_journey()
        if self._url.startswith("sqlite:") and journey is not None and not journey.one_machine:
            raise ConfigurationError(
                "a SQLite store is one file, which several machines cannot write safely: give a postgresql: store"
            )
        return (reopened, (self._reopening,))

    @property
    def schema_version(self) -> str | None:
        """The migration that the database's schema is at; None where there is no schema yet."""
        return self._schema_version

    @property
    def url(self) -> str:
        """See `Store.url`."""
        return self._url

    @contextmanager
    def transaction(self, key: str | None = None) -> Iterator[SqlTransaction]:
        """See `Store.transaction`. A block that goes on after a failed statement is rolled back all the same."""
        if self._read_only:
            raise StoreUnavailableError(f"{self._url} was opened read-only: open it without read_only to write")
        with self._dialect.writing(self._engine, key) as connection:
            take_failure(connection)
            numbers = self._numbers.in_transaction()
            yield SqlTransaction(connection, self._dialect, numbers)
            if failure := take_failure(connection):
                raise failure
        numbers.committed()

    def latest_captures(self, partitions: Collection[Partition]) -> dict[Partition, Capture]:
        """See `Store.latest_captures`."""
        with self._reading() as connection:
            return captures.latest(connection, partitions)

    def captures(self, partitions: Collection[Partition] | None = None) -> list[Capture]:
        """See `Store.captures`."""
        with self._reading() as connection:
            return captures.listed(connection, partitions)

    def unnormalized(self) -> list[Capture]:
        """See `Store.unnormalized`."""
        with self._reading() as connection:
            return captures.unnormalized(connection)

    def unanalyzed(self, calc_version: int) -> list[Capture]:
        """See `Store.unanalyzed`."""
        with self._reading() as connection:
            return captures.unanalyzed(connection, calc_version)

    def weeks(self) -> list[date]:
        """See `Store.weeks`."""
        with self._reading() as connection:
            return captures.weeks(connection)

    def week_states(self, weeks: Collection[date], calc_version: int) -> dict[date, WeekState]:
        """See `Store.week_states`."""
        with self._reading() as connection:
            return judgments.week_states(connection, weeks, calc_version)

    def documents(self, capture: Capture) -> tuple[bytes, ...]:
        """See `Store.documents`."""
        with self._reading() as connection:
            return payloads.get(connection, capture)

    def records(self, capture: Capture) -> Records:
        """See `Store.records`."""
        with self._reading() as connection:
            return rows.read(connection, self._dialect, capture)

    def rejects(self, capture: Capture) -> list[Reject]:
        """See `Store.rejects`."""
        with self._reading() as connection:
            return rows.rejects_of(connection, capture)

    def shared_symbols(self, captures: Sequence[Capture]) -> frozenset[str]:
        """See `Store.shared_symbols`."""
        with self._reading() as connection:
            return rows.shared_symbols(connection, captures)

    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        """See `Store.analyses`."""
        with self._reading() as connection:
            return analytics.read(connection, weeks)

    def readiness(self, weeks: Collection[date] | None = None) -> list[Readiness]:
        """See `Store.readiness`."""
        with self._reading() as connection:
            return judgments.read(connection, weeks)

    def anomalies(self, *, include_resolved: bool = False) -> list[AnomalyRecord]:
        """See `Store.anomalies`."""
        with self._reading() as connection:
            return anomalies.read(connection, include_resolved=include_resolved)

    def runs(self) -> list[RunRecord]:
        """See `Store.runs`."""
        with self._reading() as connection:
            return runs.read(connection)

    def close(self) -> None:
        """See `Store.close`."""
        self._engine.dispose()

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._dialect.reading(self._engine)
