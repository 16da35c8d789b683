"""What a change of rows did to a tier's analytics, and which rows caused it."""

from __future__ import annotations

from typing import NamedTuple

from attrs import frozen

from finra_core.domain.analytics import CALC_VERSION, Analysis, VenueVolume, analyze, volumes_of
from finra_core.domain.captures import Capture
from finra_core.domain.records import Venue, venue_identity
from finra_core.history.diff import Diff, RowDiff
from finra_core.ports.store import ReadView


@frozen(kw_only=True)
class VenueImpact:
    """A venue whose volume or share of the tier differs. Shares are micro-shares; share is a fraction of the tier's.

    A fraction is None where the tier has no volume, and 0 where the venue alone has none.
    """

    venue: Venue
    shares_before: int
    shares_after: int
    share_before: float | None
    share_after: float | None


@frozen(kw_only=True)
class Impact:
    """What a change did to a tier's analytics. venues: those that moved most shares first.

    causes: the rows that moved shares or trades, those that moved most shares first.
    """

    hhi_before: float | None
    hhi_after: float | None
    hhi_upper_before: float | None
    hhi_upper_after: float | None
    shares_before: int
    shares_after: int
    trades_before: int
    trades_after: int
    venues: tuple[VenueImpact, ...]
    causes: tuple[RowDiff, ...]


def impact(view: ReadView, found: Diff) -> Impact:
    """Compare both sides' analytics: those that are stored, or else computed from the rows."""
    before, after = _analytics(view, found.before, found.after)
    return Impact(
        hhi_before=before.hhi,
        hhi_after=after.hhi,
        hhi_upper_before=before.hhi_upper,
        hhi_upper_after=after.hhi_upper,
        shares_before=before.shares_micros,
        shares_after=after.shares_micros,
        trades_before=before.trades,
        trades_after=after.trades,
        venues=_venues(before, after),
        causes=tuple(
            sorted(
                (row for row in found.rows if row.shares_delta or row.trades_delta),
                key=lambda row: (-abs(row.shares_delta), -abs(row.trades_delta)),
            )
        ),
    )


def _analytics(view: ReadView, *captures: Capture) -> list[Analysis]:
    stored = {
        analysis.inputs: analysis
        for analysis in view.analyses({captures[0].partition.week_ending})
        if analysis.calc_version == CALC_VERSION
    }
    return [stored.get((capture.number,)) or _computed(view, capture) for capture in captures]


def _computed(view: ReadView, capture: Capture) -> Analysis:
    return analyze(capture, volumes_of(view.records(capture)), capture.captured_at)


def _venues(before: Analysis, after: Analysis) -> tuple[VenueImpact, ...]:
    old, new = _by_venue(before), _by_venue(after)
    venues = [_venue_impact(old.get(venue), new.get(venue), before, after) for venue in sorted(old.keys() | new.keys())]
    differing = [v for v in venues if (v.shares_before, v.share_before) != (v.shares_after, v.share_after)]
    return tuple(sorted(differing, key=lambda venue: -abs(venue.shares_after - venue.shares_before)))


class _Side(NamedTuple):
    venue: VenueVolume
    share: float | None


def _by_venue(analysis: Analysis) -> dict[Venue, _Side]:
    sides = map(_Side, analysis.volumes.venues, analysis.venue_shares)
    return {venue_identity(_named(side.venue)): side for side in sides}


def _named(venue: VenueVolume) -> Venue:
    return Venue(venue.venue_type, venue.mpid, venue.crd, venue.venue_name)


def _venue_impact(was: _Side | None, is_now: _Side | None, before: Analysis, after: Analysis) -> VenueImpact:
    """The impact on one venue, which at least one side has."""
    (newest, *_) = (side for side in (is_now, was) if side is not None)
    return VenueImpact(
        venue=_named(newest.venue),
        shares_before=was.venue.shares_micros if was else 0,
        shares_after=is_now.venue.shares_micros if is_now else 0,
        share_before=was.share if was else _no_share(before),
        share_after=is_now.share if is_now else _no_share(after),
    )


def _no_share(analysis: Analysis) -> float | None:
    return 0.0 if analysis.shares_micros else None
