"""How the values of the domain are kept in columns: as text in SQLite, in PostgreSQL's own types there."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from typing import Any

from sqlalchemy import TIMESTAMP, Column, Date, Dialect, Identity, Integer, text
from sqlalchemy import BigInteger as _BigInteger
from sqlalchemy import Text as _Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from finra_core.domain.timestamps import parse_utc_text, utc_text

BigInteger = _BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; SQLite makes a key of its own numbering only from a column that says INTEGER."""

Text = _Text().with_variant(_Text(collation="C"), "postgresql")
"""Text in the order of its code points, whatever the database's language: the order of the ports, and of SQLite."""


def numbering(name: str) -> Column[int]:
    """A primary key that the database numbers."""
    return Column(name, Integer, Identity(always=True), primary_key=True)


def where(condition: str) -> dict[str, Any]:
    """What makes an index one of those rows alone."""
    return {f"{database}_where": text(condition) for database in ("sqlite", "postgresql")}


class UtcTimestamp(TypeDecorator[datetime]):
    """An instant: timestamptz in PostgreSQL.

    In SQLite UTC ISO 8601 text with six decimals and Z: the order of the text is the order of time.
    """

    impl = _Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type."""
        return TIMESTAMP(timezone=True) if _is_postgresql(dialect) else _Text()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """To the database."""
        if value is None or _is_postgresql(dialect):
            return value
        return utc_text(value)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        """From the database; PostgreSQL gives instants in the session's zone."""
        if isinstance(value, str):
            return parse_utc_text(value)
        return None if value is None else value.astimezone(timezone.utc)


class IsoDate(TypeDecorator[date]):
    """A calendar day: date in PostgreSQL, ISO 8601 text in SQLite."""

    impl = _Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type."""
        return Date() if _is_postgresql(dialect) else _Text()

    def process_bind_param(self, value: date | None, dialect: Dialect) -> date | str | None:
        """To the database."""
        if value is None or _is_postgresql(dialect):
            return value
        return value.isoformat()

    def process_result_value(self, value: date | str | None, dialect: Dialect) -> date | None:
        """From the database."""
        return date.fromisoformat(value) if isinstance(value, str) else value


class IsoDateText(TypeDecorator[str]):
    """A calendar day that the domain keeps as ISO 8601 text; stored as `IsoDate` is."""

    impl = _Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type."""
        return Date() if _is_postgresql(dialect) else _Text()

    def process_result_value(self, value: date | str | None, dialect: Dialect) -> str | None:
        """From the database."""
        return value.isoformat() if isinstance(value, date) else value


class Json(TypeDecorator[Any]):
    """A JSON value: jsonb in PostgreSQL, JSON text in SQLite."""

    impl = _Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type."""
        return _jsonb() if _is_postgresql(dialect) else _Text()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """To the database."""
        return value if _is_postgresql(dialect) else json.dumps(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """From the database."""
        return value if _is_postgresql(dialect) else json.loads(value)


class PartitionKey(TypeDecorator[str]):
    """The JSON text that names a week, or a week and a tier: jsonb in PostgreSQL, the text itself in SQLite."""

    impl = _Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type."""
        return _jsonb() if _is_postgresql(dialect) else _Text()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """To the database."""
        return json.loads(value) if value is not None and _is_postgresql(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """From the database. Jsonb keeps no order of names: the week comes before the tier again."""
        if isinstance(value, dict):
            return json.dumps(dict(sorted(value.items(), reverse=True)))
        return None if value is None else str(value)


class utc_now(FunctionElement[str]):  # noqa: N801
    """The database's current time in the form of `UtcTimestamp`, for rows that users insert themselves."""

    inherit_cache = True


@compiles(utc_now, "sqlite")
def _utc_now_sqlite(_element: utc_now, _compiler: SQLCompiler, **_options: object) -> str:
    return "(strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))"


@compiles(utc_now, "postgresql")
def _utc_now_postgresql(_element: utc_now, _compiler: SQLCompiler, **_options: object) -> str:
    return "now()"


def _jsonb() -> TypeEngine[Any]:
    from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415  a SQLite store need not load all of PostgreSQL's

    return JSONB()


def _is_postgresql(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"
