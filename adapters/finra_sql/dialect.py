"""What one database does in a way of its own: the whole of what a further SQL store has to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, Engine, Table

from finra_core.domain.errors import StoreError


class SqlDialect(Protocol):
    """The hooks of `SqlStore`."""

    def reading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A connection all of whose statements see one committed state."""

    def writing(self, engine: Engine, key: str | None) -> AbstractContextManager[Connection]:
        """A connection in a write transaction: committed when the block ends, rolled back when it raises.

        Raises:
            PartitionLockedError: another process is writing under this key.
            StoreLockedError: another process held the store's only write lock for too long.
        """

    def take_turn(self, connection: Connection, what: str) -> None:
        """Wait until no other transaction has this turn, and have it until this one ends.

        For changes that look at many rows and write some: writers that interleave would miss each other's, or
        wait for each other in a circle.

        Raises:
            StoreLockedError: another process held it for too long.
        """

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

    def translate(self, error: BaseException) -> StoreError | None:
        """The StoreError that a driver's error is, its message one line; None for errors that are not the store's."""
