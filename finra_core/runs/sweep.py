"""Looking for restatements of weeks that are older than a run's window: no age is safe.

A source may be able to tell in one request which older partitions have rows dated since the last sweep. Whether it can
or not, each run also probes the older partitions that were checked the longest ago: a withdrawn row leaves no dated
row. And it compares the content of the one that was verified the longest ago: a row can change without a new date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType

from attrs import frozen

from finra_core.domain.captures import Capture, capture_order
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import day_has_ended

ROTATION_DAYS = 28
"""Every older partition is probed at least once in so many runs: with daily runs, in so many days."""

VERIFIED_A_RUN = 1
"""How many older partitions' contents are compared in each run."""

_NONE: Mapping[Partition, datetime] = MappingProxyType({})


@frozen
class Turn:
    """An older partition whose turn it is. verify: its content is compared, whatever its version says."""

    capture: Capture
    verify: bool = False


def rotation(older: Collection[Capture], failed: Mapping[Partition, datetime] = _NONE) -> list[Turn]:
    """Whose turn it is among the newest captures of older partitions. Of equal times the oldest week comes first.

    failed: partitions that the source could not give, and when they were last asked for. As many of these are tried
    again, besides the others, so that one that fails for ever holds up no other.
    """
    in_order = sorted(older, key=capture_order)
    a_run = -(-len(in_order) // ROTATION_DAYS)
    sound = [capture for capture in in_order if capture.partition not in failed]
    due = sorted(sound, key=lambda capture: capture.checked_at)[:a_run]
    again = [capture for capture in in_order if capture.partition in failed]
    again = sorted(again, key=lambda capture: failed[capture.partition])[:a_run]
    verified = sorted(sound, key=lambda capture: capture.verified_at)[:VERIFIED_A_RUN]
    others = [capture for capture in verified if capture not in due]
    return [Turn(capture, verify=capture in verified) for capture in (*due, *others, *again)]


def older_captures(
    newest: Iterable[Capture], offered: Collection[Partition], targets: Collection[Partition]
) -> list[Capture]:
    """The newest captures that a sweep is about: of partitions that are still offered, and older than all targets."""
    first = min((partition.week_ending for partition in targets), default=date.min)
    return [c for c in newest if c.partition in offered and c.partition.week_ending < first]


def sweep_since(swept_from: date | None, older: Collection[Capture], at: datetime) -> date | None:
    """The first day whose rows a sweep made at this instant asks for; None where there is nothing to sweep.

    swept_from: where the last sweep left off, None before the first one, which looks back as far as the captures do.
    """
    if not older:
        return None
    if swept_from is None:
        return min(capture.verified_at for capture in older).date() - timedelta(days=1)
    return min(swept_from, next_sweep_from(at))  # the clock may have been ahead then


def is_out_of_reach(swept_from: date, at: datetime) -> bool:
    """Whether the last sweep is so long ago that the rotation has found what it could not tell."""
    return at.date() - swept_from > timedelta(days=ROTATION_DAYS)


def next_sweep_from(at: datetime) -> date:
    """The day with which the next sweep begins: at this instant, the first day with which FINRA may still date rows."""
    day = at.date()
    while day_has_ended(day, at):
        day += timedelta(days=1)
    while not day_has_ended(day - timedelta(days=1), at):
        day -= timedelta(days=1)
    return day
