"""What a capture's records cover: how many rows, venues and symbols, and how much volume, in each half of its tier."""

from __future__ import annotations

from itertools import compress

from attrs import frozen

from finra_core.domain.records import Records, half_of, venue_identity
from finra_core.domain.tiers import Half


@frozen(kw_only=True)
class HalfCoverage:
    """One half of a tier as a capture has it.

    venues: ATSs or firms; FINRA's aggregates of firms are not counted. shares_micros: millionths of a share.
    """

    half: Half
    rows: int
    venues: int
    symbols: int
    shares_micros: int


def coverage_of(records: Records) -> tuple[HalfCoverage, ...]:
    """What these records cover, ATS half first. A half without rows has zeros."""
    halves = [half_of(venue.venue_type) for venue in records.venues.values]
    return tuple(_coverage(records, half, [own is half for own in halves]) for half in Half)


def _coverage(records: Records, half: Half, own_venues: list[bool]) -> HalfCoverage:
    """own_venues: which of the records' distinct venues report in this half."""
    own = list(map(own_venues.__getitem__, records.venues.codes))
    securities = set(compress(records.securities.codes, own))
    venues = {venue_identity(venue) for venue in compress(records.venues.values, own_venues) if venue.is_one}
    return HalfCoverage(
        half=half,
        rows=sum(own),
        venues=len(venues),
        symbols=len({records.securities.values[security].symbol for security in securities}),
        shares_micros=sum(compress(records.shares_micros, own)),
    )
