"""SQLite's ways: one writer at a time, and rows inserted by the driver's executemany."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import chain

from attrs import Factory, field, frozen
from sqlalchemy import Connection, Engine, Table, event

from finra_core.domain.errors import StoreError, StoreLockedError
from finra_sqlite.errors import translate
from finra_sqlite.location import Location

_BEGIN = "finra_begin"

_PARAMETERS = 5_000 if sqlite3.sqlite_version_info >= (3, 32) else 999
"""Values in one statement: more gain nothing, and an old SQLite takes no more."""


@frozen
class SqliteDialect:
    """The write lock is the file's own, so it dies with its process; threads queue up before it."""

    location: Location
    read_only: bool
    _writer: threading.Lock = field(default=Factory(threading.Lock), init=False)

    def listen(self, engine: Engine) -> None:
        """Begin transactions ourselves: the driver would begin none before SELECT, and none that writes at once."""
        event.listen(engine, "begin", _begin)

    def reading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """See `SqlDialect.reading`: a transaction's first statement fixes what it sees."""
        return engine.connect()

    @contextmanager
    def writing(self, engine: Engine, key: str | None = None) -> Iterator[Connection]:
        """See `SqlDialect.writing`; whatever the key, there is one writer."""
        with self._alone(), engine.connect() as connection:
            immediate = connection.execution_options(**{_BEGIN: "IMMEDIATE"})
            with immediate.begin():
                yield immediate

    def take_turn(self, connection: Connection, what: str) -> None:
        """See `SqlDialect.take_turn`: whoever writes has every turn."""

    def insert_rows(
        self,
        connection: Connection,
        table: Table,
        same: Mapping[str, int | None],
        rows: Iterable[tuple[int | str, ...]],
    ) -> None:
        """See `SqlDialect.insert_rows`.

        Many rows to a statement, which is the same one for any `same`: a statement a row takes twice the time.
        """
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

    def translate(self, error: BaseException) -> StoreError | None:
        """See `SqlDialect.translate`."""
        return translate(error, self.location, read_only=self.read_only)

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


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
