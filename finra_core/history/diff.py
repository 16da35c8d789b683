"""What changed between two captures of a partition, and what the change did to its analytics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attrs import frozen

from finra_core.domain.analytics import Analysis, VenueVolume, analyze, volumes_of
from finra_core.domain.captures import Capture
from finra_core.domain.changes import ChangeKind, RowChange
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Venue, venue_identity
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.asof import as_of, parse_when, releases
from finra_core.history.pruned import check_has_first
from finra_core.ports.store import CaptureQuery, ReadView


@frozen(kw_only=True)
class Summary:
    """How much changed. changed: rows whose shares or trades differ; renamed: whose names or dates alone do.

    shares_before, shares_after: the partition's micro-shares.
    """

    added: int
    withdrawn: int
    changed: int
    renamed: int
    shares_before: int
    shares_after: int


@frozen
class MovedSymbol:
    """A symbol that left a tier between the two captures for another tier of the week, or came from one."""

    symbol: str
    before: Tier
    after: Tier


@frozen(kw_only=True)
class Diff:
    """Two captures of one partition, and the rows that differ, by security and venue."""

    before: Capture
    after: Capture
    changes: tuple[RowChange, ...]
    summary: Summary
    moved: tuple[MovedSymbol, ...]


def is_rename(change: RowChange) -> bool:
    """Whether a row's numbers are the same, and only its venue's name or its date differ."""
    if change.before is None or change.after is None:
        return False
    before, after = change.before, change.after
    return (before.shares_micros, before.trades) == (after.shares_micros, after.trades)


def shares_delta(change: RowChange) -> int:
    """By how many micro-shares a row's volume grew; negative where it shrank."""
    before = change.before.shares_micros if change.before else 0
    after = change.after.shares_micros if change.after else 0
    return after - before


def diff(view: ReadView, before: Capture, after: Capture) -> Diff:
    """What changed from one capture to another of the same partition; either may be the earlier one.

    Raises:
        StoreError: they are captures of two partitions, or one has no records.
    """
    changes = tuple(view.changes(before, after))
    renamed = sum(map(is_rename, changes))
    counts = {kind: sum(change.kind is kind for change in changes) for kind in ChangeKind}
    summary = Summary(
        added=counts[ChangeKind.ADDED],
        withdrawn=counts[ChangeKind.WITHDRAWN],
        changed=counts[ChangeKind.CHANGED] - renamed,
        renamed=renamed,
        shares_before=_shares(before),
        shares_after=_shares(after),
    )
    return Diff(
        before=before, after=after, changes=changes, summary=summary, moved=_moved(view, before, after, changes)
    )


def _shares(capture: Capture) -> int:
    return sum(half.shares_micros for half in capture.coverage)


def _moved(view: ReadView, before: Capture, after: Capture, changes: Sequence[RowChange]) -> tuple[MovedSymbol, ...]:
    """Symbols that one side alone has, and that another tier's newest capture of the week has too."""
    if not any(change.kind is not ChangeKind.CHANGED for change in changes):
        return ()
    old, new = view.symbols(before), view.symbols(after)
    gone, come = old - new, new - old
    if not gone and not come:
        return ()
    own = before.partition.tier
    weeks = frozenset({before.partition.week_ending})
    moved = []
    for other in view.captures(CaptureQuery(weeks=weeks, normalized=True, newest=True)):
        tier = other.partition.tier
        if tier is not own:
            symbols = view.symbols(other)
            moved += [MovedSymbol(symbol, own, tier) for symbol in gone & symbols]
            moved += [MovedSymbol(symbol, tier, own) for symbol in come & symbols]
    return tuple(sorted(moved, key=lambda each: (each.symbol, TIERS.index(each.after))))


# What the change did ----------------------------------------------------------------------------------


@frozen(kw_only=True)
class VenueImpact:
    """A venue whose volume or share of the tier differs; the shares are fractions, None where it has none."""

    venue: Venue
    shares_before: int
    shares_after: int
    share_before: float | None
    share_after: float | None


@frozen(kw_only=True)
class Impact:
    """What a change did to a tier's analytics. causes: the rows that moved most shares, largest first."""

    hhi_before: float | None
    hhi_after: float | None
    hhi_upper_before: float | None
    hhi_upper_after: float | None
    shares_before: int
    shares_after: int
    trades_before: int
    trades_after: int
    venues: tuple[VenueImpact, ...]
    causes: tuple[RowChange, ...]


def impact(view: ReadView, found: Diff) -> Impact:
    """Recompute both sides' analytics and compare them. venues: those that moved most shares first."""
    before = analyze(found.before, volumes_of(view.records(found.before)), found.before.captured_at)
    after = analyze(found.after, volumes_of(view.records(found.after)), found.after.captured_at)
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
        causes=tuple(sorted(found.changes, key=lambda change: -abs(shares_delta(change)))),
    )


def _venues(before: Analysis, after: Analysis) -> tuple[VenueImpact, ...]:
    old, new = _by_venue(before), _by_venue(after)
    venues = [_venue_impact(old.get(identity), new.get(identity)) for identity in sorted(old.keys() | new.keys())]
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


def _venue_impact(before: _Side | None, after: _Side | None) -> VenueImpact:
    """The impact on one venue, which at least one side has."""
    (newest, *_) = (side for side in (after, before) if side is not None)
    return VenueImpact(
        venue=_named(newest.venue),
        shares_before=before.venue.shares_micros if before else 0,
        shares_after=after.venue.shares_micros if after else 0,
        share_before=before.share if before else None,
        share_after=after.share if after else None,
    )


# Which two -------------------------------------------------------------------------------------------


def choose(view: ReadView, partition: Partition, named: str) -> Capture:
    """A capture of a partition by its name.

    named: `first`, `latest`, a capture_id with or without ` rN`, a day or an instant (what was known then).

    Raises:
        ConfigurationError: there is none of this name, or it was pruned.
    """
    found = releases(view, partition)
    if not found:
        raise ConfigurationError(f"{partition} has no capture with records: finra captures lists what there is")
    if named == "first":
        check_has_first(view, weeks=[partition.week_ending], tiers=[partition.tier])
    if named in ("first", "latest"):
        return found[0] if named == "first" else found[-1]
    by_name = {str(capture): capture for capture in found} | {capture.capture_id: capture for capture in found}
    if named in by_name:
        return by_name[named]
    if ":" in named and "T" not in named:
        raise ConfigurationError(f"{partition} has no capture {named!r}: finra captures lists what there is")
    known = as_of(view, parse_when(named), weeks=[partition.week_ending], tiers=[partition.tier]).captures
    if not known:
        raise ConfigurationError(f"nothing of {partition} was known at {named}: its first capture is {found[0]}")
    return known[0]


def last_two(view: ReadView, partition: Partition) -> tuple[Capture, Capture]:
    """A partition's last two captures with records, the earlier one first.

    Raises:
        ConfigurationError: there are not two.
    """
    found = releases(view, partition)
    if len(found) < 2:  # noqa: PLR2004  two sides
        raise ConfigurationError(f"{partition} has {len(found)} captures with records: a diff needs two")
    return found[-2], found[-1]
