"""From FINRA's rows to records: each row becomes a record, a control total, or a reject with its reason.

Rows are gathered batch by batch as dictionary columns. Then venues, dates and keys are checked once for each distinct
value, not once for each row.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import repeat
from operator import itemgetter
from typing import NamedTuple

from attrs import Factory, define, frozen

from finra_core.domain.dictionary_column import DictionaryColumn, DictionaryEncoder, V
from finra_core.domain.errors import ControlTotalError, SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import (
    MAX_INTEGER,
    MICROS,
    NO_CRD,
    Records,
    Security,
    Venue,
    canonical_venue,
    format_shares,
    half_of,
    venue_identity,
)
from finra_core.domain.tiers import TIERS, Half, VenueType
from finra_core.weekly_summary.delimited import Reject, Table, read_lines, read_tables
from finra_core.weekly_summary.summary_types import (
    CONTROL_TYPES,
    FIRM_TYPES,
    SUMMARY_TYPES,
    check_identity,
    summary_types,
)

_PLAIN_DIGITS = 12
_PLAIN = 10**_PLAIN_DIGITS
"""A whole number below this is within bounds, whatever its scale, and need not be looked at closer."""

NOISE_BITS = 44
"""A service that adds doubles prints 32497.333333000002 for 32497.333333. A number stands for the nearest number of up
to 6 decimals if the two differ by at most 2^-44 of it. A sum of some 500 doubles can be off by so much."""

_DOUBLE_DIGITS = 17
"""No double prints more significant digits."""

_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

_SECURITY_FIELDS = ("issueSymbolIdentifier", "issueName", "productTypeCode")


@frozen(eq=False)
class ParsedContent:
    """What a payload holds. rejects: the rows that could not be used, by document and line.

    control_rows: how many rows are another cut of the volume.
    """

    records: Records
    rejects: tuple[Reject, ...]
    control_rows: int


def parse_content(documents: Sequence[bytes], partition: Partition) -> ParsedContent:
    """Read the documents of one partition.

    Bad rows are set aside with their reason. Of rows with one key, the first is kept if they agree, and none if they
    contradict each other.

    Raises:
        SourceDataError: a document is no FINRA data, holds another week or tier, or has no usable row.
        ControlTotalError: the payload's own *_SMBL totals differ from the sum over its records.
    """
    gathered = _gather(documents, partition)
    records, set_aside = _set_aside(gathered)
    rejects = tuple(sorted(gathered.rejects + set_aside, key=lambda reject: (reject.document, reject.line)))
    if not len(records):
        first = f"; the first: line {rejects[0].line}, {rejects[0].reason}" if rejects else ""
        raise SourceDataError(f"no usable row among {len(rejects):,}{first}", partition=partition)
    _check_sums(records, partition)
    _check_control_totals(records, gathered.controls, partition)
    return ParsedContent(records, rejects, gathered.control_rows)


# Gathering ----------------------------------------------------------------------------------------


_Place = tuple[int, int]
"""Document and line."""


class _ControlTotal(NamedTuple):
    """FINRA's own sum over the venues of one half."""

    half: Half
    symbol: str
    micros: int


@define(eq=False)
class _Gathered:
    """The columns of all rows of records, good and bad.

    reasons: why a row is bad, by its index. batches: where each batch begins, its document, and the lines of its rows.
    """

    documents: Sequence[bytes]
    securities: DictionaryEncoder[tuple[str, str, str]] = Factory(DictionaryEncoder)
    security_codes: list[int] = Factory(list)
    venues: DictionaryEncoder[tuple[str, str, str, str]] = Factory(DictionaryEncoder)
    venue_codes: list[int] = Factory(list)
    dates: DictionaryEncoder[str] = Factory(DictionaryEncoder)
    date_codes: list[int] = Factory(list)
    shares_micros: list[int] = Factory(list)
    trades: list[int] = Factory(list)
    reasons: dict[int, str] = Factory(dict)
    batches: list[tuple[int, int, Sequence[int]]] = Factory(list)
    rejects: list[Reject] = Factory(list)
    controls: list[_ControlTotal] = Factory(list)
    control_rows: int = 0

    def __len__(self) -> int:
        return len(self.shares_micros)

    def records(self) -> Records:
        """All rows, good and bad."""
        return Records(
            # As _make does, without a call in Python for each.
            DictionaryColumn(list(map(tuple.__new__, repeat(Security), self.securities)), self.security_codes),
            _with_aggregates(list(map(Venue._make, self.venues)), self.venue_codes),
            self.shares_micros,
            self.trades,
            DictionaryColumn(list(self.dates), self.date_codes),
        )

    def place(self, index: int) -> _Place:
        """Where a row stood."""
        start, document, lines = self.batches[bisect_right(self.batches, index, key=itemgetter(0)) - 1]
        return document, lines[index - start]


def _with_aggregates(venues: Sequence[Venue], codes: list[int]) -> DictionaryColumn[Venue]:
    """The venues as they are stored. An aggregate that FINRA writes in two ways becomes one value."""
    stored = [canonical_venue(venue) for venue in venues]
    if stored == venues:
        return DictionaryColumn(venues, codes)
    return DictionaryColumn.of(stored[code] for code in codes)


def _gather(documents: Sequence[bytes], partition: Partition) -> _Gathered:
    gathered = _Gathered(documents)
    try:
        for document, content in enumerate(documents):
            for table in read_tables(content, document):
                check_identity(table.distinct, partition)
                _add_batch(gathered, document, table, partition)
    except SourceDataError as error:
        error.partition = partition
        raise
    return gathered


def _add_batch(gathered: _Gathered, document: int, table: Table, partition: Partition) -> None:
    gathered.rejects += table.rejects
    kinds = summary_types(table)
    if not set(kinds) <= FIRM_TYPES.keys():
        gathered.controls += _control_totals(table, kinds, partition)
        gathered.control_rows += sum(kind not in FIRM_TYPES and kind in SUMMARY_TYPES for kind in kinds)
        if not set(kinds) <= SUMMARY_TYPES:
            gathered.rejects += [
                Reject(document, line, f"unknown summaryTypeCode {kind!r}", text)
                for kind, line, text in zip(kinds, table.lines, table.texts(), strict=True)
                if kind not in SUMMARY_TYPES
            ]
        table = table.only([kind in FIRM_TYPES for kind in kinds])
        kinds = [kind for kind in kinds if kind in FIRM_TYPES]
    _add_rows(gathered, document, table, kinds)


def _add_rows(gathered: _Gathered, document: int, table: Table, kinds: list[str]) -> None:
    start = len(gathered)
    gathered.batches.append((start, document, table.lines))
    venue_types = map(FIRM_TYPES.__getitem__, kinds)
    venue_fields = (table.values(name) for name in ("MPID", "firmCRDNumber", "marketParticipantName"))
    security_fields = (table.values(name) for name in _SECURITY_FIELDS)
    gathered.venue_codes += gathered.venues.encode(zip(venue_types, *venue_fields, strict=True))
    gathered.security_codes += gathered.securities.encode(zip(*security_fields, strict=True))
    gathered.date_codes += gathered.dates.encode(table.values("lastUpdateDate"))
    reasons: dict[int, str] = {}
    gathered.shares_micros += _numbers(table, "totalWeeklyShareQuantity", MICROS, reasons)
    gathered.trades += _numbers(table, "totalWeeklyTradeCount", 1, reasons)
    gathered.reasons.update((start + i, reason) for i, reason in reasons.items())


# Numbers ------------------------------------------------------------------------------------------


def _numbers(table: Table, name: str, scale: int, reasons: dict[int, str]) -> list[int]:
    """Each value of the column times `scale`, exactly. Where it is no such number: 0, and a reason."""
    column = table.values(name)
    plain = _plain_numbers(column)
    if plain is not None:
        return [value * scale for value in plain] if scale != 1 else plain
    values = []
    for i, text in enumerate(column):
        value = _scaled(text, scale)
        if value is None:
            expected = "a number of up to 6 decimals" if scale > 1 else "a whole number"
            reasons.setdefault(i, f"{name} {text[:40]!r} is not {expected}")
        values.append(value or 0)
    return values


def _plain_numbers(column: list[str]) -> list[int] | None:
    """The numbers of a column of whole numbers within `_PLAIN`; None if one is anything else."""
    joined = "".join(column)
    if not (joined.isascii() and joined.isdigit()):
        return None
    try:
        numbers = list(map(int, column))
    except ValueError:  # an empty cell, or more digits than Python converts
        return None
    return numbers if max(numbers) < _PLAIN else None


def _scaled(text: str, scale: int) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _PLAIN_DIGITS:
        return int(text) * scale
    if not _NUMBER.fullmatch(text):
        return None
    written = Decimal(text)
    numerator, denominator = written.as_integer_ratio()  # exact; a product of Decimals would round
    value, rest = divmod(numerator * scale, denominator)
    if rest:
        if len(written.normalize().as_tuple().digits) > _DOUBLE_DIGITS:
            return None
        value, rest = _without_noise(numerator * scale, denominator)
    return value if not rest and value <= MAX_INTEGER else None


def _without_noise(numerator: int, denominator: int) -> tuple[int, int]:
    """The whole number nearest to a fraction; and 0 if the difference is a double's noise, else 1."""
    nearest = (2 * numerator + denominator) // (2 * denominator)
    off = abs(numerator - nearest * denominator)
    return nearest, int(off << NOISE_BITS > numerator)


def is_noise(difference: int, value: int) -> bool:
    """Whether a sum of doubles with this value may be off by this difference. Both are in one unit."""
    return abs(difference) << NOISE_BITS <= value


# Setting aside ------------------------------------------------------------------------------------


def _set_aside(gathered: _Gathered) -> tuple[Records, list[Reject]]:
    """The good records, and the other rows with the first reason of each."""
    everything = gathered.records()
    bad = _bad_values(gathered)
    records = everything.without(bad)
    kept = [i for i in range(len(everything)) if i not in bad] if bad else range(len(everything))
    repeats = _repeats(records, lambda i: gathered.place(kept[i]))
    reasons = bad | {kept[i]: reason for i, reason in repeats.items()}
    places = {gathered.place(i): reason for i, reason in reasons.items()}
    return records.without(repeats), _rejects(gathered.documents, places)


def _rejects(documents: Sequence[bytes], reasons: dict[_Place, str]) -> list[Reject]:
    """Reads the documents again to get the rows' texts: they are hardly ever needed, and are not kept while reading."""
    lines = {number: read_lines(documents[number]) for number in {document for document, _line in reasons}}
    return [Reject(document, line, why, lines[document][line - 1]) for (document, line), why in reasons.items()]


def _bad_values(gathered: _Gathered) -> dict[int, str]:
    reasons = dict(gathered.reasons)
    _judge(gathered.dates, gathered.date_codes, _date_problem, reasons)
    _judge(map(Venue._make, gathered.venues), gathered.venue_codes, _venue_problem, reasons)
    return reasons


def _judge(
    values: Iterable[V], codes: Sequence[int], problem: Callable[[V], str | None], reasons: dict[int, str]
) -> None:
    """Give each row whose value has a problem that reason, unless it has one already."""
    bad = {code: found for code, value in enumerate(values) if (found := problem(value))}
    if bad:
        for i, code in enumerate(codes):
            if code in bad:
                reasons.setdefault(i, bad[code])


def _date_problem(text: str) -> str | None:
    return None if _is_date(text) else f"lastUpdateDate {text[:40]!r} is not a date"


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _venue_problem(venue: Venue) -> str | None:
    """What is wrong: an ATS needs an MPID, a firm a CRD number of digits, an aggregate of firms a name."""
    if venue.venue_type == VenueType.ATS and not venue.mpid:
        return "an ATS row without MPID"
    if venue.venue_type == VenueType.NON_ATS and venue.crd in NO_CRD and not venue.name:
        return "a non-ATS row without firmCRDNumber and marketParticipantName"
    if venue.crd and not (venue.crd.isascii() and venue.crd.isdigit()):
        return f"firmCRDNumber {venue.crd[:40]!r} is not a number"
    return None


def _repeats(records: Records, place: Callable[[int], _Place]) -> dict[int, str]:
    """The rows that repeat or contradict another row with their key, and why."""
    venue_keys = DictionaryColumn.of(map(venue_identity, records.venues.values))
    width = len(venue_keys)
    pairs = zip(records.securities.codes, records.venues.codes, strict=True)
    keys = [security * width + venue_keys.codes[venue] for security, venue in pairs]
    if len(set(keys)) == len(keys):
        return {}
    rows = list(records.rows())
    same_key: dict[int, list[int]] = {}
    for i, key in enumerate(keys):
        same_key.setdefault(key, []).append(i)
    reasons: dict[int, str] = {}
    for same in same_key.values():
        if len(same) > 1:
            agree = len({rows[i] for i in same}) == 1
            reasons.update(_repeated(same, place) if agree else _contradicting(same, place))
    return reasons


def _repeated(same: list[int], place: Callable[[int], _Place]) -> dict[int, str]:
    first = place(same[0])
    return {i: f"repeats {_named([first], place(i)[0])}" for i in same[1:]}


def _contradicting(same: list[int], place: Callable[[int], _Place]) -> dict[int, str]:
    places = [place(i) for i in same]
    named = _named(places, places[0][0])
    return dict.fromkeys(same, f"duplicate key: {named} have one key and different values")


def _named(lines: list[tuple[int, int]], here: int) -> str:
    """Lines, given as (document, line), in words for a reader of the document `here`."""
    if any(document != here for document, _line in lines):
        return ", ".join(f"line {line} of document {document}" for document, line in lines)
    numbers = ", ".join(str(line) for _document, line in lines)
    return f"line {numbers}" if len(lines) == 1 else f"lines {numbers}"


# Sums ---------------------------------------------------------------------------------------------


def _check_sums(records: Records, partition: Partition) -> None:
    """Check that sums fit: databases add in 64 bits, and a week is the sum of three tiers."""
    for name, column in (("shares", records.shares_micros), ("trades", records.trades)):
        if sum(column) > MAX_INTEGER // len(TIERS):
            raise SourceDataError(f"the sum of all {name} is out of range: {sum(column):,}", partition=partition)


def _control_totals(table: Table, kinds: list[str], partition: Partition) -> list[_ControlTotal]:
    """The control totals in the *_SMBL rows."""
    controls = table.only([kind in CONTROL_TYPES for kind in kinds])
    if not len(controls):
        return []
    reasons: dict[int, str] = {}
    shares = _numbers(controls, "totalWeeklyShareQuantity", MICROS, reasons)
    if reasons:
        raise ControlTotalError(f"unreadable control total: {next(iter(reasons.values()))}", partition=partition)
    halves = [CONTROL_TYPES[kind] for kind in kinds if kind in CONTROL_TYPES]
    return list(map(_ControlTotal, halves, controls.values("issueSymbolIdentifier"), shares))


def _check_control_totals(records: Records, controls: list[_ControlTotal], partition: Partition) -> None:
    """Compare them by half and symbol. A half without control totals is not checked."""
    if not controls:
        return
    expected: dict[Half, Counter[str]] = {}
    for total in controls:
        expected.setdefault(total.half, Counter())[total.symbol] += total.micros
    actual = _sums_per_symbol(records)
    wrong = [
        (half, symbol)
        for half, totals in sorted(expected.items())
        for symbol in sorted(totals.keys() | actual[half].keys())
        if not is_noise(totals[symbol] - actual[half][symbol], actual[half][symbol])
    ]
    if wrong:
        half, symbol = wrong[0]
        raise ControlTotalError(
            f"control totals differ for {len(wrong):,} symbols; {half} {symbol!r}: the venues sum to "
            f"{format_shares(actual[half][symbol])} shares, FINRA's total is {format_shares(expected[half][symbol])}",
            partition=partition,
        )


def _sums_per_symbol(records: Records) -> dict[Half, Counter[str]]:
    """Micro-shares by half and symbol."""
    per_security = {half: [0] * len(records.securities.values) for half in Half}
    sums = [per_security[half_of(venue.venue_type)] for venue in records.venues.values]
    columns = zip(records.securities.codes, records.venues.codes, records.shares_micros, strict=True)
    for security_code, venue_code, micros in columns:
        sums[venue_code][security_code] += micros
    per_symbol: dict[Half, Counter[str]] = {half: Counter() for half in Half}
    for half, of_securities in per_security.items():
        for security, micros in zip(records.securities.values, of_securities, strict=True):
            per_symbol[half][security.symbol] += micros
    return per_symbol
