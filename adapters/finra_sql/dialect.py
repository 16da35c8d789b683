"""What one database does in a way of its own: the whole of what a further SQL store has to write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from attrs import frozen
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, Update

from finra_core.domain.errors import StoreError
from finra_core.domain.scopes import Scope
from finra_core.ports.audit import Integrity
from finra_core.ports.store import Store


@frozen(kw_only=True)
class SchemaWords:
    """How a database writes what tables and views are made of, as SQL.

    Migrations are released with these words in them, so a word's meaning never changes: a new word is added instead.

    key: an integer column whose values the database numbers, ascending. text: in the order of its code points.
    date, timestamp, json, blob: types. now: the current time in the form of `timestamp`, as a default. clustered:
    what follows the columns of a table whose rows are kept in the order of its primary key. json_field: from a JSON
    column and a name, the text under that name. shares: from a column of micro-shares, shares. comment: from TABLE,
    VIEW or COLUMN, a name and a text, the statement that keeps the text beside it; None where the database keeps none.
    """

    key: str
    text: str
    date: str
    timestamp: str
    json: str
    blob: str
    now: str
    clustered: str
    json_field: Callable[[str, str], str]
    shares: Callable[[str], str]
    comment: Callable[[str, str, str], str] | None = None


class SqlDialect(Protocol):
    """One database and its ways. Its column types are registered with `finra_sql.types.register_types`."""

    @property
    def name(self) -> str:
        """What messages call the database, without secrets."""

    @property
    def url(self) -> str:
        """The store's URL, without secrets."""

    @property
    def read_only(self) -> bool:
        """Whether it was opened for reading alone."""

    @property
    def words(self) -> SchemaWords:
        """How it writes what tables and views are made of."""

    def engine(self) -> Engine:
        """A new engine: what it raises is the driver's, and `reading` and `writing` are what begins transactions."""

    def exists(self) -> bool:
        """Whether there is a database to connect to, as far as that can be known without connecting."""

    def reading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A connection all of whose statements see the state that is committed now."""

    def writing(self, engine: Engine, scope: Scope) -> AbstractContextManager[Connection]:
        """A connection in a write transaction: committed when the block ends, rolled back when it raises.

        Raises:
            PartitionLockedError: another process is writing in this scope.
            StoreLockedError: another process held the store's only write lock for too long.
        """

    def hold(self, connection: Connection, lock: str) -> None:
        """Wait for a named lock and hold it until the transaction ends; what follows sees all that is committed then.

        Raises:
            StoreLockedError: another process held it for too long.
        """

    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """Whether the column's text or date is one of these, which may be thousands."""

    def insert_rows(
        self,
        connection: Connection,
        table: Table,
        same: Mapping[str, int | None],
        rows: Iterable[tuple[int | str, ...]],
    ) -> None:
        """Insert many rows fast.

        same: what all rows have in some columns. rows: the values of the others, in the table's order, in the
        database's own types.
        """

    def insert_missing(
        self, connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert those rows, values of these columns, that no unique key of the table has yet, in one statement."""

    def insert_new(self, connection: Connection, table: Table, values: Mapping[str, Any]) -> int | None:
        """Insert a row and return the key that the database gave it; None where a unique key of the table has it."""

    def upsert(
        self, connection: Connection, table: Table, key: Collection[str], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows, each in place of the one with its key, in one statement. All have the same columns."""

    def update_each(
        self, connection: Connection, update: Update, key: Sequence[Column[Any]], rows: Sequence[tuple[int, ...]]
    ) -> None:
        """Run the update for the rows that have one of these keys, which may be thousands, in one statement."""

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        """As `Store.reopener`."""

    def after_upgrade(self, connection: Connection) -> None:
        """What the database needs besides the schema, in the transaction that made it."""

    def integrity(self, connection: Connection) -> Integrity:
        """Have the database check all of its pages, indexes and constraints, as far as it can from here."""

    def translate(self, error: BaseException) -> StoreError | None:
        """The StoreError that a driver's error is, its message one line; None for errors that are not the store's."""
