"""What a capture's records cover: how many rows, venues and symbols, and how much volume, in each half of its tier."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from finra_core.domain.records import Records, half_of, venue_identity
from finra_core.domain.sums import Sums, VenueSums, sums_of
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
    return coverage_by(sums_of(records))


def coverage_by(sums: Sums) -> tuple[HalfCoverage, ...]:
    """What records with these sums cover."""
    return tuple(_coverage(half, _of_half(sums, half)) for half in Half)


def _of_half(sums: Sums, half: Half) -> list[VenueSums]:
    return [own for own in sums.venues if half_of(own.venue.venue_type) is half]


def _coverage(half: Half, own: Sequence[VenueSums]) -> HalfCoverage:
    return HalfCoverage(
        half=half,
        rows=sum(each.rows for each in own),
        venues=len({venue_identity(each.venue) for each in own if each.venue.is_one}),
        symbols=len(set[int]().union(*(each.symbols for each in own))),
        shares_micros=sum(each.shares_micros for each in own),
    )
