"""Which partitions a run looks at, and what it will do with each. Nothing here fetches, writes or waits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from enum import Enum

from attrs import frozen

from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.errors import ConfigurationError, SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import due_weeks, late_after, publication_date
from finra_core.domain.revision import Action, Decision
from finra_core.domain.tiers import TIERS
from finra_core.domain.weeks import calculate_target_weeks, week_is_over
from finra_core.runs.request import DEFAULT_LOOKBACK, RunRequest, Window


class Absence(str, Enum):
    """Why a source does not offer a partition: its day has not come, it is overdue, or it was there before."""

    NOT_DUE = "not_due"
    LATE = "late"
    GONE = "gone"


@frozen(kw_only=True)
class Candidate:
    """A partition that a run looks at, what the store has of it, and whether the source offers it.

    problem: why the source cannot offer it, though it should.
    """

    partition: Partition
    latest: Capture | None
    listed: bool
    problem: SourceError | None = None


@frozen(kw_only=True)
class Planned:
    """A partition and what is to become of it: exactly one of decision, absence and error is set.

    latest: the capture that the decision rests on, None where there is none.
    """

    partition: Partition
    latest: Capture | None = None
    version: SourceVersion | None = None
    decision: Decision | None = None
    absence: Absence | None = None
    error: Exception | None = None

    @property
    def needs_fetch(self) -> bool:
        """Whether its content is wanted, to store it or to compare it."""
        return self.decision is not None and self.decision.action is not Action.SKIP


def check_request(request: RunRequest, on: date) -> None:
    """What can be refused before any I/O.

    Raises:
        ConfigurationError: a week asked for is not over on the run date, or the window begins before the calendar.
    """
    if not request.weeks:
        _look_back(request, on)
    for week_ending in request.weeks:
        if not week_is_over(week_ending, on):
            raise ConfigurationError(f"the week ending {week_ending} is not over on {on}: FINRA has nothing of it yet")


def target_partitions(request: RunRequest, on: date, archived: Collection[Partition] | None) -> list[Partition]:
    """The partitions that a run looks at, newest week first, then in tier order.

    archived: what an archive holds, None for a live feed. Only an archive is taken whole by default.
    """
    if request.weeks:
        targets = {Partition(week, tier) for week in request.weeks for tier in request.tiers}
    elif archived is not None and request.lookback_weeks is None:
        targets = {partition for partition in archived if partition.tier in request.tiers}
    else:
        targets = _look_back(request, on)
    return sorted(targets, key=newest_week_first)


def explain_absence(partition: Partition, latest: Capture | None, on: date) -> Absence:
    """What it means that the source does not list this partition."""
    if latest is not None:
        return Absence.GONE
    return Absence.LATE if on > late_after(partition) else Absence.NOT_DUE


def describe_absence(partition: Partition, absence: Absence, on: date) -> str:
    """The reason that goes into the report."""
    due = publication_date(partition)
    if absence is Absence.GONE:
        return "no longer offered by the source; the captures stay"
    if absence is Absence.LATE:
        return f"late: was due on {due}"
    return f"due on {due}" if on < due else f"due since {due}, not there yet"


def _look_back(request: RunRequest, on: date) -> set[Partition]:
    weeks = request.lookback_weeks or DEFAULT_LOOKBACK
    if request.window is Window.CALENDAR:
        return {Partition(week, tier) for week in calculate_target_weeks(weeks, on) for tier in request.tiers}
    return {Partition(week, tier) for tier in request.tiers for week in due_weeks(tier, weeks, on)}


def newest_week_first(partition: Partition) -> tuple[int, int]:
    """The sort key of a run's order of partitions: newest week first, then in tier order."""
    return -partition.week_ending.toordinal(), TIERS.index(partition.tier)
