"""Mending the gaps of a store by runs, within a budget in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from attrs import define, evolve, field, frozen

from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.gaps import GapGroup, GapKind, HistoryGap, Remedy, command
from finra_core.ports.source import Source
from finra_core.runs.report import RunReport
from finra_core.runs.request import RunRequest
from finra_core.runs.scheduler import Scheduler

_STORED = (GapKind.NOT_NORMALIZED, GapKind.NOT_ANALYZED, GapKind.NOT_JUDGED)
"""What these lack follows from captures that are there: nothing has to be fetched."""


@frozen(kw_only=True)
class Mended:
    """A command that was carried out, and the report of its run."""

    command: str
    report: RunReport


@frozen(kw_only=True)
class LeftOut:
    """A week that did not fit into the budget. expected_bytes: what the source expects it to take."""

    week_ending: date
    tiers: tuple[str, ...]
    command: str
    expected_bytes: int


@frozen(kw_only=True)
class Healing:
    """What was done about gaps, in this order. by_hand: gaps that no run can mend."""

    mended: tuple[Mended, ...]
    left_out: tuple[LeftOut, ...]
    by_hand: tuple[HistoryGap, ...]

    @property
    def exit_code(self) -> int:
        """The worst of the runs' exit codes; 0 where there was none. What was left out is no failure."""
        return max((each.report.exit_code for each in self.mended), default=0)


def heal(
    scheduler: Scheduler,
    source: Source,
    groups: Sequence[GapGroup],
    base: RunRequest,
    *,
    max_bytes: int | None = None,
) -> Healing:
    """Carry out the groups' commands, a run for each, in the order in which they are given.

    source: the scheduler's. base: what all runs have in common. max_bytes: for all runs together; a week is begun only
    if what the source expects it to take fits into what is left. None means no budget.

    Raises:
        ConfigurationError, WorkersLostError, StoreError: as `Scheduler.run`. What earlier runs did stays.
    """
    work = _Healing(scheduler, source, base, max_bytes)
    for group in groups:
        work.mend(group)
    return Healing(mended=tuple(work.mended), left_out=tuple(work.left_out), by_hand=tuple(work.by_hand))


@define
class _Healing:
    scheduler: Scheduler
    source: Source
    base: RunRequest
    max_bytes: int | None
    used: int = 0
    mended: list[Mended] = field(factory=list)
    left_out: list[LeftOut] = field(factory=list)
    by_hand: list[HistoryGap] = field(factory=list)

    def mend(self, group: GapGroup) -> None:
        if group.remedy is Remedy.ACKNOWLEDGE:
            self.by_hand.extend(group.gaps)
            return
        weeks = self._fitting(group)
        if not weeks:
            return
        report = self.scheduler.run(self._request(group, weeks))
        self.used = max(self.used, report.usage.bytes_received)
        self.mended.append(Mended(command=command(group.remedy, weeks, group.tiers), report=report))

    def _request(self, group: GapGroup, weeks: Sequence[date]) -> RunRequest:
        if group.remedy is Remedy.WINDOW:
            return evolve(self.base, weeks=(), sweep=False)
        return evolve(self.base, weeks=weeks, tiers=_tiers(group), verify=group.remedy is Remedy.VERIFY)

    def _fitting(self, group: GapGroup) -> list[date]:
        """The weeks of a group that fit into what is left; the others are noted."""
        if self.max_bytes is None:
            return list(group.weeks)
        planned, weeks = 0, []
        tiers = () if group.kind in _STORED else _tiers(group)
        for week in group.weeks:
            expected = sum(self._expected(Partition(week, tier)) for tier in tiers)
            if self.used + planned + expected <= self.max_bytes:
                planned += expected
                weeks.append(week)
            else:
                own = command(group.remedy, [week], group.tiers)
                self.left_out.append(LeftOut(week_ending=week, tiers=group.tiers, command=own, expected_bytes=expected))
        return weeks

    def _expected(self, partition: Partition) -> int:
        """What fetching it is expected to take. The source is asked for its version, which tells how large it is."""
        try:
            version = self.source.probe(partition)
        except SourceError:
            version = None  # the run will say why
        self.used = max(self.used, self.source.usage().bytes_received)
        return self.source.estimate(version).bytes_received


def _tiers(group: GapGroup) -> tuple[Tier, ...]:
    """The tiers that the group's command looks at."""
    return tuple(tier for tier in TIERS if tier.value in group.tiers) or TIERS
