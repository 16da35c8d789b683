"""Tables as CSV: UTF-8, a header line, exact decimals, instants in ISO 8601 with Z. A null is an empty field."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from finra_core.domain.records import format_shares
from finra_core.domain.timestamps import utc_text
from finra_core.history.tables import Column, Kind, Table


def write_csv(path: Path, table: Table) -> None:
    """Write a table to a new file."""
    with path.open("x", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([column.name for column in table.columns])
        lines.writerows(zip(*map(_texts, table.columns), strict=True))


def _texts(column: Column) -> Iterable[Any]:
    text = _TEXTS.get(column.kind)
    return column.values if text is None else ("" if value is None else text(value) for value in column.values)


def _shares(micros: int) -> str:
    return f"-{format_shares(-micros)}" if micros < 0 else format_shares(micros)


_TEXTS: dict[Kind, Callable[[Any], str]] = {
    Kind.SHARES: _shares,
    Kind.FRACTION: repr,
    Kind.INSTANT: utc_text,
    Kind.FLAG: lambda flag: "true" if flag else "false",
}
