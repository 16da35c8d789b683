"""What a capture's records cover: how many rows, venues and symbols, and how much volume, in each half of its tier."""

from __future__ import annotations

from attrs import frozen

from finra_core.domain.records import Records, half_of, venue_identity
from finra_core.domain.tiers import Half


@frozen(kw_only=True)
class HalfCoverage:
    """One half of a tier as a capture has it.

    venues: ATSs or firms; FINRA's aggregates of firms are no venues. shares_micros: millionths of a share.
    """

    half: Half
    rows: int
    venues: int
    symbols: int
    shares_micros: int


def coverage_of(records: Records) -> tuple[HalfCoverage, ...]:
    """What these records cover, ATS half first; a half without rows counts zeros."""
    halves = [half_of(venue.venue_type) for venue in records.venues.values]
    rows, shares = dict.fromkeys(Half, 0), dict.fromkeys(Half, 0)
    symbols: dict[Half, set[str]] = {half: set() for half in Half}
    seen: dict[Half, set[int]] = {half: set() for half in Half}
    for security, venue, micros in zip(
        records.securities.codes, records.venues.codes, records.shares_micros, strict=True
    ):
        half = halves[venue]
        rows[half] += 1
        shares[half] += micros
        seen[half].add(security)
    for half, codes in seen.items():
        symbols[half] = {records.securities.values[code].symbol for code in codes}
    venues = {
        half: {
            venue_identity(v) for v, own in zip(records.venues.values, halves, strict=True) if own is half and v.is_one
        }
        for half in Half
    }
    return tuple(
        HalfCoverage(
            half=half,
            rows=rows[half],
            venues=len(venues[half]),
            symbols=len(symbols[half]),
            shares_micros=shares[half],
        )
        for half in Half
    )
