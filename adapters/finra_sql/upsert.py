"""INSERT ... ON CONFLICT, which both databases have and SQLAlchemy offers once per database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import Column, Connection, Table, select

from finra_sql.bulk_parameters import has_arrays, rows_as_table


def inserting(connection: Connection, table: Table) -> Any:
    """An INSERT into the table that can be told what to do about conflicts."""
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")  # the other one need not be loaded
    return dialect.insert(table)


def upsert(
    connection: Connection,
    table: Table,
    key: Sequence[str],
    values: Mapping[str, object],
    update: Mapping[str, object],
) -> None:
    """Insert `values`, or, where a row has this key already, set `update` in it."""
    insert = inserting(connection, table).values(values)
    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=dict(update)))


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert those rows that no unique key of the table has yet."""
    if rows:
        connection.execute(inserting(connection, table).on_conflict_do_nothing(), list(rows))


def insert_missing_rows(
    connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[object, ...]]
) -> None:
    """The same for thousands of rows, as values of these columns in their order."""
    names = [column.name for column in columns]
    if has_arrays(connection):
        # As arrays of one statement: a sixth of the time of as many lists of values.
        everything = inserting(connection, columns[0].table).from_select(names, select(rows_as_table(columns, rows)))
        connection.execute(everything.on_conflict_do_nothing())
    else:
        insert_missing(connection, columns[0].table, [dict(zip(names, row, strict=True)) for row in rows])
