"""What SQLite and its file can say of themselves: pages, keys, the schema's own words, and how values are written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache

from sqlalchemy import Connection, Date

from finra_core.ports.audit import Integrity
from finra_sql.migrate import VERSION_TABLE, ddl
from finra_sql.schema import metadata, row_versions
from finra_sql.types import Json, Timestamp
from finra_sqlite.words import DATABASE, WORDS

_PROBLEMS = 100
"""So many are named: a file with more has no sound part worth naming."""

_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_INSTANT = f"{_DAY}T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z"
_SCHEMA = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"


def check_integrity(connection: Connection) -> Integrity:
    """By SQLite's own checks, and by what no check of SQLite's knows: what this library writes."""
    pages = [row[0] for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_PROBLEMS})")]
    keys = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_PROBLEMS)
    dangling = [f"a row of {row[0]} refers to a row of {row[2]} that is not there" for row in keys]
    return Integrity(
        (
            *(text for text in pages if text != "ok"),
            *dict.fromkeys(dangling),
            *_changed_schema(connection),
            *_odd_times(connection),
            *_odd_json(connection),
        )
    )


def _changed_schema(connection: Connection) -> Iterator[str]:
    """Tables, indexes and views that are not as this library makes them. Others are their owner's."""
    stored = {row[0]: row[1] for row in connection.exec_driver_sql(_SCHEMA)}
    for name, made in _schema_as_made().items():
        if name not in stored:
            yield f"{name} is missing"
        elif _as_compared(name, stored[name]) != _as_compared(name, made):
            yield f"{name} is not defined as this library makes it"


@cache
def _schema_as_made() -> dict[str, str]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(ddl(WORDS, DATABASE))
        return dict(fresh.execute(_SCHEMA).fetchall())


def _as_compared(name: str, made: str) -> str:
    """To the last character; but Alembic lays its own table out otherwise in a script than in a database."""
    return " ".join(made.split()) if name == VERSION_TABLE else made


def _odd_times(connection: Connection) -> Iterator[str]:
    """Readers of dates and instants forgive a wrong character; those who compare them as text do not."""
    for table in metadata.sorted_tables:
        for column in table.c:
            form = {Date: _DAY, Timestamp: _INSTANT}.get(type(column.type))
            # The dates of rows are compared with their payload's, as text.
            if form is not None and table is not row_versions:
                where = f"{column.name} IS NOT NULL AND {column.name} NOT GLOB ?"
                query = f"SELECT count(*) FROM {table.name} WHERE {where}"  # noqa: S608  the names are our schema's
                if count := connection.exec_driver_sql(query, (form,)).scalar():
                    yield f"{table.name}.{column.name}: {count:,} values are not written as this library writes them"


def _odd_json(connection: Connection) -> Iterator[str]:
    """One character can be escaped in several ways, of which this library writes one."""
    for table in metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, Json):
                odd = f"{column.name} LIKE '%\\%' OR typeof({column.name}) NOT IN ('text', 'null')"
                query = f"SELECT {column.name} FROM {table.name} WHERE {odd}"  # noqa: S608
                count = sum(not _is_ours(row[0]) for row in connection.exec_driver_sql(query))
                if count:
                    yield f"{table.name}.{column.name}: {count:,} values are not written as this library writes them"


def _is_ours(stored: object) -> bool:
    try:
        return isinstance(stored, str) and json.dumps(json.loads(stored)) == stored
    except ValueError:
        return False
