"""PostgreSQL's ways: writers of different partitions side by side, rows loaded by COPY."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from hashlib import blake2b
from itertools import islice

import psycopg
from attrs import Factory, field, frozen
from psycopg import sql
from sqlalchemy import Connection, Engine, Table, text

from finra_core.domain.errors import PartitionLockedError, StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_postgres.errors import translate
from finra_postgres.location import Location
from finra_sql.failures import translated

_WAIT_SECONDS = 30
_BLOCK_ROWS = 4096

_READ = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
_SET_PATIENCE = text(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")


@frozen
class PostgresDialect:
    """Locks are the server's advisory ones, which end with their transaction, however its process ended.

    Between processes a partition is not waited for: whoever has it will finish it. Threads of one process queue up.
    """

    location: Location
    _partitions: defaultdict[str, threading.Lock] = field(
        default=Factory(lambda: defaultdict(threading.Lock)), init=False
    )

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        """See `SqlDialect.reading`."""
        with engine.connect() as connection:
            connection.execute(_READ)
            yield connection

    @contextmanager
    def writing(self, engine: Engine, key: str | None) -> Iterator[Connection]:
        """See `SqlDialect.writing`."""
        with self._queue(key), engine.begin() as connection:
            connection.execute(_SET_PATIENCE)
            if key is not None and not connection.execute(_TRY_LOCK, {"lock": _lock(connection, key)}).scalar():
                raise _locked(key)
            yield connection

    def take_turn(self, connection: Connection, what: str) -> None:
        """See `SqlDialect.take_turn`."""
        connection.execute(_LOCK, {"lock": _lock(connection, what)})

    def insert_rows(
        self,
        connection: Connection,
        table: Table,
        same: Mapping[str, int | None],
        rows: Iterable[tuple[int | str, ...]],
    ) -> None:
        """See `SqlDialect.insert_rows`."""
        driver = connection.connection.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError(f"{driver!r} is no connection of psycopg")
        with (
            translated(connection, self),
            driver.cursor() as cursor,
            cursor.copy(_copy_into(table, same)) as copy,
        ):
            # What has no tab, line end or backslash in it needs no escaping: numbers and dates.
            fields = [*["%s"] * (len(table.c) - len(same)), *map(str, same.values())]
            line = "\t".join(fields) + "\n"
            unwritten = iter(rows)
            # Written in blocks: row by row, as the driver offers it, takes a third more of our time.
            while block := "".join([line % row for row in islice(unwritten, _BLOCK_ROWS)]):
                copy.write(block)

    def translate(self, error: BaseException) -> StoreError | None:
        """See `SqlDialect.translate`."""
        return translate(error, self.location.name)

    @contextmanager
    def _queue(self, key: str | None) -> Iterator[None]:
        if key is None:
            yield
            return
        lock = self._partitions[key]
        if not lock.acquire(timeout=_WAIT_SECONDS):
            raise _locked(key)
        try:
            yield
        finally:
            lock.release()


def _lock(connection: Connection, what: str) -> int:
    """A lock's number: 64 bits, as schemas of one database are stores of their own."""
    schema = connection.dialect.default_schema_name
    digest = blake2b(f"finra {schema} {what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _locked(key: str) -> PartitionLockedError:
    named = json.loads(key)
    week, tier = named.get("week_ending"), named.get("tier")
    partition = Partition(date.fromisoformat(week), Tier[tier]) if tier in Tier.__members__ else None
    return PartitionLockedError(
        f"{week} / {tier}: another run is writing it and will finish it; run again if it does not",
        partition=partition,
    )


def _copy_into(table: Table, last: Iterable[str]) -> sql.Composed:
    names = [column.name for column in table.c if column.name not in last]
    columns = sql.SQL(", ").join(map(sql.Identifier, [*names, *last]))
    return sql.SQL("COPY {} ({}) FROM STDIN (NULL {})").format(sql.Identifier(table.name), columns, str(None))
