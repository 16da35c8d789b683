"""A store over SQLAlchemy: each view is one read transaction, each unit of work one write transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from sqlalchemy import Engine

from finra_core.domain.errors import StoreUnavailableError
from finra_core.domain.scopes import Scope
from finra_core.ports.store import ReadView, Store
from finra_sql.dialect import SqlDialect
from finra_sql.empty import EmptyView
from finra_sql.failures import take_failure, translate_errors
from finra_sql.migrate import HEAD, readable_version, stored_version, upgrade
from finra_sql.session import Session
from finra_sql.surrogate_keys import SurrogateKeys
from finra_sql.unit_of_work import SqlUnitOfWork
from finra_sql.view import SqlView

_SCHEMA = "schema"
"""The lock of whoever upgrades."""


def connect(dialect: SqlDialect) -> Engine:
    """An engine whose errors are StoreErrors."""
    engine = dialect.engine()
    translate_errors(engine, dialect)
    return engine


def upgrade_if_needed(engine: Engine, dialect: SqlDialect) -> None:
    """Make the schema, or bring it up to date, in one transaction.

    Raises:
        StoreLockedError: another process was upgrading it for too long.
        StoreSchemaError: it is newer than this library, or not this library's.
    """
    with dialect.reading(engine) as connection:
        if stored_version(connection, dialect.name) == HEAD:
            return
    with dialect.writing(engine, Scope()) as connection:
        dialect.hold(connection, _SCHEMA)
        # Asked again: between the two another process may have upgraded it.
        if stored_version(connection, dialect.name) != HEAD:
            upgrade(connection, dialect)
            dialect.after_upgrade(connection)


class SqlStore(Store):
    """A store in a database. Opening it makes or upgrades the schema, unless it is opened to be read alone."""

    def __init__(self, dialect: SqlDialect) -> None:
        self._dialect = dialect
        self._engine = connect(dialect)
        self._keys = SurrogateKeys()
        self._has_schema = False
        try:
            if dialect.read_only:
                self._look_for_schema()
            else:
                upgrade_if_needed(self._engine, dialect)
                self._has_schema = True
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        return self._dialect.url

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        if not self._has_schema and not self._look_for_schema():
            yield EmptyView()
            return
        with self._dialect.reading(self._engine) as connection:
            yield SqlView(Session(connection, self._dialect))

    @contextmanager
    def write(self, scope: Scope) -> Iterator[SqlUnitOfWork]:
        """A block that goes on after a failed statement is rolled back all the same."""
        if self._dialect.read_only:
            raise StoreUnavailableError(f"{self.url} was opened read-only: open it without read_only to write")
        keys = self._keys.in_transaction()
        with self._dialect.writing(self._engine, scope) as connection:
            take_failure(connection)
            yield SqlUnitOfWork(Session(connection, self._dialect), keys)
            if failure := take_failure(connection):
                raise failure
        keys.committed()

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        return self._dialect.reopener(same_machine=same_machine)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> SqlStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def _look_for_schema(self) -> bool:
        """Whether there is a schema by now: another process may make it while this one has the store open."""
        if self._dialect.exists():
            with self._dialect.reading(self._engine) as connection:
                self._has_schema = readable_version(connection, self._dialect.name) is not None
        return self._has_schema
