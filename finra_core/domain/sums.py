"""What the records of each venue add up to: the one pass over them on which coverage and volumes rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from attrs import frozen

from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.domain.records import Records, Venue


@frozen
class VenueSums:
    """The records of one venue, as it is named there. symbols: those that it traded, as numbers."""

    venue: Venue
    rows: int
    shares_micros: int
    trades: int
    symbols: set[int]


@frozen
class Sums:
    """Records by venue. symbols: all their symbols; a symbol's number is its place."""

    venues: Sequence[VenueSums]
    symbols: Sequence[str]


def sums_of(records: Records) -> Sums:
    """Add up records by venue."""
    symbols = DictionaryColumn.of(map(attrgetter("symbol"), records.securities.values))
    venues = records.venues
    rows = Counter(venues.codes)
    shares_micros, trades = [0] * len(venues.values), [0] * len(venues.values)
    traded: list[set[int]] = [set() for _ in venues.values]
    columns = zip(venues.codes, records.securities.codes, records.shares_micros, records.trades, strict=True)
    for venue, security, micros, count in columns:
        shares_micros[venue] += micros
        trades[venue] += count
        traded[venue].add(symbols.codes[security])
    sums = [VenueSums(name, rows[i], shares_micros[i], trades[i], traded[i]) for i, name in enumerate(venues.values)]
    return Sums(sums, symbols.values)
