"""SQLite's words for the schema, and its types: it has neither dates nor instants nor decimals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Dialect, Text
from sqlalchemy.types import TypeDecorator

from finra_core.domain.timestamps import parse_utc_text, utc_text
from finra_sql.dialect import SchemaWords
from finra_sql.types import register_types

DATABASE = "sqlite"

WORDS = SchemaWords(
    key="INTEGER",
    text="TEXT",
    date="TEXT",
    timestamp="TEXT",
    json="TEXT",
    blob="BLOB",
    now="(strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))",
    clustered=" WITHOUT ROWID",
    json_field="json_extract({}, '$.{}')".format,
    # The nearest double: the column beside it is exact.
    shares="{} / 1e6".format,
)


class _UtcText(TypeDecorator[datetime]):
    """UTC ISO 8601 text with six decimals and Z: the order of the text is the order of time."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else utc_text(value)

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if not isinstance(value, str):  # SQLite keeps whatever damage or a hand puts there
            raise TypeError(f"{value!r} is no time")
        return parse_utc_text(value)


register_types(DATABASE, timestamp=_UtcText(), json=JSON())
