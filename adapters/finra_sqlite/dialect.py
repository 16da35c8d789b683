"""SQLite's ways: one writer at a time, readers beside it, and rows inserted by the driver's executemany."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

from attrs import Factory, field, frozen
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    QueuePool,
    Table,
    Update,
    bindparam,
    create_engine,
    event,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from finra_core.domain.errors import ConfigurationError, StoreError, StoreInterruptedError, StoreLockedError
from finra_core.domain.scopes import Scope
from finra_core.ports.audit import Integrity
from finra_core.ports.store import Store
from finra_sql.dialect import SchemaWords
from finra_sqlite.connections import FrozenFile, exists, open_to_read, open_to_write
from finra_sqlite.errors import translate
from finra_sqlite.integrity import check_integrity
from finra_sqlite.location import Location
from finra_sqlite.statistics import describe_sizes
from finra_sqlite.words import WORDS

_BEGIN = "finra_begin"

_PARAMETERS = 5_000 if sqlite3.sqlite_version_info >= (3, 32) else 999
"""Values in one statement: more gain nothing, and an old SQLite takes no more."""


@frozen
class SqliteDialect:
    """The write lock is the file's own, so it dies with its process; threads queue up before it."""

    location: Location
    read_only: bool
    _writer: threading.Lock = field(default=Factory(threading.Lock), init=False)

    @property
    def name(self) -> str:
        return str(self.location.path)

    @property
    def url(self) -> str:
        return self.location.url

    @property
    def words(self) -> SchemaWords:
        return WORDS

    def engine(self) -> Engine:
        if self.read_only:
            # How the file is to be opened depends on who else has it open now.
            engine = create_engine("sqlite://", creator=partial(open_to_read, self.location), poolclass=NullPool)
        else:
            connect = partial(open_to_write, self.location)
            engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, max_overflow=-1)
        # We begin transactions ourselves: the driver would begin none before SELECT, and none that writes at once.
        event.listen(engine, "begin", _begin)
        return engine

    def exists(self) -> bool:
        return exists(self.location.path)

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect() as connection:
            # A transaction sees the state of its first reading, not that of its beginning.
            connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").all()
            with self._undisturbed(connection):
                yield connection

    @contextmanager
    def writing(self, engine: Engine, scope: Scope) -> Iterator[Connection]:
        """Whatever the scope, there is one writer."""
        with self._alone(), engine.connect() as connection:
            immediate = connection.execution_options(**{_BEGIN: "IMMEDIATE"})
            with immediate.begin():
                yield immediate

    def hold(self, connection: Connection, lock: str) -> None:
        """Whoever writes holds every lock."""

    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """As JSON in one parameter: of one a value the statement would be parsed anew, and their number is bounded."""
        texts = list(map(str, values))
        each = func.json_each(json.dumps(texts)).table_valued("value")
        cut_by_json = [text for text in texts if "\0" in text]  # SQLite ends JSON's text there
        found = column.in_(select(each.c.value))
        return or_(found, column.in_(cut_by_json)) if cut_by_json else found

    def insert_rows(
        self,
        connection: Connection,
        table: Table,
        same: Mapping[str, int | None],
        rows: Iterable[tuple[int | str, ...]],
    ) -> None:
        """Many rows to a statement, which is the same one for any `same`: a statement a row takes twice the time."""
        own = [column.name for column in table.c if column.name not in same]
        selected = ", ".join(column.name if column.name in own else "?" for column in table.c)
        common = tuple(same[column.name] for column in table.c if column.name in same)
        place = f"({', '.join('?' * len(own))})"
        values = tuple(chain.from_iterable(rows))
        full = (_PARAMETERS - len(common)) // len(own) * len(own)
        for start in range(0, len(values), full):
            batch = values[start : start + full]
            places = ", ".join([place] * (len(batch) // len(own)))
            connection.exec_driver_sql(
                f"WITH given ({', '.join(own)}) AS (VALUES {places}) "  # noqa: S608 - the names are our schema's
                f"INSERT INTO {table.name} SELECT {selected} FROM given",
                batch + common,
            )

    def insert_missing(
        self, connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """By the driver alone: SQLAlchemy would take as long as SQLite to look at each row."""
        if rows:
            names, places = ", ".join(column.name for column in columns), ", ".join("?" * len(columns))
            connection.exec_driver_sql(
                f"INSERT INTO {columns[0].table.name} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608
                _as_written(connection, columns, rows),
            )

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
        names = [f"key_{column.name}" for column in key]
        own = update.where(*(column == bindparam(name) for column, name in zip(key, names, strict=True)))
        connection.execute(own, [dict(zip(names, row, strict=True)) for row in rows])

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        from finra_sqlite.store import open_store  # noqa: PLC0415  the store is made of its dialect

        if not same_machine:
            raise ConfigurationError(
                "a SQLite store is one file, which several machines cannot write safely: give a postgresql: store"
            )
        return partial(open_store, self.url, read_only=self.read_only)

    def after_upgrade(self, connection: Connection) -> None:
        describe_sizes(connection)

    def integrity(self, connection: Connection) -> Integrity:
        return check_integrity(connection)

    def translate(self, error: BaseException) -> StoreError | None:
        return translate(error, self.location, read_only=self.read_only)

    @contextmanager
    def _undisturbed(self, connection: Connection) -> Iterator[None]:
        driver = connection.connection.driver_connection
        try:
            yield
        except StoreError as error:
            self._check_undisturbed(driver, error)
            raise
        self._check_undisturbed(driver)

    def _check_undisturbed(self, driver: object, cause: StoreError | None = None) -> None:
        if isinstance(driver, FrozenFile) and driver.was_written:
            message = f"{self.location.path}: it was written while it was read: read it again"
            raise StoreInterruptedError(message) from cause

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._writer.acquire(timeout=self.location.timeout):
            raise StoreLockedError(
                f"{self.location.path}: another thread has been writing for over {self.location.timeout:g} s: try again"
            )
        try:
            yield
        finally:
            self._writer.release()


def _as_written(
    connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Rows of these columns as the driver takes them."""
    dialect = connection.dialect
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    if not any(processors):
        return list(rows)
    written = [process or _same for process in processors]
    return [tuple(process(value) for process, value in zip(written, row, strict=True)) for row in rows]


def _same(value: Any) -> Any:
    return value


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
