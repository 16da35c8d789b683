"""Rows as delimited text, in the forms in which FINRA gives it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

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
        return f"{micros // MICROS}.{(f'{micros % MICROS:06d}').rstrip('0') or '0'}"
    digits = str(micros)
    return f"{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 7}"


def _text(place: int) -> Callable[[Row], str]:
    return lambda row: "" if row[place] is None else str(row[place])


VALUES: dict[str, Callable[[Row], str]] = {
    **{name: _text(place) for place, name in enumerate(FIELDS)},
    "totalWeeklyShareQuantity": lambda row: plain_decimal(row.shares_micros),
    "totalNotionalSum": lambda row: notional(row.notional_micros, row.week_start_date),
}
"""How the value of each field is written; what is null is empty."""


def delimited(rows: Iterable[Row], fields: Sequence[str], delimiter: str = "|", *, quote: bool = False) -> bytes:
    """A header line and a line a row, each ended by LF. `quote` puts quotes around all values that are not empty."""
    values = [VALUES[name] for name in fields]
    cells = ([value(row) for value in values] for row in rows)
    if quote:
        cells = ([f'"{cell}"' if cell else "" for cell in line] for line in cells)
        fields = [f'"{name}"' for name in fields]
    lines = map(delimiter.join, cells)
    return "".join(f"{line}\n" for line in (delimiter.join(fields), *lines)).encode()
