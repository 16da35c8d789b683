"""Which partitions a run looks at: its window, or the weeks that it was asked for. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import due_weeks
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import DEFAULT_LOOKBACK, calculate_target_weeks, week_is_over
from finra_core.runs.request import RunRequest, Window


def check_request(request: RunRequest, on: date) -> None:
    """What can be refused before any I/O.

    Raises:
        ConfigurationError: a week asked for is not over on the run date, or the window begins before the calendar.
    """
    if not request.weeks:
        _window(request, on)
    for week_ending in request.weeks:
        if not week_is_over(week_ending, on):
            raise ConfigurationError(f"the week ending {week_ending} is not over on {on}: FINRA has nothing of it yet")


def target_partitions(request: RunRequest, on: date, archived: Collection[Partition] | None) -> list[Partition]:
    """The partitions that a run looks at, newest week first, then in tier order.

    archived: what an archive holds, None for a live feed. Only an archive is taken whole by default.
    """
    if request.weeks:
        targets = {Partition(week, tier) for week in request.weeks for tier in request.tiers}
    elif takes_whole_archive(request) and archived is not None:
        targets = {partition for partition in archived if partition.tier in request.tiers}
    else:
        targets = _window(request, on)
    return sorted(targets, key=newest_week_first)


def takes_whole_archive(request: RunRequest) -> bool:
    """Whether the request names neither weeks nor a window, so that an archive is taken whole."""
    return not request.weeks and request.lookback_weeks is None


def newest_week_first(partition: Partition) -> tuple[int, int]:
    """The sort key of a run's order of partitions: newest week first, then in tier order."""
    return -partition.week_ending.toordinal(), TIERS.index(partition.tier)


def _window(request: RunRequest, on: date) -> set[Partition]:
    """The newest weeks that are due in all tiers asked for, and the newer ones of the tiers in which they are due."""
    count = request.lookback_weeks or DEFAULT_LOOKBACK
    if request.window is Window.CALENDAR:
        return {Partition(week, tier) for week in calculate_target_weeks(count, on) for tier in request.tiers}
    oldest = min(due_weeks(tier, count, on)[-1] for tier in request.tiers)
    return {Partition(week, tier) for tier in request.tiers for week in _due_from(oldest, tier, on)}


def _due_from(oldest: date, tier: Tier, on: date) -> list[date]:
    newest = due_weeks(tier, 1, on)[0]
    return due_weeks(tier, (newest - oldest).days // 7 + 1, on)
