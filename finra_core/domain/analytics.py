"""Venue volumes, venue shares, the Herfindahl-Hirschman index and weekly totals. Exact until the last division."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import NamedTuple

from attrs import frozen

from finra_core.domain.captures import Capture, generate_capture_id
from finra_core.domain.partitions import DOMAIN
from finra_core.domain.records import Records, Venue, venue_identity
from finra_core.domain.sums import Sums, VenueSums, sums_of
from finra_core.domain.tiers import ALL_TIERS, VenueType

CALC_VERSION = 1
"""Grows when a calculation changes its meaning: weeks analyzed with an older one are analyzed again."""


class AnalysisKey(NamedTuple):
    """What tells one analysis from another.

    tier: a tier's name, or ALL. inputs: numbers of the captures that it rests on, in tier order.
    """

    week_ending: date
    tier: str
    inputs: tuple[int, ...]
    calc_version: int


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

    @property
    def is_one(self) -> bool:
        """Whether it is one venue, not FINRA's aggregate of many firms."""
        return self.venue_type != VenueType.DE_MINIMIS.value


@frozen
class Volumes:
    """The volume of one or more captures, by venue; `symbols` counts each symbol once over all venues."""

    venues: tuple[VenueVolume, ...]
    symbols: int

    @property
    def venue_count(self) -> int:
        """ATSs and firms, without FINRA's aggregates of firms."""
        return sum(venue.is_one for venue in self.venues)


@frozen(kw_only=True)
class Analysis:
    """The analytics of one week and tier, or of all tiers.

    revision: the capture's; across tiers it counts from 1 within a capture_id. inputs: as in `AnalysisKey`.
    computed_at: when it was stored, never before its captures' records.
    venue_shares: each venue's fraction of shares_micros, in the order of `volumes.venues`, None where nothing was
    traded. hhi, hhi_upper: the least and the greatest that the sum of squared fractions can be, on 0..1, None where
    nothing was traded. Nobody outside FINRA knows which firms the De Minimis aggregate holds. In hhi it adds nothing,
    as many small firms would. In hhi_upper all of it belongs to the largest firm. That is possible, because FINRA forms
    the aggregate for each security. Without an aggregate the two are equal.
    """

    capture_id: str
    revision: int
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
    hhi_upper: float | None

    @property
    def key(self) -> AnalysisKey:
        """What tells it from others."""
        return AnalysisKey(self.week_ending, self.tier, self.inputs, self.calc_version)


def volumes_of(records: Records) -> Volumes:
    """Volumes, ordered by venue type, MPID and CRD number. Of several names a venue gets the alphabetically first."""
    return volumes_by(sums_of(records))


def volumes_by(sums: Sums) -> Volumes:
    """The volumes of records with these sums."""
    by_identity: dict[Venue, list[VenueSums]] = {}
    for own in sums.venues:
        by_identity.setdefault(venue_identity(own.venue), []).append(own)
    venues = [
        VenueVolume(
            venue_type=identity.venue_type,
            mpid=identity.mpid,
            crd=identity.crd,
            venue_name=min(each.venue.name for each in same),
            shares_micros=sum(each.shares_micros for each in same),
            trades=sum(each.trades for each in same),
            symbols=len(set[int]().union(*(each.symbols for each in same))),
        )
        for identity, same in sorted(by_identity.items(), key=itemgetter(0))
    ]
    return Volumes(tuple(venues), len(sums.symbols))


def _identity(venue: VenueVolume) -> Venue:
    return venue_identity(Venue(venue.venue_type, venue.mpid, venue.crd, venue.venue_name))


def add_volumes(parts: Sequence[Volumes]) -> Volumes:
    """The volume of several captures that have no symbol in common: what `volumes_of` makes of all their records."""
    by_venue: dict[Venue, list[VenueVolume]] = {}
    for part in parts:
        for venue in part.venues:
            by_venue.setdefault(_identity(venue), []).append(venue)
    venues = [
        VenueVolume(
            venue_type=identity.venue_type,
            mpid=identity.mpid,
            crd=identity.crd,
            venue_name=min(venue.venue_name for venue in same),
            shares_micros=sum(venue.shares_micros for venue in same),
            trades=sum(venue.trades for venue in same),
            symbols=sum(venue.symbols for venue in same),
        )
        for identity, same in sorted(by_venue.items())
    ]
    return Volumes(tuple(venues), sum(part.symbols for part in parts))


def analyze(capture: Capture, volumes: Volumes, at: datetime) -> Analysis:
    """Analytics of one capture."""
    name = _Name(capture.partition.tier.value, capture.capture_id, capture.revision)
    return _analysis(name, [capture], volumes, at)


def analyze_across_tiers(
    captures: Sequence[Capture], volumes: Volumes, known: Iterable[Analysis], run_date: date, at: datetime
) -> Analysis:
    """Analytics of one capture per tier of the same week. known: at least the week's analytics over all tiers."""
    week_ending = captures[0].partition.week_ending
    capture_id = generate_capture_id(DOMAIN, week_ending, ALL_TIERS, run_date)
    revisions = [analysis.revision for analysis in known if analysis.capture_id == capture_id]
    return _analysis(_Name(ALL_TIERS, capture_id, max(revisions, default=0) + 1), captures, volumes, at)


class _Name(NamedTuple):
    tier: str
    capture_id: str
    revision: int


def _analysis(name: _Name, captures: Sequence[Capture], volumes: Volumes, at: datetime) -> Analysis:
    total = sum(venue.shares_micros for venue in volumes.venues)
    lower, upper = _sums_of_squares(volumes)
    return Analysis(
        capture_id=name.capture_id,
        revision=name.revision,
        week_ending=captures[0].partition.week_ending,
        tier=name.tier,
        inputs=tuple(capture.number for capture in captures),
        calc_version=CALC_VERSION,
        computed_at=at,
        volumes=volumes,
        venue_shares=tuple(_fraction(venue.shares_micros, total) for venue in volumes.venues),
        shares_micros=total,
        trades=sum(venue.trades for venue in volumes.venues),
        hhi=_fraction(lower, total**2),
        hhi_upper=_fraction(upper, total**2),
    )


def _sums_of_squares(volumes: Volumes) -> tuple[int, int]:
    """The sums of the squared micro-shares: without the aggregates, and with all of them added to the largest firm."""
    lower = sum(venue.shares_micros**2 for venue in volumes.venues if venue.is_one)
    aggregated = sum(venue.shares_micros for venue in volumes.venues if not venue.is_one)
    firms = (v.shares_micros for v in volumes.venues if v.venue_type == VenueType.NON_ATS.value)
    largest = max(firms, default=0)
    return lower, lower - largest**2 + (largest + aggregated) ** 2


def _fraction(part: int, whole: int) -> float | None:
    """Python divides integers of any size to the nearest double, so every store gets the same digits."""
    return part / whole if whole else None


def rests_on_newest(inputs: Iterable[int], captures: Iterable[Capture]) -> bool:
    """Whether each input is the newest normalized capture of its tier. captures: at least the week's."""
    newest: dict[object, int] = {}
    for capture in captures:
        if capture.is_normalized:
            newest[capture.partition] = max(capture.number, newest.get(capture.partition, 0))
    return set(inputs) <= set(newest.values())
