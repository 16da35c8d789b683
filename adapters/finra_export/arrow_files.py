"""Tables as Arrow, in Parquet and in Arrow IPC files."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.history.tables import Column, Kind, Table

SHARES = pa.decimal128(28, 6)
_PLAIN = {
    Kind.NUMBER: pa.int64(),
    Kind.FRACTION: pa.float64(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    Kind.FLAG: pa.bool_(),
    Kind.TEXT: pa.string(),
}


def write_parquet(path: Path, table: Table) -> None:
    """Write a table to a new file."""
    with path.open("xb") as file:
        pq.write_table(arrow_table(table), file, compression="zstd")


def write_arrow(path: Path, table: Table) -> None:
    """Write a table to a new file in Arrow's IPC file format."""
    made = arrow_table(table)
    with path.open("xb") as file, pa.ipc.new_file(file, made.schema) as writer:
        writer.write_table(made)


def arrow_table(table: Table) -> pa.Table:
    """The same table. SHARES are decimal128(28, 6), DAY date32, INSTANT microseconds in UTC, NAME a dictionary."""
    return pa.table({column.name: _array(column) for column in table.columns})


def _array(column: Column) -> pa.Array:
    values: Any = column.values
    if column.kind is Kind.NAME:
        return _names(values)
    if column.kind is Kind.DAY:
        return _days(values)
    if column.kind is Kind.SHARES:
        return _shares(values)
    return pa.array(values, _PLAIN[column.kind])


def _names(values: DictionaryColumn[str | None]) -> pa.Array:
    """None has no place in Arrow's dictionary: it is a null among the codes."""
    known = [value for value in values.values if value is not None]
    places = {value: place for place, value in enumerate(known)}
    codes = [None if value is None else places[value] for value in values.values]
    indices = pa.array([codes[code] for code in values.codes], pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(known, pa.string()))


def _days(values: DictionaryColumn[str | None]) -> pa.Array:
    days = [None if text is None else date.fromisoformat(text) for text in values.values]
    return pa.array(days, pa.date32()).take(pa.array(values.codes, pa.int32()))


def _shares(micros: Sequence[int | None]) -> pa.Array:
    """Millionths are what a decimal with 6 places holds: 16 bytes, least significant first, in two's complement."""
    numbers = array("q", (value or 0 for value in micros))
    if any(value is None for value in micros):
        valid = pa.array([value is not None for value in micros], pa.bool_()).buffers()[1]
    else:
        valid = None
    words = array("q", bytes(16 * len(numbers)))
    words[0::2] = numbers
    words[1::2] = array("q", (-1 if value < 0 else 0 for value in numbers))
    return pa.Array.from_buffers(SHARES, len(numbers), [valid, pa.py_buffer(words)])
