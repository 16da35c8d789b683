"""SQLite's ways: one writer at a time, and rows inserted by the driver's executemany."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import chain, groupby

from attrs import Factory, field, frozen
from sqlalchemy import Connection, Engine, Table, event

from finra_core.errors import StoreError, StoreLockedError
from finra_sqlite.errors import translate
from finra_sqlite.location import Location

_BEGIN = "finra_begin"

_ROWS_PER_INSERT = 150
"""More gain little, and SQLite before 3.32 takes no more than 999 parameters."""


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

        Many rows to a statement, what they have in common written into it: half the time of a statement a row.
        """
        row = ", ".join("?" if column.name not in same else _literal(same[column.name]) for column in table.c)
        width = row.count("?")
        values = tuple(chain.from_iterable(rows))
        full = width * _ROWS_PER_INSERT
        batches = [values[i : i + full] for i in range(0, len(values), full)]
        for size, of_size in groupby(batches, key=len):
            places = ", ".join([f"({row})"] * (size // width))
            connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES {places}", list(of_size))  # noqa: S608 - ours

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


def _literal(value: int | None) -> str:
    return "NULL" if value is None else str(value)


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
