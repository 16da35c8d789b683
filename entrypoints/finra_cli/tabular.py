"""Flat tables as CSV or Parquet, batch by batch, to a file or to standard output."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import Any

from attrs import frozen

from finra_cli.streams import deliver
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.records import MICROS, format_shares
from finra_core.domain.timestamps import utc_text


class Kind(str, Enum):
    """What a column holds. SHARES are micro-shares here and exact decimals in a table; INSTANTs are UTC."""

    TEXT = "text"
    INTEGER = "integer"
    SHARES = "shares"
    FRACTION = "fraction"
    FLAG = "flag"
    DAY = "day"
    INSTANT = "instant"


@frozen
class Column:
    """A column's name and kind. Any value may be None."""

    name: str
    kind: Kind = Kind.TEXT


Batch = Sequence[Sequence[Any]]
"""Rows, each with a value for every column."""


def csv_batches(columns: Sequence[Column], batches: Iterable[Batch]) -> Iterable[str]:
    """CSV text in parts: a line of names, then the rows. None is an empty field."""
    yield _csv([[column.name for column in columns]])
    for batch in batches:
        texts = [[_TEXTS[c.kind](v) for v in values] for c, values in _by_column(columns, batch)]
        yield _csv(list(zip(*texts, strict=True)))


def write_text(parts: Iterable[str], out: str | None) -> None:
    """Write these texts to a file, whole or not at all, or to standard output.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    if out is None:
        for part in parts:
            deliver(part)
        return

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(parts)

    _replace(out, write)


def write_parquet(columns: Sequence[Column], batches: Iterable[Batch], out: str) -> None:
    """Write a Parquet file, whole or not at all. Shares are decimal128(28, 6).

    Raises:
        ConfigurationError: pyarrow is not installed, or the file cannot be written.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  an extra, and heavy: only this form needs it
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"--format parquet needs {error.name}, which is not installed: pip install 'finra-core[arrow]'"
        ) from None
    types = {
        Kind.TEXT: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.SHARES: pa.decimal128(28, 6),
        Kind.FRACTION: pa.float64(),
        Kind.FLAG: pa.bool_(),
        Kind.DAY: pa.date32(),
        Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])

    def write(path: Path) -> None:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in batches:
                arrays = [
                    pa.array([_VALUES.get(c.kind, _same)(v) for v in values], types[c.kind])
                    for c, values in _by_column(columns, batch)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

    _replace(out, write)


def _replace(out: str, write: Callable[[Path], None]) -> None:
    target = Path(out)
    new = target.parent / f"{target.name}.new"
    try:
        if target.exists() and not target.is_file():  # a pipe or a device; a folder is refused
            write(target)
            return
        try:
            write(new)
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--out {out} cannot be written: {error.strerror or error}") from None


def _by_column(columns: Sequence[Column], batch: Batch) -> Iterable[tuple[Column, Sequence[Any]]]:
    values = list(zip(*batch, strict=True)) or [()] * len(columns)
    return zip(columns, values, strict=True)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _same(value: Any) -> Any:
    return value


def _decimal(micros: int | None) -> Decimal | None:
    return None if micros is None else Decimal(micros) / MICROS


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _or_empty(text: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: "" if value is None else text(value)


_VALUES: dict[Kind, Callable[[Any], Any]] = {Kind.SHARES: _decimal, Kind.DAY: _day, Kind.TEXT: _text}
_TEXTS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _or_empty(str),
    Kind.INTEGER: _or_empty(str),
    Kind.SHARES: _or_empty(format_shares),
    Kind.FRACTION: _or_empty(repr),
    Kind.FLAG: _or_empty(lambda flag: "true" if flag else "false"),
    Kind.DAY: _or_empty(str),
    Kind.INSTANT: _or_empty(utc_text),
}
