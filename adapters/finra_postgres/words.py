"""PostgreSQL's words for the schema, and its types."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import TIMESTAMP, Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from finra_sql.dialect import SchemaWords
from finra_sql.types import register_types

DATABASE = "postgresql"


def _comment(kind: str, name: str, text: str) -> str:
    quoted = text.replace("'", "''")
    return f"COMMENT ON {kind} {name} IS '{quoted}'"


WORDS = SchemaWords(
    key="INTEGER GENERATED ALWAYS AS IDENTITY",
    text='TEXT COLLATE "C"',  # whatever the database's language
    date="DATE",
    timestamp="TIMESTAMP WITH TIME ZONE",
    json="JSONB",
    blob="BYTEA",
    now="now()",
    clustered="",
    json_field="({} ->> '{}')".format,
    shares="CAST({} * 0.000001 AS numeric(28, 6))".format,
    comment=_comment,
)


class _UtcTimestamp(TypeDecorator[datetime]):
    """The server gives instants in the session's zone."""

    impl = TIMESTAMP(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(timezone.utc)


register_types(DATABASE, timestamp=_UtcTimestamp(), json=JSONB())
