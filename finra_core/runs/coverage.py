"""Checking whether captures are whole, and naming what they lack."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta

from finra_core.domain.analytics import VenueVolume
from finra_core.domain.anomalies import OF_COVERAGE, Anomaly, AnomalyRecord, Category, Check, Details, Severity, Stage
from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.completeness import CoverageBounds, Measure, Shortfall, recent_captures, shortfalls
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Venue, half_of, venue_identity
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Half, Tier
from finra_core.ports.store import AnomalyQuery, CaptureQuery, ReadView

_NAMED = 5
"""How many venues a message names; the details name all."""

_WEEK = timedelta(weeks=1)


def coverage_checks(
    view: ReadView,
    weeks: Collection[date] | None,
    bounds: CoverageBounds,
    on: date,
    everything: Sequence[Capture] | None = None,
) -> list[Check]:
    """One check for every partition of these weeks as of the day `on`; weeks: None means all.

    everything: all captures, where the caller has read them.
    """
    known = everything or view.captures(CaptureQuery(weeks=_with_recent(weeks, bounds)))
    captures = by_partition(known)
    newest = _newest_by_week(captures)
    accepted = _accepted(view, on)
    checks = []
    for partition, own in captures.items():
        if weeks is None or partition.week_ending in weeks:
            recent = recent_captures(newest[partition.tier], partition.week_ending, bounds)
            lost = shortfalls(own, recent, bounds, accepted)
            found = (_anomaly(view, newest[partition.tier][partition.week_ending], recent, lost),) if lost else ()
            checks.append(Check(Scope.partition(partition), Stage.CALC, found, OF_COVERAGE))
    return checks


def _with_recent(weeks: Collection[date] | None, bounds: CoverageBounds) -> frozenset[date] | None:
    if weeks is None:
        return None
    return frozenset(week - back * _WEEK for week in weeks for back in range(bounds.recent_weeks + 1))


def _newest_by_week(captures: Mapping[Partition, Sequence[Capture]]) -> dict[Tier, dict[date, Capture]]:
    found: dict[Tier, dict[date, Capture]] = {tier: {} for tier in Tier}
    for partition, own in captures.items():
        for capture in own:  # oldest first: the newest stays
            if capture.is_normalized:
                found[partition.tier][partition.week_ending] = capture
    return found


def _accepted(view: ReadView, on: date) -> frozenset[int]:
    """The numbers of the captures that a person accepts, on this day, as they are."""
    records = view.anomalies(AnomalyQuery(severities=frozenset({Severity.WARN})))
    numbers = (record.anomaly.details.get("capture_no") for record in records if _is_accepted(record, on))
    return frozenset(number for number in numbers if isinstance(number, int))


def _is_accepted(record: AnomalyRecord, on: date) -> bool:
    return record.anomaly.category is Category.PARTIAL_COVERAGE and record.is_acknowledged(on)


def _anomaly(view: ReadView, capture: Capture, recent: Sequence[Capture], lost: tuple[Shortfall, ...]) -> Anomaly:
    """The WARN. It names the venues that the capture compared with has, or else the week before."""
    reference = lost[0].reference or recent[0]
    before, after = _venues(view, reference), _venues(view, capture)
    halves = {shortfall.half for shortfall in lost}
    concerned = {venue for venue in before.keys() | after.keys() if half_of(venue.venue_type) in halves}
    missing = sorted(_label(before[venue]) for venue in concerned - after.keys())
    new = sorted(_label(after[venue]) for venue in concerned - before.keys())
    renamed = sorted(
        f"{before[venue].venue_name} is now {after[venue].venue_name}"
        for venue in concerned & before.keys() & after.keys()
        if before[venue].venue_name != after[venue].venue_name
    )
    details: Details = {
        "capture_no": capture.number,
        "capture_id": capture.capture_id,
        "compared_with": str(reference),
        "missing_venues": ", ".join(missing),
        "new_venues": ", ".join(new),
        "renamed_venues": ", ".join(renamed),
        **{f"{each.half}_{each.measure}": f"{each.found}/{each.expected}" for each in lost},
    }
    message = "; ".join((*_sentences(lost), *_lists(missing, new, renamed)))
    scope = Scope.partition(capture.partition)
    return Anomaly(Severity.WARN, Category.PARTIAL_COVERAGE, scope, Stage.CALC, message, details)


def _sentences(lost: Iterable[Shortfall]) -> list[str]:
    by_half: dict[Half, list[Shortfall]] = {}
    for shortfall in lost:
        by_half.setdefault(shortfall.half, []).append(shortfall)
    return [_sentence(half, own) for half, own in by_half.items()]


def _sentence(half: Half, lost: Sequence[Shortfall]) -> str:
    compared = "the capture before" if lost[0].reference else "recent weeks"
    if any(shortfall.lost_half for shortfall in lost):
        return f"the {half} half is lost: 0/{lost[0].expected:,} rows of {compared}"
    counts = ", ".join(f"{_count(each)} {each.measure}" for each in lost)
    return f"{half}: only {counts} of {compared}"


def _count(shortfall: Shortfall) -> str:
    unit = 1_000_000 if shortfall.measure is Measure.SHARES else 1
    return f"{shortfall.found // unit:,}/{shortfall.expected // unit:,}"


def _lists(missing: Sequence[str], new: Sequence[str], renamed: Sequence[str]) -> list[str]:
    named = (("missing", missing), ("new", new), ("renamed", renamed))
    return [f"{what}: {_shortened(names)}" for what, names in named if names]


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _venues(view: ReadView, capture: Capture) -> dict[Venue, VenueVolume]:
    """A capture's venues by what identifies them; none where it has no analytics."""
    analyses = view.analyses([capture.partition.week_ending])
    own = next((each for each in analyses if each.inputs == (capture.number,)), None)
    return {} if own is None else {_identity(venue): venue for venue in own.volumes.venues}


def _identity(venue: VenueVolume) -> Venue:
    return venue_identity(Venue(venue.venue_type, venue.mpid, venue.crd, venue.venue_name))


def _label(venue: VenueVolume) -> str:
    return venue.mpid or venue.venue_name or venue.crd
