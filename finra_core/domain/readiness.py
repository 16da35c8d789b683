"""Whether a week is ready to trade on, and if not, why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum

from attrs import evolve, frozen

from finra_core.domain.analytics import AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord, Severity
from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier

TRADING = "trading"


@frozen(kw_only=True)
class TierState:
    """How far a partition has come: its newest capture, and the newest one with records.

    analyzed: whether `normalized` has analytics of the current version.
    """

    newest: Capture
    normalized: Capture | None
    analyzed: bool


@frozen(kw_only=True)
class WeekState:
    """All that readiness depends on. `tiers` has the tiers with a capture, in tier order.

    across_tiers_analyzed: whether there are analytics over the newest normalized capture of each tier.
    open_criticals: unresolved CRITICAL anomalies of the week, or of any of its tiers.
    """

    week_ending: date
    tiers: Mapping[Tier, TierState]
    across_tiers_analyzed: bool
    open_criticals: int

    def inputs_across_tiers(self) -> tuple[Capture, ...] | None:
        """The newest normalized capture of each tier, in tier order; None while one is missing."""
        found = [state.normalized for state in self.tiers.values()]
        captures = tuple(capture for capture in found if capture is not None)
        return captures if len(captures) == len(TIERS) else None


class IssueKind(str, Enum):
    """What keeps a week from being ready."""

    WAITING_FOR_TIER = "waiting_for_tier"
    MISSING_TIER = "missing_tier"
    NOT_NORMALIZED = "not_normalized"
    NOT_ANALYZED = "not_analyzed"
    NOT_ANALYZED_ACROSS_TIERS = "not_analyzed_across_tiers"
    REJECTED_ROWS = "rejected_rows"
    OPEN_CRITICALS = "open_criticals"

    def __str__(self) -> str:
        return self.value


@frozen
class BlockingIssue:
    """One thing that keeps a week from being ready: its kind, the tier (None: the week), what it is, what to do."""

    kind: IssueKind
    tier: Tier | None
    message: str
    action: str


@frozen(kw_only=True)
class Readiness:
    """The judgment on one week for one use. It is ready when all criteria hold.

    blocking_issues: which do not, in tier order. ready_on: the day on which it can be ready, if all that blocks it is
    a publication day to come; else None. captures: numbers of the newest captures that it rests on, in tier order.
    """

    week_ending: date
    ready_for: str
    is_ready: bool
    all_partitions_present: bool
    all_stages_complete: bool
    no_critical_anomalies: bool
    no_rejected_rows: bool
    blocking_issues: tuple[BlockingIssue, ...] = ()
    ready_on: date | None = None
    captures: tuple[int, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether it only waits for FINRA's calendar."""
        return self.ready_on is not None


@frozen(kw_only=True)
class Judgment:
    """A judgment as stored, and since when it holds."""

    readiness: Readiness
    judged_at: datetime


def empty_state(week_ending: date) -> WeekState:
    """A week without captures."""
    return WeekState(week_ending=week_ending, tiers={}, across_tiers_analyzed=False, open_criticals=0)


def week_states(
    weeks: Collection[date],
    captures: Iterable[Capture],
    analyses: Collection[AnalysisKey],
    anomalies: Iterable[AnomalyRecord],
    calc_version: int,
) -> dict[date, WeekState]:
    """How far each of these weeks has come; a week without captures has an empty state.

    captures, analyses, anomalies: at least those of these weeks, from one committed state.
    """
    partitions = by_partition(captures)
    current = {(key.tier, key.inputs) for key in analyses if key.calc_version == calc_version}
    criticals = _open_criticals(anomalies)
    return {week: _week_state(week, partitions, current, criticals[week]) for week in weeks}


def _open_criticals(anomalies: Iterable[AnomalyRecord]) -> Counter[date | None]:
    return Counter(
        record.anomaly.scope.week_ending
        for record in anomalies
        if record.is_open and record.anomaly.severity is Severity.CRITICAL
    )


def _week_state(
    week: date,
    partitions: Mapping[Partition, Sequence[Capture]],
    current: Collection[tuple[str, tuple[int, ...]]],
    criticals: int,
) -> WeekState:
    tiers = {
        tier: _tier_state(partitions[Partition(week, tier)], current)
        for tier in TIERS
        if Partition(week, tier) in partitions
    }
    state = WeekState(week_ending=week, tiers=tiers, across_tiers_analyzed=False, open_criticals=criticals)
    inputs = state.inputs_across_tiers()
    if inputs is None:
        return state
    numbers = tuple(capture.number for capture in inputs)
    return evolve(state, across_tiers_analyzed=(ALL_TIERS, numbers) in current)


def _tier_state(captures: Sequence[Capture], current: Collection[tuple[str, tuple[int, ...]]]) -> TierState:
    """captures: those of one partition, oldest first."""
    normalized = next((capture for capture in reversed(captures) if capture.is_normalized), None)
    analyzed = normalized is not None and (normalized.partition.tier.value, (normalized.number,)) in current
    return TierState(newest=captures[-1], normalized=normalized, analyzed=analyzed)


def evaluate(state: WeekState, on: date) -> Readiness:
    """Judge a week as of the day `on`."""
    absent = [_absence(Partition(state.week_ending, tier), on) for tier in TIERS if tier not in state.tiers]
    incomplete = _incomplete_stages(state)
    rejected = [_rejected_rows(tier, each.normalized) for tier, each in state.tiers.items() if _has_rejects(each)]
    criticals = [_criticals(state.open_criticals)] if state.open_criticals else []
    issues = (*absent, *incomplete, *rejected, *criticals)
    waits_only = bool(issues) and all(issue.kind is IssueKind.WAITING_FOR_TIER for issue in issues)
    due = [publication_date(Partition(state.week_ending, tier)) for tier in TIERS if tier not in state.tiers]
    return Readiness(
        week_ending=state.week_ending,
        ready_for=TRADING,
        is_ready=not issues,
        all_partitions_present=not absent,
        all_stages_complete=not absent and not incomplete,
        no_critical_anomalies=not criticals,
        no_rejected_rows=not rejected,
        blocking_issues=issues,
        ready_on=max(due) if waits_only else None,
        captures=tuple(tier_state.newest.number for tier_state in state.tiers.values()),
    )


def withdraw(judgment: Readiness, capture: Capture) -> Readiness:
    """What is left of a judgment when a new capture of the week arrives: not ready until it is judged again."""
    issue = not_normalized(capture)
    issues = (*judgment.blocking_issues, *(() if issue in judgment.blocking_issues else (issue,)))
    return evolve(judgment, is_ready=False, all_stages_complete=False, blocking_issues=issues, ready_on=None)


def not_normalized(capture: Capture) -> BlockingIssue:
    """The newest capture of a tier has no records."""
    tier = capture.partition.tier
    week = capture.partition.week_ending
    message = f"{tier}: {capture} is not normalized"
    return BlockingIssue(IssueKind.NOT_NORMALIZED, tier, message, f"finra run --weeks {week} finishes it")


def _absence(partition: Partition, on: date) -> BlockingIssue:
    due, tier = publication_date(partition), partition.tier
    if on < due:
        message = f"Waiting for tier: {tier}, due {due}"
        return BlockingIssue(IssueKind.WAITING_FOR_TIER, tier, message, f"wait until {due}")
    action = f"finra run --weeks {partition.week_ending} --tiers {tier}"
    return BlockingIssue(IssueKind.MISSING_TIER, tier, f"Missing tier: {tier}", action)


def _incomplete_stages(state: WeekState) -> list[BlockingIssue]:
    issues = []
    action = f"finra run --weeks {state.week_ending} finishes it"
    for tier, each in state.tiers.items():
        if each.normalized is None or each.normalized.number != each.newest.number:
            issues.append(not_normalized(each.newest))
        elif not each.analyzed:
            message = f"{tier}: {each.newest} is not analyzed"
            issues.append(BlockingIssue(IssueKind.NOT_ANALYZED, tier, message, action))
    if not issues and state.inputs_across_tiers() and not state.across_tiers_analyzed:
        message = "the analytics across tiers do not rest on the newest captures"
        issues.append(BlockingIssue(IssueKind.NOT_ANALYZED_ACROSS_TIERS, None, message, action))
    return issues


def _has_rejects(state: TierState) -> bool:
    return state.normalized is not None and bool(state.normalized.rejected_rows)


def _rejected_rows(tier: Tier, capture: Capture | None) -> BlockingIssue:
    rows = capture.rejected_rows or 0 if capture else 0
    message = f"{tier}: {rows:,} rows rejected in {capture}"
    return BlockingIssue(IssueKind.REJECTED_ROWS, tier, message, "finra anomalies shows the first of them")


def _criticals(count: int) -> BlockingIssue:
    return BlockingIssue(
        IssueKind.OPEN_CRITICALS, None, f"{count} unresolved CRITICAL anomalies", "finra anomalies says what to do"
    )
