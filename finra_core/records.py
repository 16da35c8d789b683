"""From FINRA's rows to records: checked, exact, in columns.

A partition's records are its *_SMBL_FIRM rows: one per security and venue. The *_SMBL rows are the
same volume summed by FINRA over the venues; where a payload has them they are its control totals.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, repeat

from attrs import frozen

from finra_core.errors import ControlTotalError, SourceDataError
from finra_core.partitions import Partition
from finra_core.tables import Reject, Table, read_table
from finra_core.tiers import TIERS, VenueType

MICROS = 1_000_000
"""Shares are counted in millionths: FINRA publishes up to 6 decimals since the week of 2026-02-23."""

MAX_INTEGER = 2**63 - 1

_PLAIN_DIGITS = 12
"""So many digits are an integer within bounds, whatever their scale: no need to look closer."""

# As plain text: an enum's members hash in Python, once a row.
_ATS, _NON_ATS = VenueType.ATS.value, VenueType.NON_ATS.value
_FIRM_TYPES = {"ATS_W_SMBL_FIRM": _ATS, "OTC_W_SMBL_FIRM": _NON_ATS}
_CONTROL_TYPES = {"ATS_W_SMBL": _ATS, "OTC_W_SMBL": _NON_ATS}
_OTHER_CUTS = frozenset({"ATS_W_FIRM", "OTC_W_FIRM", "ATS_W_VOL_STATS", "OTC_W_VOL_STATS"})
SUMMARY_TYPES = frozenset({*_FIRM_TYPES, *_CONTROL_TYPES, *_OTHER_CUTS})
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

SecurityKey = tuple[str, str, str]
"""(symbol, issue name, product type); empty text where FINRA gives none. Never case-folded: TPC is not TpC."""
VenueKey = tuple[str, str, str, str]
"""(venue type, MPID, CRD number, venue name); empty text where FINRA gives none."""


@frozen(eq=False)
class Records:
    """The records of one partition as columns of equal length; element i of each makes record i.

    shares_micros: millionths of a share. trades: whole. last_update_dates: ISO 8601 dates.
    A record's key is its security and its venue without the venue's name.
    """

    securities: list[SecurityKey]
    venues: list[VenueKey]
    shares_micros: list[int]
    trades: list[int]
    last_update_dates: list[str]

    def __len__(self) -> int:
        return len(self.shares_micros)

    def rows(self) -> Iterable[tuple[SecurityKey, VenueKey, int, int, str]]:
        """The records one by one, in their order."""
        return zip(self.securities, self.venues, self.shares_micros, self.trades, self.last_update_dates, strict=True)


@frozen(eq=False)
class ParsedContent:
    """What a payload holds: the records, the rows that could not be used, and the rows that are other cuts."""

    records: Records
    rejects: tuple[Reject, ...]
    control_rows: int


def parse_content(documents: Sequence[bytes], partition: Partition) -> ParsedContent:
    """Read the documents of one partition.

    Bad rows are set aside with their reason. Of rows with equal keys the first is kept when they
    agree, none when they contradict each other.

    Raises:
        SourceDataError: a document is no FINRA data, holds another week or tier, or has no usable row.
        ControlTotalError: the payload's own *_SMBL totals differ from the sum over its records.
    """
    parts = [_parse_document(content, partition, i) for i, content in enumerate(documents)]
    rejects = [reject for part in parts for reject in part.rejects]
    rows = _concatenate([part.rows for part in parts])
    rows, repeated = _without_repeats(rows)
    rejects += repeated
    if not len(rows.records):
        first = f"; the first: line {rejects[0].line}, {rejects[0].reason}" if rejects else ""
        raise SourceDataError(f"no usable row among {len(rejects):,}{first}", partition=partition)
    _check_sums(rows.records, partition)
    _check_control_totals(rows.records, list(chain.from_iterable(part.controls for part in parts)), partition)
    return ParsedContent(rows.records, tuple(rejects), sum(part.control_rows for part in parts))


def _check_sums(records: Records, partition: Partition) -> None:
    """Databases add in 64 bits, and a week is the sum of three tiers."""
    for name, column in (("shares", records.shares_micros), ("trades", records.trades)):
        if sum(column) > MAX_INTEGER // len(TIERS):
            raise SourceDataError(f"the sum of all {name} is out of range: {sum(column):,}", partition=partition)


def check_identity(table: Table, partition: Partition) -> None:
    """Check that every row says the partition's tier and week, as far as the document says any.

    Raises:
        SourceDataError: a row says another.
    """
    expected = {
        "tierDescription": partition.tier.finra_description,
        "tierIdentifier": partition.tier.finra_code,
        "weekStartDate": partition.week_start.isoformat(),
    }
    for name, value in expected.items():
        others = set(table.columns.get(name, ())) - {value}
        if others:
            raise SourceDataError(f"{name} is {min(others)!r} where {value!r} is asked for", partition=partition)


def format_shares(micros: int) -> str:
    """Millionths of a share as decimal text without trailing zeros: 1500000 is 1.5."""
    whole, fraction = divmod(micros, MICROS)
    return f"{whole}.{fraction:06d}".rstrip("0") if fraction else str(whole)


@frozen(eq=False)
class _Rows:
    """Records with where each stood, so that a later check can still name the line."""

    records: Records
    origins: list[tuple[int, int, str]]


@frozen(eq=False)
class _Part:
    rows: _Rows
    rejects: list[Reject]
    controls: list[tuple[str, str, int]]
    control_rows: int


def _parse_document(content: bytes, partition: Partition, document: int) -> _Part:
    try:
        table = read_table(content, document)
    except SourceDataError as error:
        error.partition = partition
        raise
    check_identity(table, partition)
    kinds = summary_types(table)
    firm_table, firm_kinds = table, kinds
    controls: list[tuple[str, str, int]] = []
    other_rows = 0
    unknown: list[Reject] = []
    if not set(kinds) <= set(_FIRM_TYPES):
        is_firm = [kind in _FIRM_TYPES for kind in kinds]
        firm_table = table.only(is_firm)
        firm_kinds = [kind for kind in kinds if kind in _FIRM_TYPES]
        controls = _control_totals(table, kinds, partition)
        other_rows = sum(kind in _CONTROL_TYPES or kind in _OTHER_CUTS for kind in kinds)
        unknown = [
            Reject(document, line, f"unknown summaryTypeCode {kind!r}", text)
            for kind, line, text in zip(kinds, table.lines, table.texts, strict=True)
            if kind not in SUMMARY_TYPES
        ]
    rows, bad = _convert(firm_table, [_FIRM_TYPES[kind] for kind in firm_kinds], document)
    return _Part(rows, table.rejects + unknown + bad, controls, other_rows)


def summary_types(table: Table) -> list[str]:
    """Each row's summaryTypeCode: downloads have no such column, but only one of MPID and CRD number."""
    if "summaryTypeCode" in table.columns:
        return table.columns["summaryTypeCode"]
    if "firmCRDNumber" not in table.columns:
        return ["ATS_W_SMBL_FIRM"] * len(table)
    return ["ATS_W_SMBL_FIRM" if mpid else "OTC_W_SMBL_FIRM" for mpid in table.values("MPID")]


def _convert(table: Table, kinds: list[str], document: int) -> tuple[_Rows, list[Reject]]:
    """Typed columns of the good rows, and the bad rows with the first reason of each."""
    reasons: dict[int, str] = {}
    shares = _numbers(table.values("totalWeeklyShareQuantity"), MICROS, "totalWeeklyShareQuantity", reasons)
    trades = _numbers(table.values("totalWeeklyTradeCount"), 1, "totalWeeklyTradeCount", reasons)
    dates = table.values("lastUpdateDate")
    _check_dates(dates, reasons)
    mpids, crds = table.values("MPID"), table.values("firmCRDNumber")
    _check_venues(kinds, mpids, crds, reasons)
    names = table.values("marketParticipantName")
    security_fields = ("issueSymbolIdentifier", "issueName", "productTypeCode")
    securities = list(zip(*(table.values(name) for name in security_fields), strict=True))
    venues = _interned(zip(kinds, mpids, crds, names, strict=True))
    origins = list(zip(repeat(document, len(table)), table.lines, table.texts, strict=True))
    records = Records(securities, venues, shares, trades, dates)
    rejects = [Reject(*origins[i][:2], reasons[i], origins[i][2]) for i in sorted(reasons)]
    return _drop(_Rows(records, origins), reasons), rejects


def _interned(venues: Iterable[VenueKey]) -> list[VenueKey]:
    """The same tuples, one object per distinct value: a partition has tens of venues and 50,000 rows."""
    seen: dict[VenueKey, VenueKey] = {}
    return [seen.setdefault(venue, venue) for venue in venues]


def _numbers(column: list[str], scale: int, name: str, reasons: dict[int, str]) -> list[int]:
    """Each value times `scale`, exactly; 0 with a reason where it is no such number."""
    joined = "".join(column)
    if joined.isascii() and joined.isdigit() and "" not in column and max(map(len, column)) <= _PLAIN_DIGITS:
        return [value * scale for value in map(int, column)] if scale != 1 else list(map(int, column))
    values = []
    for i, text in enumerate(column):
        value = _scaled(text, scale)
        if value is None:
            expected = "a number of up to 6 decimals" if scale > 1 else "a whole number"
            reasons.setdefault(i, f"{name} {text[:40]!r} is not {expected}")
        values.append(value or 0)
    return values


def _scaled(text: str, scale: int) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _PLAIN_DIGITS:
        return int(text) * scale
    if not _NUMBER.fullmatch(text):
        return None
    numerator, denominator = Decimal(text).as_integer_ratio()  # exact, where Decimal's product would round
    value, rest = divmod(numerator * scale, denominator)
    return value if not rest and value <= MAX_INTEGER else None


def _check_dates(column: list[str], reasons: dict[int, str]) -> None:
    bad = {text for text in set(column) if not _is_date(text)}
    if bad:
        for i, text in enumerate(column):
            if text in bad:
                reasons.setdefault(i, f"lastUpdateDate {text[:40]!r} is not a date")


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _check_venues(kinds: list[str], mpids: list[str], crds: list[str], reasons: dict[int, str]) -> None:
    """An ATS is known by its MPID, a firm by its CRD number; neither may be empty, a CRD number is digits."""
    bad = {key: reason for key in set(zip(kinds, mpids, crds, strict=True)) if (reason := _venue_problem(*key))}
    if bad:
        for i, key in enumerate(zip(kinds, mpids, crds, strict=True)):
            if key in bad:
                reasons.setdefault(i, bad[key])


def _venue_problem(kind: str, mpid: str, crd: str) -> str | None:
    if kind == _ATS and not mpid:
        return "an ATS row without MPID"
    if kind == _NON_ATS and not crd:
        return "a non-ATS row without firmCRDNumber"
    if crd and not (crd.isascii() and crd.isdigit()):
        return f"firmCRDNumber {crd[:40]!r} is not a number"
    return None


def _drop(rows: _Rows, indices: Iterable[int]) -> _Rows:
    out = frozenset(indices)
    if not out:
        return rows
    keep = [i for i in range(len(rows.origins)) if i not in out]
    r = rows.records
    return _Rows(
        Records(
            [r.securities[i] for i in keep],
            [r.venues[i] for i in keep],
            [r.shares_micros[i] for i in keep],
            [r.trades[i] for i in keep],
            [r.last_update_dates[i] for i in keep],
        ),
        [rows.origins[i] for i in keep],
    )


def _concatenate(parts: list[_Rows]) -> _Rows:
    if len(parts) == 1:
        return parts[0]
    all_records = [part.records for part in parts]
    return _Rows(
        Records(
            list(chain.from_iterable(r.securities for r in all_records)),
            list(chain.from_iterable(r.venues for r in all_records)),
            list(chain.from_iterable(r.shares_micros for r in all_records)),
            list(chain.from_iterable(r.trades for r in all_records)),
            list(chain.from_iterable(r.last_update_dates for r in all_records)),
        ),
        list(chain.from_iterable(part.origins for part in parts)),
    )


def _without_repeats(rows: _Rows) -> tuple[_Rows, list[Reject]]:
    r = rows.records
    keys = [(security, venue[:3]) for security, venue in zip(r.securities, r.venues, strict=True)]
    if len(set(keys)) == len(keys):
        return rows, []
    places: dict[tuple[SecurityKey, tuple[str, str, str]], list[int]] = {}
    for i, key in enumerate(keys):
        places.setdefault(key, []).append(i)
    reasons: dict[int, str] = {}
    for same in places.values():
        if len(same) == 1:
            continue
        contents = {(r.venues[i], r.shares_micros[i], r.trades[i], r.last_update_dates[i]) for i in same}
        lines = [rows.origins[i][:2] for i in same]
        if len(contents) == 1:
            reasons.update({i: f"repeats {_named(lines[:1], rows.origins[i][0])}" for i in same[1:]})
        else:
            named = _named(lines, lines[0][0])
            reasons.update(dict.fromkeys(same, f"duplicate key: {named} have one key and different values"))
    rejects = [Reject(*rows.origins[i][:2], reasons[i], rows.origins[i][2]) for i in sorted(reasons)]
    return _drop(rows, reasons), rejects


def _named(lines: list[tuple[int, int]], here: int) -> str:
    """Lines as (document, line) in words, as seen from a row of document `here`."""
    if any(document != here for document, _line in lines):
        return ", ".join(f"line {line} of document {document}" for document, line in lines)
    numbers = ", ".join(str(line) for _document, line in lines)
    return f"line {numbers}" if len(lines) == 1 else f"lines {numbers}"


def _control_totals(table: Table, kinds: list[str], partition: Partition) -> list[tuple[str, str, int]]:
    """(venue type, symbol, micro-shares) of each *_SMBL row."""
    controls = table.only([kind in _CONTROL_TYPES for kind in kinds])
    reasons: dict[int, str] = {}
    quantities = controls.values("totalWeeklyShareQuantity")
    shares = _numbers(quantities, MICROS, "totalWeeklyShareQuantity", reasons) if quantities else []
    if reasons:
        raise ControlTotalError(f"unreadable control total: {next(iter(reasons.values()))}", partition=partition)
    venue_types = [_CONTROL_TYPES[kind] for kind in kinds if kind in _CONTROL_TYPES]
    return list(zip(venue_types, controls.values("issueSymbolIdentifier"), shares, strict=True))


def _check_control_totals(records: Records, controls: list[tuple[str, str, int]], partition: Partition) -> None:
    """Compare per venue type and symbol; venue types for which FINRA's totals were not fetched are not checked."""
    if not controls:
        return
    expected: Counter[tuple[str, str]] = Counter()
    for venue_type, symbol, micros in controls:
        expected[venue_type, symbol] += micros
    checked = {venue_type for venue_type, _symbol in expected}
    actual: Counter[tuple[str, str]] = Counter()
    for security, venue, micros in zip(records.securities, records.venues, records.shares_micros, strict=True):
        if venue[0] in checked:
            actual[venue[0], security[0]] += micros
    wrong = sorted(key for key in expected.keys() | actual.keys() if expected[key] != actual[key])
    if wrong:
        kind, symbol = wrong[0]
        raise ControlTotalError(
            f"control totals differ for {len(wrong):,} symbols; {kind} {symbol!r}: the venues sum to "
            f"{format_shares(actual[wrong[0]])} shares, FINRA's total is {format_shares(expected[wrong[0]])}",
            partition=partition,
        )
