"""Thousands of values in one parameter: an array in PostgreSQL, JSON in SQLite.

One parameter a value would have the statement parsed anew each time, and both databases bound their number.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, TableValuedAlias, any_, func, literal, or_, select


def among(connection: Connection, of: Column[str], values: Collection[str]) -> ColumnElement[bool]:
    """Whether the column's text is one of these."""
    if has_arrays(connection):
        return of == any_(literal(list(values), ARRAY(of.type)))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    cut_by_json = [value for value in values if "\0" in value]  # SQLite ends JSON's text there
    return or_(of.in_(select(each.c.value)), *([of.in_(cut_by_json)] if cut_by_json else []))


def has_arrays(connection: Connection) -> bool:
    """Whether the database takes the arrays that `rows_as_table` makes."""
    return connection.dialect.name == "postgresql"


def rows_as_table(columns: Sequence[Column[Any]], rows: Iterable[tuple[object, ...]]) -> TableValuedAlias:
    """Rows to select from, under the names of these columns; there must be at least one row."""
    arrays = [
        literal(list(values), ARRAY(column.type))
        for column, values in zip(columns, zip(*rows), strict=True)  # noqa: B905
    ]
    return func.unnest(*arrays).table_valued(*(column.name for column in columns)).render_derived()
