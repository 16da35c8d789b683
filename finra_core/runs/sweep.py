"""Looking over the weeks that are older than a run's window, so that no restatement goes unseen, whatever its age.

A source that can tell says in one request which older partitions have rows dated since the last sweep. Whether it
can tell or not, each run also probes the older partitions that were checked the longest ago, and compares the content
of the one that was verified the longest ago: FINRA's dates do not show a withdrawn row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from attrs import frozen

from finra_core.domain.captures import Capture, capture_order
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import day_has_ended

ROTATION_DAYS = 28
"""Every older partition is probed at least once in so many runs: with daily runs, in so many days."""

VERIFIED_A_RUN = 1
"""How many older partitions' contents are compared in each run."""


@frozen
class Turn:
    """An older partition whose turn it is; verify: its content is to be compared, whatever its version says."""

    capture: Capture
    verify: bool = False


def rotation(older: Collection[Capture]) -> list[Turn]:
    """Whose turn it is among the newest captures of older partitions."""
    # Numbers tell who was first to store, which is chance: of equal ones the oldest partition is first.
    by_check = sorted(older, key=lambda capture: (capture.checked_at, capture_order(capture)))
    by_verification = sorted(older, key=lambda capture: (capture.verified_at, capture_order(capture)))
    due = by_check[: -(-len(by_check) // ROTATION_DAYS)]
    verified = {capture.number for capture in by_verification[:VERIFIED_A_RUN]}
    others = [capture for capture in by_verification[:VERIFIED_A_RUN] if capture not in due]
    return [Turn(capture, verify=capture.number in verified) for capture in (*due, *others)]


def older_captures(
    newest: Iterable[Capture], offered: Collection[Partition], targets: Collection[Partition]
) -> list[Capture]:
    """Of each partition's newest captures those that a sweep is about: still offered, and older than all targets."""
    first = min((partition.week_ending for partition in targets), default=date.min)
    return [c for c in newest if c.partition in offered and c.partition.week_ending < first]


def sweep_since(swept_from: date | None, older: Collection[Capture]) -> date | None:
    """The first day whose rows a sweep asks for; None where there is nothing to sweep.

    swept_from: where the last sweep left off, None before the first one: that looks back as far as the captures do.
    """
    if not older:
        return None
    return swept_from or min(capture.verified_at for capture in older).date() - timedelta(days=1)


def is_out_of_reach(swept_from: date, at: datetime) -> bool:
    """Whether the last sweep is so long ago that the rotation finds sooner what a source cannot tell any more."""
    return at.date() - swept_from > timedelta(days=ROTATION_DAYS)


def next_sweep_from(at: datetime) -> date:
    """The day with which the sweep after one made at this instant begins: FINRA may still date rows with it."""
    day = at.date()
    while day_has_ended(day, at):
        day += timedelta(days=1)
    while not day_has_ended(day - timedelta(days=1), at):
        day -= timedelta(days=1)
    return day
