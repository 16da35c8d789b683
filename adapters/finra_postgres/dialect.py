"""PostgreSQL's ways: writers of different partitions side by side, rows loaded by COPY."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Any

import psycopg
from attrs import Factory, field, frozen
from psycopg import sql
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    TableValuedAlias,
    Update,
    any_,
    create_engine,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from finra_core.domain.errors import PartitionLockedError, StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import Tier
from finra_core.ports.audit import Integrity
from finra_core.ports.store import Store
from finra_postgres.errors import translate
from finra_postgres.integrity import check_integrity
from finra_postgres.location import Location
from finra_postgres.words import WORDS
from finra_sql.dialect import SchemaWords
from finra_sql.failures import translated

_WAIT_SECONDS = 30
_BLOCK_ROWS = 4096
_MANY_ROWS = 100

# A transaction sees the state of its first query, not that of its beginning.
_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1"
_SET_PATIENCE = text(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")


@frozen
class PostgresDialect:
    """Locks are the server's advisory ones, which end with their transaction, however its process ended.

    Between processes a partition is not waited for: whoever has it will finish it. Threads of one process queue up.
    """

    location: Location
    read_only: bool
    _scopes: defaultdict[Scope, threading.Lock] = field(
        default=Factory(lambda: defaultdict(threading.Lock)), init=False
    )

    @property
    def name(self) -> str:
        return self.location.name

    @property
    def url(self) -> str:
        return self.location.url

    @property
    def words(self) -> SchemaWords:
        return WORDS

    def engine(self) -> Engine:
        return create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            isolation_level="READ COMMITTED",
            max_overflow=-1,
            pool_pre_ping=True,
            use_native_hstore=False,
        )

    def exists(self) -> bool:
        return True

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect() as connection:
            connection.exec_driver_sql(_READ)
            yield connection

    @contextmanager
    def writing(self, engine: Engine, scope: Scope) -> Iterator[Connection]:
        """READ COMMITTED, so that after a lock each statement sees what the lock's last holder committed."""
        with self._queue(scope), engine.begin() as connection:
            connection.execute(_SET_PATIENCE)
            if scope != STORE:
                free = connection.execute(_TRY_LOCK, {"lock": _lock(connection, scope.key)}).scalar()
                if not free:
                    raise _locked(scope)
            yield connection

    def hold(self, connection: Connection, lock: str) -> None:
        connection.execute(_LOCK, {"lock": _lock(connection, lock)})

    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        return column == any_(literal(list(values), ARRAY(column.type)))

    def insert_rows(
        self,
        connection: Connection,
        table: Table,
        same: Mapping[str, int | None],
        rows: Iterable[tuple[int | str, ...]],
    ) -> None:
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

    def insert_missing(
        self, connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Many as arrays of one statement: a sixth of the time of as many lists of values. Few may be large."""
        names = [column.name for column in columns]
        given = insert(columns[0].table)
        if len(rows) >= _MANY_ROWS:
            given = given.from_select(names, select(_rows_as_table(columns, rows)))
            connection.execute(given.on_conflict_do_nothing())
        elif rows:
            values = [dict(zip(names, row, strict=True)) for row in rows]
            connection.execute(given.on_conflict_do_nothing(), values)

    def insert_new(self, connection: Connection, table: Table, values: Mapping[str, Any]) -> int | None:
        new = insert(table).values(values).on_conflict_do_nothing().returning(*table.primary_key)
        key: int | None = connection.execute(new).scalar()
        return key

    def upsert(
        self, connection: Connection, table: Table, key: Collection[str], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        given = insert(table)
        changed = {name: given.excluded[name] for name in rows[0] if name not in key}
        connection.execute(given.on_conflict_do_update(index_elements=list(key), set_=changed), list(rows))

    def update_each(
        self, connection: Connection, update: Update, key: Sequence[Column[Any]], rows: Sequence[tuple[int, ...]]
    ) -> None:
        given = _rows_as_table(key, rows)
        connection.execute(update.where(*(column == given.c[column.name] for column in key)))

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        """The password does not travel: what opens the store there takes it from its own environment."""
        from finra_postgres.store import open_store  # noqa: PLC0415  the store is made of its dialect

        return partial(open_store, self.url, read_only=self.read_only)

    def after_upgrade(self, connection: Connection) -> None:
        """Nothing: the server gathers its statistics itself."""

    def integrity(self, connection: Connection) -> Integrity:
        return check_integrity(connection)

    def translate(self, error: BaseException) -> StoreError | None:
        return translate(error, self.location.name)

    def _connect(self) -> psycopg.Connection:
        # Statements are not prepared: they are few, and poolers between us and the server may not pass them on.
        connection = psycopg.connect(self.location.conninfo, prepare_threshold=None)
        if self.read_only:
            connection.execute("SET default_transaction_read_only = on")
            connection.commit()
        return connection

    @contextmanager
    def _queue(self, scope: Scope) -> Iterator[None]:
        if scope == STORE:
            yield
            return
        lock = self._scopes[scope]
        if not lock.acquire(timeout=_WAIT_SECONDS):
            raise _locked(scope)
        try:
            yield
        finally:
            lock.release()


def _rows_as_table(columns: Sequence[Column[Any]], rows: Iterable[tuple[Any, ...]]) -> TableValuedAlias:
    """Rows to select from, under the names of these columns; there must be at least one row."""
    arrays = [
        literal(list(values), ARRAY(column.type))
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    return func.unnest(*arrays).table_valued(*(column.name for column in columns)).render_derived()


def _lock(connection: Connection, what: str) -> int:
    """A lock's number: 64 bits, as schemas of one database are stores of their own."""
    schema = connection.dialect.default_schema_name
    digest = blake2b(f"finra {schema} {what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _locked(scope: Scope) -> PartitionLockedError:
    partition = None
    if scope.week_ending is not None and scope.tier is not None and scope.tier in Tier.__members__:
        partition = Partition(scope.week_ending, Tier[scope.tier])
    return PartitionLockedError(
        f"{scope}: another run is writing it and will finish it; run again if it does not", partition=partition
    )


def _copy_into(table: Table, last: Iterable[str]) -> sql.Composed:
    names = [column.name for column in table.c if column.name not in last]
    columns = sql.SQL(", ").join(map(sql.Identifier, [*names, *last]))
    return sql.SQL("COPY {} ({}) FROM STDIN (NULL {})").format(sql.Identifier(table.name), columns, str(None))
