"""Venue volumes, venue shares, the Herfindahl-Hirschman index and weekly totals. Exact until the last division."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from attrs import frozen

from finra_core.domain.captures import Capture, generate_capture_id
from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.domain.partitions import DOMAIN
from finra_core.domain.records import Records, VenueKey, venue_identity
from finra_core.domain.tiers import ALL_TIERS

CALC_VERSION = 1
"""Grows when a calculation changes its meaning: weeks analyzed with an older one are analyzed again."""


@frozen
class VenueVolume:
    """A venue's volume: micro-shares, trades, and how many symbols it traded. crd and mpid are empty where absent."""

    venue_type: str
    mpid: str
    crd: str
    venue_name: str
    shares_micros: int
    trades: int
    symbols: int


@frozen
class Volumes:
    """The volume of one or more captures, by venue; `symbols` counts each symbol once over all venues."""

    venues: tuple[VenueVolume, ...]
    symbols: int


@frozen(kw_only=True)
class Analysis:
    """The analytics of one week and tier, or of all tiers.

    inputs: numbers of the captures that it rests on, in tier order. venue_shares: fraction of
    shares_micros per venue, in the order of `volumes.venues`, None where nothing was traded.
    hhi: sum of squared fractions, on 0..1, None where nothing was traded.
    """

    capture_id: str
    week_ending: date
    tier: str
    inputs: tuple[int, ...]
    calc_version: int
    computed_at: datetime
    volumes: Volumes
    venue_shares: tuple[float | None, ...]
    shares_micros: int
    trades: int
    hhi: float | None


def volumes_of(records: Records) -> Volumes:
    """Volumes by venue type, MPID and CRD number, in this order; of several names a venue bears the least."""
    venues, symbols = records.venues, DictionaryColumn.of(security[0] for security in records.securities.values)
    shares_micros, trades = [0] * len(venues.values), [0] * len(venues.values)
    columns = zip(venues.codes, records.shares_micros, records.trades, strict=True)
    for venue, micros, count in columns:
        shares_micros[venue] += micros
        trades[venue] += count
    traded: list[set[int]] = [set() for _ in venues.values]
    for security, venue in zip(records.securities.codes, venues.codes, strict=True):
        traded[venue].add(symbols.codes[security])
    names = DictionaryColumn.of(map(venue_identity, venues.values))
    same_venue = [[i for i, code in enumerate(names.codes) if code == name] for name in range(len(names.values))]
    found = [
        VenueVolume(
            *key[:3],
            venue_name=min(venues.values[i][3] for i in same),
            shares_micros=sum(shares_micros[i] for i in same),
            trades=sum(trades[i] for i in same),
            symbols=len(set().union(*(traded[i] for i in same))),
        )
        for key, same in zip(names.values, same_venue, strict=True)
    ]
    return Volumes(tuple(sorted(found, key=_identity)), len(symbols.values))


def _identity(venue: VenueVolume) -> VenueKey:
    return venue_identity((venue.venue_type, venue.mpid, venue.crd, venue.venue_name))


def add_volumes(parts: Sequence[Volumes]) -> Volumes:
    """The volume together of captures that have no symbol in common: `volumes_of` all their records."""
    by_venue: dict[VenueKey, list[VenueVolume]] = {}
    for part in parts:
        for venue in part.venues:
            by_venue.setdefault(_identity(venue), []).append(venue)
    venues = [
        VenueVolume(
            *key[:3],
            venue_name=min(venue.venue_name for venue in same),
            shares_micros=sum(venue.shares_micros for venue in same),
            trades=sum(venue.trades for venue in same),
            symbols=sum(venue.symbols for venue in same),
        )
        for key, same in sorted(by_venue.items())
    ]
    return Volumes(tuple(venues), sum(part.symbols for part in parts))


def analyze(captures: Sequence[Capture], volumes: Volumes, run_date: date, at: datetime) -> Analysis:
    """Analytics of one capture, or across tiers of one capture per tier of the same week."""
    first = captures[0].partition
    across = len(captures) > 1
    capture_id = (
        generate_capture_id(DOMAIN, first.week_ending, ALL_TIERS, run_date) if across else captures[0].capture_id
    )
    total = sum(venue.shares_micros for venue in volumes.venues)
    return Analysis(
        capture_id=capture_id,
        week_ending=first.week_ending,
        tier=ALL_TIERS if across else first.tier.value,
        inputs=tuple(capture.number for capture in captures),
        calc_version=CALC_VERSION,
        computed_at=at,
        volumes=volumes,
        venue_shares=tuple(_fraction(venue.shares_micros, total) for venue in volumes.venues),
        shares_micros=total,
        trades=sum(venue.trades for venue in volumes.venues),
        hhi=_fraction(sum(venue.shares_micros**2 for venue in volumes.venues), total**2),
    )


def _fraction(part: int, whole: int) -> float | None:
    """Python divides integers of any size to the nearest double, so every store gets the same digits."""
    return part / whole if whole else None
