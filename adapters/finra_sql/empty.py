"""A store without rows, for reading where nothing has been stored yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial

from sqlalchemy import Connection, Engine, QueuePool, Table, create_engine

from finra_core.domain.errors import StoreError
from finra_sql.schema import metadata
from finra_sql.store import SqlStore
from finra_sql.views import create_views


def empty_store(url: str) -> SqlStore:
    """A read-only store in memory that has this URL. SQLite keeps its schema, whatever database was empty."""
    connect = partial(sqlite3.connect, ":memory:", check_same_thread=False)
    # One connection, as each would have a database of its own: readers take it in turn.
    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=1, max_overflow=0)
    with engine.begin() as connection:
        metadata.create_all(connection)
        create_views(connection)
    return SqlStore(engine, _Nothing(), url, read_only=True, schema_version=None)


class _Nothing:
    """What a database is like that only gives nothing."""

    def reading(self, engine: Engine) -> AbstractContextManager[Connection]:
        return engine.connect()

    def writing(self, engine: Engine, key: str | None) -> AbstractContextManager[Connection]:
        raise NotImplementedError

    def take_turn(self, connection: Connection, what: str) -> None:
        raise NotImplementedError

    def insert_rows(
        self,
        connection: Connection,
        table: Table,
        same: Mapping[str, int | None],
        rows: Iterable[tuple[int | str, ...]],
    ) -> None:
        raise NotImplementedError

    def translate(self, error: BaseException) -> StoreError | None:
        return None
