"""Changes of a SQLite file behind the library's back: a cell, a row dropped, added or swapped."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from attrs import frozen

Row = Sequence[Any]


@frozen
class Mutation:
    """One change. column: None where it is about a row as a whole."""

    name: str
    table: str
    column: str | None
    apply: Callable[[sqlite3.Connection], None]

    def __str__(self) -> str:
        return f"{self.name} {self.table}" + (f".{self.column}" if self.column else "")


def tables_of(path: Path) -> dict[str, list[str]]:
    """Every table of the file that is not the database's own, and its columns."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for (name,) in names}


def mutate(path: Path, mutation: Mutation) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        mutation.apply(connection)


def changes(path: Path) -> Iterator[Mutation]:
    """Of every table: a cell of each column changed, a row dropped, a row added."""
    for table, columns in tables_of(path).items():
        yield Mutation("drop a row of", table, None, _dropping(table, columns))
        yield Mutation("add a row to", table, None, _adding(table, columns))
        for column in columns:
            yield Mutation("change", table, column, _changing(table, columns, column))


def swaps(path: Path) -> Iterator[Mutation]:
    """Of every table: two cells of each column swapped."""
    for table, columns in tables_of(path).items():
        for column in columns:
            yield Mutation("swap two of", table, column, _swapping(table, columns, column))


def other(value: Any) -> Any:
    """Another value of the same kind, as near as can be."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return math.nextafter(value, 2)
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    digits = [i for i, character in enumerate(value) if character.isdigit()]
    if not digits:
        return f"{value}x"
    last = digits[-1]
    return f"{value[:last]}{(int(value[last]) + 1) % 10}{value[last + 1 :]}"


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    return connection.execute(f"SELECT * FROM {table}").fetchall()


def _where(columns: list[str]) -> str:
    return " AND ".join(f"{column} IS ?" for column in columns)


def _dropping(table: str, columns: list[str]) -> Callable[[sqlite3.Connection], None]:
    def apply(connection: sqlite3.Connection) -> None:
        row = _rows(connection, table)[-1]
        connection.execute(f"DELETE FROM {table} WHERE {_where(columns)}", row)

    return apply


def _adding(table: str, columns: list[str]) -> Callable[[sqlite3.Connection], None]:
    """A copy of a row, with other values only where the table takes no copy."""

    def apply(connection: sqlite3.Connection) -> None:
        row = list(_rows(connection, table)[-1])
        for i in range(len(row)):
            row[i] = row[i] + 1_000 if isinstance(row[i], int) else other(row[i])
            try:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
            except sqlite3.IntegrityError:
                continue
            return
        raise AssertionError(f"{table} takes no further row")

    return apply


def _changing(table: str, columns: list[str], column: str) -> Callable[[sqlite3.Connection], None]:
    place = columns.index(column)

    def apply(connection: sqlite3.Connection) -> None:
        rows = _rows(connection, table)
        row = next((row for row in reversed(rows) if row[place] is not None), rows[-1])
        value = row[place]
        for _ in range(1_000):
            value = other(value)
            try:
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {_where(columns)}", (value, *row))
            except sqlite3.IntegrityError:
                continue
            return
        raise AssertionError(f"{table}.{column} takes no other value")

    return apply


def _swapping(table: str, columns: list[str], column: str) -> Callable[[sqlite3.Connection], None]:
    """Two rows' values; of a column with one value, or one whose swap is no change of the table, nothing."""
    place = columns.index(column)

    def apply(connection: sqlite3.Connection) -> None:
        rows = _rows(connection, table)
        first = rows[-1]
        second = next((row for row in rows if row[place] != first[place]), None)
        if second is None:
            return
        swapped = [
            [*first[:place], second[place], *first[place + 1 :]],
            [*second[:place], first[place], *second[place + 1 :]],
        ]
        connection.execute("BEGIN")
        for row in (first, second):
            connection.execute(f"DELETE FROM {table} WHERE {_where(columns)}", row)
        try:
            for row in swapped:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        except sqlite3.IntegrityError:
            connection.execute("ROLLBACK")
            return
        connection.execute("COMMIT")

    return apply
