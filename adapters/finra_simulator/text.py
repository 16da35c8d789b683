"""Rows as delimited text, in the forms in which FINRA gives it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import itemgetter

from finra_simulator.rows import FIELDS, MICROS, Row, plain_decimal

DOCUMENT_FIELDS = (
    "weekStartDate",
    "tierIdentifier",
    "summaryTypeCode",
    "issueSymbolIdentifier",
    "issueName",
    "marketParticipantName",
    "MPID",
    "firmCRDNumber",
    "productTypeCode",
    "totalWeeklyShareQuantity",
    "totalWeeklyTradeCount",
    "lastUpdateDate",
)
"""The columns of the one document in which a source of the API's data hands over a partition."""

_INTEGER_NOTIONAL_UNTIL = date(2025, 3, 3)
_E_NOTATION_FROM = 10_000_000 * MICROS


def notional(micros: int, week_start: date) -> str:
    """Whole US dollars up to the week of 2025-03-03, then as Java writes a double: 9.763054589653116E9."""
    if week_start <= _INTEGER_NOTIONAL_UNTIL:
        return str(micros // MICROS)
    if micros < _E_NOTATION_FROM:
        return f"{micros // MICROS}.{f'{micros % MICROS:06d}'.rstrip('0') or '0'}"
    digits = str(micros)
    return f"{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 7}"


def noisy_decimal(micros: int) -> str:
    """Millionths as a service prints them that has added doubles: 32497.333333000002 for 32497333333."""
    parts = (micros // 3, micros // 7, micros - micros // 3 - micros // 7)
    text = repr(sum(part / MICROS for part in parts))
    return text if micros % MICROS and "e" not in text else plain_decimal(micros)


def shares_text(*, noise: bool) -> Callable[[int], str]:
    """How millionths of a share are printed."""
    return noisy_decimal if noise else plain_decimal


def delimited(
    rows: Sequence[Row], fields: Sequence[str], delimiter: str = "|", *, quote: bool = False, noise: bool = False
) -> bytes:
    """A header line and a line a row, each ended by LF.

    quote: put quotes around all values that are not empty. noise: print shares as sums of doubles.
    """
    columns = [_column(name, rows, noise=noise) for name in fields]
    if quote:
        columns = [list(map(quoted, column)) for column in columns]
        fields = list(map(quoted, fields))
    lines = [delimiter.join(fields), *map(delimiter.join, zip(*columns, strict=True)), ""]
    return "\n".join(lines).encode()


def quoted(cell: str) -> str:
    """A value in quotes, with its own quotes doubled; an empty one stays empty."""
    doubled = cell.replace('"', '""')
    return f'"{doubled}"' if cell else ""


def _column(name: str, rows: Sequence[Row], *, noise: bool) -> list[str]:
    """One field's values as text; what is null is empty."""
    if name == "totalWeeklyShareQuantity":
        return list(map(shares_text(noise=noise), (row.shares_micros for row in rows)))
    if name == "totalNotionalSum":
        return [notional(row.notional_micros, row.week_start_date) for row in rows]
    return ["" if value is None else str(value) for value in map(itemgetter(FIELDS.index(name)), rows)]
