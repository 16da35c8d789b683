"""A connection in a transaction, and the ways of its database: what every statement needs."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import CompoundSelect, Connection, CursorResult, Executable, Select

from finra_sql.dialect import SqlDialect
from finra_sql.failures import translated


@frozen
class Session:
    """One transaction, for as long as it is open."""

    connection: Connection
    dialect: SqlDialect

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Send one statement; with a list of parameters, for each of them."""
        result: CursorResult[Any] = self.connection.execute(statement, parameters)
        return result

    def fetch_tuples(self, query: Select[Any] | CompoundSelect[Any]) -> list[tuple[Any, ...]]:
        """A large result in the driver's own tuples and types: SQLAlchemy's rows would take three times as long."""
        result = self.connection.execute(query)
        with translated(self.connection, self.dialect):
            return list(result.cursor.fetchall() if result.cursor is not None else ())
