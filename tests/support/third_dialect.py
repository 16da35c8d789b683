"""A third SQL store, as a stranger would write it: a `SqlDialect` and nothing else.

Its database is SQLite's library under a name that nothing in finra_sql can know. Its ways are others where they can
be: instants are numbers, bulk statements are plain SQL, and no hook does what the two databases' own do.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

from alembic.ddl.impl import DefaultImpl
from attrs import Factory, field, frozen
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    QueuePool,
    Table,
    Update,
    bindparam,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.types import TypeDecorator

from finra_core.domain.errors import ConfigurationError, StoreError, StoreLockedError
from finra_core.domain.scopes import Scope
from finra_core.ports.audit import Integrity
from finra_core.ports.store import Store
from finra_sql.dialect import SchemaWords
from finra_sql.store import SqlStore
from finra_sql.types import register_types

NAME = "third"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECONDS = 30.0


class ThirdSqlalchemyDialect(SQLiteDialect_pysqlite):
    name = NAME
    supports_statement_cache = True


class ThirdMigrations(DefaultImpl):
    __dialect__ = NAME


class Microseconds(TypeDecorator[datetime]):
    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


registry.register(NAME, __name__, ThirdSqlalchemyDialect.__name__)
register_types(NAME, timestamp=Microseconds(), json=JSON())


@frozen
class ThirdDialect:
    path: Path
    read_only: bool = False
    _writer: threading.Lock = field(default=Factory(threading.Lock), init=False)

    @property
    def name(self) -> str:
        return f"third database {self.path.name}"

    @property
    def url(self) -> str:
        return f"{NAME}:{self.path}"

    @property
    def words(self) -> SchemaWords:
        return SchemaWords(
            key="INTEGER",
            text="VARCHAR",
            date="DATE",
            timestamp="BIGINT",
            json="JSON",
            blob="BLOB",
            now="0",
            clustered="",
            json_field="({} ->> '{}')".format,
            shares="{} / 1000000.0".format,
        )

    def engine(self) -> Engine:
        engine = create_engine(f"{NAME}://", creator=self._connect, poolclass=QueuePool, max_overflow=-1)
        event.listen(engine, "begin", lambda c: c.exec_driver_sql(c.get_execution_options().get("begin", "BEGIN")))
        return engine

    def exists(self) -> bool:
        return self.path.exists()

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema")
            yield connection

    @contextmanager
    def writing(self, engine: Engine, scope: Scope) -> Iterator[Connection]:
        if not self._writer.acquire(timeout=SECONDS):
            raise StoreLockedError(f"{self.name}: locked")
        try:
            with engine.connect() as connection:
                immediate = connection.execution_options(begin="BEGIN IMMEDIATE")
                with immediate.begin():
                    yield immediate
        finally:
            self._writer.release()

    def hold(self, connection: Connection, lock: str) -> None:
        pass

    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        return column.in_(list(values))

    def insert_rows(
        self,
        connection: Connection,
        table: Table,
        same: Mapping[str, int | None],
        rows: Iterable[tuple[int | str, ...]],
    ) -> None:
        names = [column.name for column in table.c if column.name not in same]
        places = ", ".join("?" * len(table.c))
        statement = f"INSERT INTO {table.name} ({', '.join([*names, *same])}) VALUES ({places})"
        connection.exec_driver_sql(statement, [(*row, *same.values()) for row in rows])

    def insert_missing(
        self, connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        for row in rows:
            self._insert_unless(connection, columns, row)

    def insert_new(self, connection: Connection, table: Table, values: Mapping[str, Any]) -> int | None:
        unique = ["fingerprint"] if "fingerprint" in values else list(values)
        known = [table.c[name] == values[name] for name in unique]
        if connection.execute(select(*table.primary_key).where(*known)).first():
            return None
        key = connection.execute(insert(table).values(values)).inserted_primary_key
        return None if key is None else key[0]

    def upsert(
        self, connection: Connection, table: Table, key: Collection[str], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        for row in rows:
            own = [table.c[name] == row[name] for name in key]
            if not connection.execute(update(table).where(*own).values(row)).rowcount:
                connection.execute(insert(table).values(row))

    def update_each(
        self, connection: Connection, update: Update, key: Sequence[Column[Any]], rows: Sequence[tuple[int, ...]]
    ) -> None:
        own = update.where(*(column == bindparam(f"key{i}") for i, column in enumerate(key)))
        connection.execute(own, [{f"key{i}": value for i, value in enumerate(row)} for row in rows])

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        if not same_machine:
            raise ConfigurationError(f"{self.name} is a file of this machine")
        return partial(open_store, self.url, read_only=self.read_only)

    def after_upgrade(self, connection: Connection) -> None:
        connection.exec_driver_sql("ANALYZE")

    def integrity(self, connection: Connection) -> Integrity:
        return Integrity(notes=("the third database has no check of itself",))

    def translate(self, error: BaseException) -> StoreError | None:
        is_ours = isinstance(error, sqlite3.Error | OverflowError)
        return StoreError(f"{self.name}: {error}") if is_ours else None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        return connection

    def _insert_unless(self, connection: Connection, columns: Sequence[Column[Any]], row: tuple[Any, ...]) -> None:
        values = {column.name: value for column, value in zip(columns, row, strict=True)}
        known = [column == values[column.name] for column in columns if not isinstance(values[column.name], bytes)]
        if connection.execute(select(columns[0]).where(*known)).first() is None:
            connection.execute(insert(columns[0].table).values(values))


def open_store(url: str, *, read_only: bool = False) -> SqlStore:
    return SqlStore(ThirdDialect(Path(url.removeprefix(f"{NAME}:")), read_only))
