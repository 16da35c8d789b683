"""Plain SQL on either database, as users send it, with answers that can be compared."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import psycopg
from attrs import frozen

from finra_core.domain.timestamps import utc_text

AS_OF = "known_from <= '{at}' AND (known_to IS NULL OR known_to > '{at}')"
"""The WHERE that the documentation promises; `at` as `utc_text` writes it."""


@frozen
class Database:
    """A connection of a user's own."""

    connection: Any

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Days and instants as text, JSON as values, numbers as they are."""
        return [tuple(map(_plain, row)) for row in self.connection.execute(statement).fetchall()]

    def columns(self, name: str) -> list[str]:
        return [column[0] for column in self.connection.execute(f"SELECT * FROM {name} LIMIT 0").description]

    def as_of(self, columns: str, view: str, at: datetime, condition: str = "") -> list[tuple[Any, ...]]:
        """What a view with `known_from` and `known_to` says was known at an instant."""
        return sorted(self.rows(f"SELECT {columns} FROM {view} WHERE {AS_OF.format(at=utc_text(at))} {condition}"))

    def plan(self, statement: str) -> list[str]:
        """The steps of the database's plan, one line each."""
        prefix = "EXPLAIN QUERY PLAN" if isinstance(self.connection, sqlite3.Connection) else "EXPLAIN"
        return [str(row[-1]) for row in self.connection.execute(f"{prefix} {statement}").fetchall()]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        return json.dumps(json.loads(value), sort_keys=True)
    return int(value) if isinstance(value, bool) else value


@contextmanager
def connected(url: str) -> Iterator[Database]:
    """Connected to the database of a store's URL; each statement is a transaction."""
    if url.startswith("sqlite:///"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    try:
        yield Database(connection)
    finally:
        connection.close()
