"""The schema of a database and its version, for those who look after it."""

from __future__ import annotations

from collections.abc import Callable

from finra_core.ports.store import SchemaAdmin
from finra_sql.dialect import SqlDialect
from finra_sql.migrate import HEAD, found_version
from finra_sql.store import connect, upgrade_if_needed


class SqlSchemaAdmin(SchemaAdmin):
    """dialect: makes the dialect of the store's database, opened to be read alone or not."""

    def __init__(self, dialect: Callable[[bool], SqlDialect], script: Callable[[], str]) -> None:
        self._dialect = dialect
        self._script = script

    @property
    def newest_version(self) -> str:
        return HEAD

    def version(self) -> str | None:
        dialect = self._dialect(True)
        if not dialect.exists():
            return None
        engine = connect(dialect)
        try:
            with dialect.reading(engine) as connection:
                return found_version(connection, dialect.name)
        finally:
            engine.dispose()

    def upgrade(self) -> None:
        dialect = self._dialect(False)
        engine = connect(dialect)
        try:
            upgrade_if_needed(engine, dialect)
        finally:
            engine.dispose()

    def ddl(self) -> str:
        return self._script()
