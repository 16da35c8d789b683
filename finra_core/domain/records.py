"""Records: what a partition's rows say, checked and exact, in columns.

A partition's records are its *_SMBL_FIRM rows: one for each security and venue. The *_SMBL rows are the same volume,
summed by FINRA over the venues. Where a payload has them, they are its control totals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, compress
from typing import NamedTuple

from attrs import frozen

from finra_core.domain.dictionary_column import DictionaryColumn, DictionaryEncoder
from finra_core.domain.tiers import Half, VenueType

MICROS = 1_000_000
"""Shares are counted in millionths: FINRA publishes up to 6 decimals since the week of 2026-02-23."""

MAX_INTEGER = 2**63 - 1
"""The most that databases hold of shares, in millionths, and of trades."""

# As plain text: the hash of an enum's member is computed in Python, and that for each row.
_ATS, _NON_ATS, _DE_MINIMIS = VenueType.ATS.value, VenueType.NON_ATS.value, VenueType.DE_MINIMIS.value
NO_CRD = frozenset({"", "0"})
"""What FINRA writes where a row has no CRD number: null in its weekly data, 0 in its monthly data."""


class Security(NamedTuple):
    """What was traded; empty text where FINRA gives none. Never case-folded: TPC is not TpC."""

    symbol: str
    issue_name: str
    product_type: str


class Venue(NamedTuple):
    """Who reported the volume; empty text where FINRA gives none. venue_type: a `VenueType`'s value."""

    venue_type: str
    mpid: str
    crd: str
    name: str

    @property
    def is_one(self) -> bool:
        """Whether it is one venue, not FINRA's aggregate of many firms."""
        return self.venue_type != _DE_MINIMIS


class Record(NamedTuple):
    """One row: micro-shares, whole trades, and FINRA's lastUpdateDate as ISO 8601 text."""

    security: Security
    venue: Venue
    shares_micros: int
    trades: int
    last_update_date: str


def venue_identity(venue: Venue) -> Venue:
    """What identifies a venue: all but its name, which FINRA changes at will. An aggregate has a name alone."""
    return venue if venue.venue_type == _DE_MINIMIS else Venue(venue.venue_type, venue.mpid, venue.crd, "")


def canonical_venue(venue: Venue) -> Venue:
    """The venue as it is stored: a non-ATS row with a name and no CRD number, or CRD 0, is an aggregate of firms."""
    is_aggregate = venue.venue_type == _NON_ATS and venue.crd in NO_CRD and venue.name
    return venue._replace(venue_type=_DE_MINIMIS, crd="") if is_aggregate else venue


def half_of(venue_type: str) -> Half:
    """The half of the tier that a venue type's volume is published in."""
    return Half.ATS if venue_type == _ATS else Half.NON_ATS


@frozen(eq=False)
class Records:
    """The records of one partition as columns of equal length. Element i of each column belongs to record i.

    shares_micros: millionths of a share. trades: whole. last_update_dates: ISO 8601 dates.
    A record's key is its security and its `venue_identity`.
    """

    securities: DictionaryColumn[Security]
    venues: DictionaryColumn[Venue]
    shares_micros: Sequence[int]
    trades: Sequence[int]
    last_update_dates: DictionaryColumn[str]

    @classmethod
    def of(cls, rows: Iterable[Record]) -> Records:
        """These records, in their order."""
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
        securities, venues, shares_micros, trades, last_update_dates = columns
        return cls(
            DictionaryColumn.of(securities),
            DictionaryColumn.of(venues),
            shares_micros,
            trades,
            DictionaryColumn.of(last_update_dates),
        )

    def __len__(self) -> int:
        return len(self.shares_micros)

    @classmethod
    def joined(cls, parts: Sequence[Records]) -> Records:
        """The records of several captures, one after the other."""
        return cls(
            DictionaryColumn.joined(part.securities for part in parts),
            DictionaryColumn.joined(part.venues for part in parts),
            list(chain.from_iterable(part.shares_micros for part in parts)),
            list(chain.from_iterable(part.trades for part in parts)),
            DictionaryColumn.joined(part.last_update_dates for part in parts),
        )

    def rows(self) -> Iterator[Record]:
        """The records one by one, in their order. Easy to read, and far slower than the columns."""
        columns = (self.securities, self.venues, self.shares_micros, self.trades, self.last_update_dates)
        return map(Record._make, zip(*columns, strict=True))

    def without(self, indices: Collection[int]) -> Records:
        """The other records, in their order."""
        if not indices:
            return self
        keep = [True] * len(self)
        for i in indices:
            keep[i] = False
        return Records(
            self.securities.only(keep),
            self.venues.only(keep),
            list(compress(self.shares_micros, keep)),
            list(compress(self.trades, keep)),
            self.last_update_dates.only(keep),
        )


def are_same(one: Records, other: Records) -> bool:
    """Whether both have the same records, in whatever order. As columns: a tenth of the time that rows would take."""
    if len(one) != len(other):
        return False
    securities, venues = DictionaryEncoder[Security](), DictionaryEncoder[Venue]()
    securities.encode(one.securities.values)
    venues.encode(one.venues.values)
    known = len(securities), len(venues)
    columns = [_ordered(each, securities, venues) for each in (one, other)]
    return (len(securities), len(venues)) == known and columns[0] == columns[1]


def _ordered(
    records: Records, securities: DictionaryEncoder[Security], venues: DictionaryEncoder[Venue]
) -> list[list[int] | list[str]]:
    """The columns in the order of these numbers; securities and venues as one number."""
    of_security, of_venue = securities.encode(records.securities.values), venues.encode(records.venues.values)
    width = len(venues)
    codes = zip(records.securities.codes, records.venues.codes, strict=True)
    places = [of_security[security] * width + of_venue[venue] for security, venue in codes]
    order = sorted(range(len(places)), key=places.__getitem__)
    dates = list(records.last_update_dates)
    return [
        list(map(places.__getitem__, order)),
        list(map(records.shares_micros.__getitem__, order)),
        list(map(records.trades.__getitem__, order)),
        list(map(dates.__getitem__, order)),
    ]


def format_shares(micros: int) -> str:
    """Millionths of a share as decimal text without trailing zeros: 1500000 is 1.5, and -1500000 is -1.5."""
    whole, fraction = divmod(abs(micros), MICROS)
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole}.{fraction:06d}".rstrip("0") if fraction else f"{sign}{whole}"
