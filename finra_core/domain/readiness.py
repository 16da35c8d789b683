"""Whether a week is ready to trade on, and if not, why not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum

from attrs import evolve, frozen

from finra_core.domain.analytics import AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord, Category, Severity
from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import TRADING, Criterion, Policy
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import ALL_TIERS, TIERS, Half, Tier


@frozen(kw_only=True)
class TierState:
    """How far a partition has come: its newest capture, and its newest capture with records.

    analyzed: whether `normalized` has analytics of the current version.
    """

    newest: Capture
    normalized: Capture | None
    analyzed: bool

    @property
    def halves(self) -> tuple[Half, ...]:
        """The halves that `normalized` has; none where there is none."""
        return self.normalized.halves if self.normalized else ()


@frozen(kw_only=True)
class WeekState:
    """All that readiness depends on. `tiers` has the tiers with a capture, in tier order.

    across_tiers_analyzed: whether there are analytics over the newest normalized capture of each tier.
    anomalies: unresolved ones above INFO, of the week or of any of its tiers.
    """

    week_ending: date
    tiers: Mapping[Tier, TierState]
    across_tiers_analyzed: bool
    anomalies: tuple[AnomalyRecord, ...] = ()

    def inputs_across_tiers(self) -> tuple[Capture, ...] | None:
        """The newest normalized capture of each tier, in tier order; None while one is missing."""
        found = [state.normalized for state in self.tiers.values()]
        captures = tuple(capture for capture in found if capture is not None)
        return captures if len(captures) == len(TIERS) else None


class IssueKind(str, Enum):
    """The kinds of things that keep a week from being ready."""

    WAITING_FOR_TIER = "waiting_for_tier"
    MISSING_TIER = "missing_tier"
    MISSING_HALF = "missing_half"
    NOT_NORMALIZED = "not_normalized"
    NOT_ANALYZED = "not_analyzed"
    NOT_ANALYZED_ACROSS_TIERS = "not_analyzed_across_tiers"
    REJECTED_ROWS = "rejected_rows"
    PARTIAL_COVERAGE = "partial_coverage"
    OPEN_CRITICALS = "open_criticals"
    OPEN_ERRORS = "open_errors"
    NOT_JUDGED = "not_judged"

    def __str__(self) -> str:
        return self.value


@frozen
class BlockingIssue:
    """One thing that keeps a week from being ready. tier: None where it is the week's. action: what to do about it."""

    kind: IssueKind
    tier: Tier | None
    message: str
    action: str


@frozen(kw_only=True)
class Readiness:
    """The judgment on one week for one use. It is ready when the criteria of the use's policy hold.

    blocking_issues: why the others do not, in tier order. ready_on: the day on which it can be ready, if all that it
    waits for is FINRA's publication day; else None. captures: numbers of the newest captures that it rests on, in tier
    order.
    """

    week_ending: date
    ready_for: str
    is_ready: bool
    all_partitions_present: bool
    all_stages_complete: bool
    no_critical_anomalies: bool
    no_rejected_rows: bool
    no_partial_coverage: bool = True
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
    return WeekState(week_ending=week_ending, tiers={}, across_tiers_analyzed=False)


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
    found: dict[date | None, list[AnomalyRecord]] = {}
    for record in anomalies:
        if record.is_open and record.anomaly.severity is not Severity.INFO:
            found.setdefault(record.anomaly.scope.week_ending, []).append(record)
    return {week: _week_state(week, partitions, current, tuple(found.get(week, ()))) for week in weeks}


def _week_state(
    week: date,
    partitions: Mapping[Partition, Sequence[Capture]],
    current: Collection[tuple[str, tuple[int, ...]]],
    anomalies: tuple[AnomalyRecord, ...],
) -> WeekState:
    tiers = {
        tier: _tier_state(partitions[Partition(week, tier)], current)
        for tier in TIERS
        if Partition(week, tier) in partitions
    }
    state = WeekState(week_ending=week, tiers=tiers, across_tiers_analyzed=False, anomalies=anomalies)
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


def evaluate(state: WeekState, on: date, policy: Policy = TRADING) -> Readiness:
    """Judge a week as of the day `on` for the use of this policy."""
    tiers = {tier: state.tiers[tier] for tier in policy.tiers if tier in state.tiers}
    absent = [Partition(state.week_ending, tier) for tier in policy.tiers if tier not in state.tiers]
    of_criterion = {
        Criterion.ALL_PARTITIONS_PRESENT: [
            *(_absence(partition, on) for partition in absent),
            *_missing_halves(tiers, policy.halves),
        ],
        Criterion.ALL_STAGES_COMPLETE: _incomplete_stages(state, tiers, policy),
        Criterion.NO_REJECTED_ROWS: [_rejected_rows(tier, c) for tier, c in _normalized(tiers) if c.rejected_rows],
        Criterion.NO_PARTIAL_COVERAGE: _partial_coverage(state, policy.tiers, on),
        Criterion.NO_CRITICAL_ANOMALIES: _open(state, policy.tiers, Severity.CRITICAL, IssueKind.OPEN_CRITICALS),
        Criterion.NO_OPEN_ERRORS: _open(state, policy.tiers, Severity.ERROR, IssueKind.OPEN_ERRORS),
    }
    issues = tuple(
        issue for criterion in of_criterion if criterion in policy.criteria for issue in of_criterion[criterion]
    )
    waits_only = bool(issues) and all(issue.kind is IssueKind.WAITING_FOR_TIER for issue in issues)
    holds = {criterion: not found for criterion, found in of_criterion.items()}
    return Readiness(
        week_ending=state.week_ending,
        ready_for=policy.name,
        is_ready=not issues,
        all_partitions_present=holds[Criterion.ALL_PARTITIONS_PRESENT],
        all_stages_complete=not absent and holds[Criterion.ALL_STAGES_COMPLETE],
        no_critical_anomalies=holds[Criterion.NO_CRITICAL_ANOMALIES],
        no_rejected_rows=holds[Criterion.NO_REJECTED_ROWS],
        no_partial_coverage=holds[Criterion.NO_PARTIAL_COVERAGE],
        blocking_issues=issues,
        ready_on=max(map(publication_date, absent)) if waits_only else None,
        captures=tuple(tier_state.newest.number for tier_state in tiers.values()),
    )


def withdraw(judgment: Readiness, capture: Capture) -> Readiness:
    """The judgment after a new capture of its week was stored: not ready, until the week is judged again."""
    issue = not_normalized(capture)
    issues = (*judgment.blocking_issues, *(() if issue in judgment.blocking_issues else (issue,)))
    return evolve(judgment, is_ready=False, all_stages_complete=False, blocking_issues=issues, ready_on=None)


def not_normalized(capture: Capture) -> BlockingIssue:
    """The issue that the newest capture of a tier has no records."""
    tier = capture.partition.tier
    message = f"{tier}: {capture} is not normalized"
    return BlockingIssue(IssueKind.NOT_NORMALIZED, tier, message, _finish(capture.partition.week_ending))


def _finish(week_ending: date) -> str:
    return f"finra run --weeks {week_ending} finishes it"


def _absence(partition: Partition, on: date) -> BlockingIssue:
    due, tier = publication_date(partition), partition.tier
    if on < due:
        message = f"Waiting for tier: {tier}, due {due}"
        return BlockingIssue(IssueKind.WAITING_FOR_TIER, tier, message, f"wait until {due}")
    action = f"finra run --weeks {partition.week_ending} --tiers {tier}"
    return BlockingIssue(IssueKind.MISSING_TIER, tier, f"Missing tier: {tier}", action)


def _missing_halves(tiers: Mapping[Tier, TierState], halves: Collection[Half]) -> list[BlockingIssue]:
    """Missing halves of the tiers that have records. That a tier has none yet is an issue of its stages."""
    return [
        BlockingIssue(
            IssueKind.MISSING_HALF,
            tier,
            f"{tier}: the {half} half is missing in {state.normalized}",
            f"finra run --weeks {state.newest.partition.week_ending} --tiers {tier} with a source that has both halves",
        )
        for tier, state in tiers.items()
        if state.normalized is not None
        for half in halves
        if half not in state.halves
    ]


def _incomplete_stages(state: WeekState, tiers: Mapping[Tier, TierState], policy: Policy) -> list[BlockingIssue]:
    issues = []
    action = _finish(state.week_ending)
    for tier, each in tiers.items():
        if each.normalized is None or each.normalized.number != each.newest.number:
            issues.append(not_normalized(each.newest))
        elif not each.analyzed:
            message = f"{tier}: {each.newest} is not analyzed"
            issues.append(BlockingIssue(IssueKind.NOT_ANALYZED, tier, message, action))
    is_across = len(policy.tiers) == len(TIERS) and state.inputs_across_tiers() is not None
    if not issues and is_across and not state.across_tiers_analyzed:
        message = "the analytics across tiers do not rest on the newest captures"
        issues.append(BlockingIssue(IssueKind.NOT_ANALYZED_ACROSS_TIERS, None, message, action))
    return issues


def _normalized(tiers: Mapping[Tier, TierState]) -> list[tuple[Tier, Capture]]:
    return [(tier, state.normalized) for tier, state in tiers.items() if state.normalized is not None]


def _rejected_rows(tier: Tier, capture: Capture) -> BlockingIssue:
    rows = "1 row" if capture.rejected_rows == 1 else f"{capture.rejected_rows or 0:,} rows"
    message = f"{tier}: {rows} rejected in {capture}"
    return BlockingIssue(IssueKind.REJECTED_ROWS, tier, message, "finra anomalies shows the first of them")


def _partial_coverage(state: WeekState, tiers: Collection[Tier], on: date) -> list[BlockingIssue]:
    return [
        BlockingIssue(
            IssueKind.PARTIAL_COVERAGE,
            _tier_of(record),
            f"{record.anomaly.scope.tier}: {record.anomaly.message}",
            f"wait for a whole capture, or finra anomalies ack {record.fingerprint} --reason TEXT",
        )
        for record in state.anomalies
        if record.anomaly.category is Category.PARTIAL_COVERAGE
        and _tier_of(record) in tiers
        and not record.is_acknowledged(on)
    ]


def _open(state: WeekState, tiers: Collection[Tier], severity: Severity, kind: IssueKind) -> list[BlockingIssue]:
    """One issue for all open anomalies of this severity, of the week or of these tiers."""
    found = [
        record
        for record in state.anomalies
        if record.anomaly.severity is severity and (_tier_of(record) is None or _tier_of(record) in tiers)
    ]
    if not found:
        return []
    noun = "anomaly" if len(found) == 1 else "anomalies"
    message = f"{len(found)} unresolved {severity} {noun}"
    return [BlockingIssue(kind, None, message, "finra anomalies says what to do")]


def _tier_of(record: AnomalyRecord) -> Tier | None:
    return Tier.__members__.get(record.anomaly.scope.tier or "")
