"""The five-second answer: the last run, what is due next, how far each week has come, and which weeks are missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import pairwise

from attrs import frozen

from finra_core.domain.analytics import CALC_VERSION, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord, Severity
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import TRADING, Policy
from finra_core.domain.publication import due_weeks, late_after, publication_date
from finra_core.domain.readiness import BlockingIssue, IssueKind, Judgment, TierState, WeekState, evaluate, week_states
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import DEFAULT_LOOKBACK
from finra_core.ports.store import AnomalyQuery, CaptureQuery, JudgmentQuery, ReadView, RunQuery, RunRecord

_WEEK = timedelta(weeks=1)
_SHOWN = frozenset(Severity) - {Severity.INFO}
_NOT_JUDGED = BlockingIssue(IssueKind.NOT_JUDGED, None, "not judged yet", "finra run judges it")


class Verdict(str, Enum):
    """A week is ready, or waits for nothing but FINRA's publication day, or is blocked by something else."""

    READY = "ready"
    WAITING = "waiting"
    BLOCKED = "blocked"


class Progress(str, Enum):
    """How far a week of a tier has come: the last stage done for its newest capture, or why there is no capture.

    DUE is the grace period after the publication day, LATE all time after it.
    """

    ANALYZED = "analyzed"
    NORMALIZED = "normalized"
    RAW = "raw"
    NOT_DUE = "not_due"
    DUE = "due"
    LATE = "late"


@frozen(kw_only=True)
class TierStatus:
    """A week of a tier. due_on: FINRA's publication day. The rest: of the newest capture, None where there is none."""

    progress: Progress
    due_on: date
    capture_id: str | None
    revision: int | None
    captured_at: datetime | None
    rows: int | None


@frozen(kw_only=True)
class WeekStatus:
    """A week. ready_on: of a waiting week the day on which it can be ready, else None."""

    week_ending: date
    verdict: Verdict
    ready_on: date | None
    tiers: Mapping[Tier, TierStatus]
    blocking_issues: tuple[BlockingIssue, ...]


@frozen(kw_only=True)
class LastRun:
    """The run that was started last. finished_at and exit_code are None while it runs, or if it was killed."""

    run_id: str
    mode: str
    run_date: date
    started_at: datetime
    finished_at: datetime | None
    exit_code: int | None


@frozen(kw_only=True)
class DuePartition:
    """A week of a tier that FINRA has yet to publish."""

    week_ending: date
    tier: Tier


@frozen(kw_only=True)
class NextDue:
    """The next day on which FINRA is due to publish, and what."""

    due_on: date
    partitions: tuple[DuePartition, ...]


@frozen(kw_only=True)
class Gap:
    """Successive weeks that no run has looked at, between two that are listed. command: what fetches them."""

    from_: date
    to: date
    weeks: int
    command: str


@frozen(kw_only=True)
class Totals:
    """Counts over all weeks. open_anomalies: by severity, those that are not resolved, without INFO."""

    weeks: int
    ready: int
    waiting: int
    blocked: int
    captures: int
    open_anomalies: Mapping[Severity, int]


@frozen(kw_only=True)
class Status:
    """The answer. weeks and gaps: newest first.

    weeks: those that the store has captures of or judgments on, and the newer ones that a default run looks at.
    """

    ready_for: str
    last_run: LastRun | None
    next_due: NextDue
    weeks: tuple[WeekStatus, ...]
    gaps: tuple[Gap, ...]
    totals: Totals


@frozen(kw_only=True)
class Known:
    """What a store shows in one view. captures, analyses, judgments: all. runs: the latest. anomalies: open ones."""

    captures: Sequence[Capture]
    analyses: Sequence[AnalysisKey]
    judgments: Sequence[Judgment]
    runs: Sequence[RunRecord]
    anomalies: Sequence[AnomalyRecord]


def read(view: ReadView) -> Known:
    """What the answer rests on, by one view."""
    return Known(
        captures=view.captures(CaptureQuery()),
        analyses=view.analysis_keys(),
        judgments=view.judgments(JudgmentQuery()),
        runs=view.runs(RunQuery(limit=1)),
        anomalies=view.anomalies(AnomalyQuery(severities=_SHOWN, open_only=True)),
    )


def status(known: Known, on: date, policy: Policy = TRADING, grace_days: Mapping[Tier, int] | None = None) -> Status:
    """The answer as of the day `on`. policy: the use that weeks are ready for. grace_days: as in a run's request."""
    judgments = [each.readiness for each in known.judgments if each.readiness.ready_for == policy.name]
    stored = {capture.partition.week_ending for capture in known.captures}
    listed = sorted(stored | {judgment.week_ending for judgment in judgments} | _expected(stored, on), reverse=True)
    states = week_states(listed, known.captures, known.analyses, known.anomalies, CALC_VERSION)
    ready = {judgment.week_ending for judgment in judgments if judgment.is_ready}
    weeks = tuple(_week(states[week], week in ready, on, policy, grace_days or {}) for week in listed)
    return Status(
        ready_for=policy.name,
        last_run=_last_run(known.runs),
        next_due=next_due(on),
        weeks=weeks,
        gaps=tuple(_gaps([week for week in listed if stored and week >= min(stored)])),
        totals=_totals(weeks, known),
    )


def next_due(after: date) -> NextDue:
    """What FINRA is due to publish next, on the first such day after this one."""
    coming = [_next_of(tier, after) for tier in TIERS]
    first = min(publication_date(partition) for partition in coming)
    return NextDue(
        due_on=first,
        partitions=tuple(
            DuePartition(week_ending=partition.week_ending, tier=partition.tier)
            for partition in coming
            if publication_date(partition) == first
        ),
    )


def newest_complete_week(on: date) -> date:
    """The newest week that is due in all tiers on this day: the newest that can be ready."""
    return min(due_weeks(tier, 1, on)[0] for tier in TIERS)


def _next_of(tier: Tier, after: date) -> Partition:
    return Partition(due_weeks(tier, 1, after)[0] + _WEEK, tier)


def _expected(stored: Collection[date], on: date) -> set[date]:
    """The weeks that a default run looks at and that are newer than the oldest one stored."""
    if not stored:
        return set()
    newest = max(due_weeks(tier, 1, on)[0] for tier in TIERS)
    oldest = newest_complete_week(on) - (DEFAULT_LOOKBACK - 1) * _WEEK
    window = {oldest + i * _WEEK for i in range((newest - oldest).days // 7 + 1)}
    return {week for week in window if week > min(stored)}


def _week(state: WeekState, judged_ready: bool, on: date, policy: Policy, grace_days: Mapping[Tier, int]) -> WeekStatus:
    tiers = {
        tier: _tier(Partition(state.week_ending, tier), state.tiers.get(tier), on, grace_days.get(tier))
        for tier in TIERS
    }
    issues = evaluate(state, on, policy).blocking_issues
    if not issues and not judged_ready:
        issues = (_NOT_JUDGED,)
    verdict = _verdict(tiers, issues)
    missing = [tiers[issue.tier].due_on for issue in issues if issue.tier is not None]
    return WeekStatus(
        week_ending=state.week_ending,
        verdict=verdict,
        ready_on=max(*missing, on) if verdict is Verdict.WAITING else None,
        tiers=tiers,
        blocking_issues=issues,
    )


def _tier(partition: Partition, state: TierState | None, on: date, grace_days: int | None) -> TierStatus:
    newest = state.newest if state is not None else None
    return TierStatus(
        progress=_absence(partition, on, grace_days) if state is None else _stage(state),
        due_on=publication_date(partition),
        capture_id=newest.capture_id if newest else None,
        revision=newest.revision if newest else None,
        captured_at=newest.captured_at if newest else None,
        rows=newest.row_count if newest else None,
    )


def _absence(partition: Partition, on: date, grace_days: int | None) -> Progress:
    if on < publication_date(partition):
        return Progress.NOT_DUE
    return Progress.LATE if on > late_after(partition, grace_days) else Progress.DUE


def _stage(state: TierState) -> Progress:
    if state.normalized is None or state.normalized.number != state.newest.number:
        return Progress.RAW
    return Progress.ANALYZED if state.analyzed else Progress.NORMALIZED


def _verdict(tiers: Mapping[Tier, TierStatus], issues: Collection[BlockingIssue]) -> Verdict:
    """Waiting, if each issue is a tier that is absent and not late."""
    if not issues:
        return Verdict.READY
    is_waiting = all(
        issue.tier is not None and tiers[issue.tier].progress in (Progress.NOT_DUE, Progress.DUE) for issue in issues
    )
    return Verdict.WAITING if is_waiting else Verdict.BLOCKED


def _last_run(runs: Sequence[RunRecord]) -> LastRun | None:
    if not runs:
        return None
    run = runs[0]
    return LastRun(
        run_id=run.run_id,
        mode=run.mode,
        run_date=run.run_date,
        started_at=run.started_at,
        finished_at=run.finished_at,
        exit_code=run.exit_code,
    )


def _gaps(listed: Sequence[date]) -> Iterable[Gap]:
    """The weeks between two that are listed, newest first."""
    for newer, older in pairwise(listed):
        weeks = (newer - older).days // 7 - 1
        if weeks:
            first, last = older + _WEEK, newer - _WEEK
            yield Gap(from_=first, to=last, weeks=weeks, command=f"finra run --weeks {first}..{last}")


def _totals(weeks: Sequence[WeekStatus], known: Known) -> Totals:
    verdicts = [week.verdict for week in weeks]
    found = [record.anomaly.severity for record in known.anomalies]
    return Totals(
        weeks=len(weeks),
        ready=verdicts.count(Verdict.READY),
        waiting=verdicts.count(Verdict.WAITING),
        blocked=verdicts.count(Verdict.BLOCKED),
        captures=len(known.captures),
        open_anomalies={severity: found.count(severity) for severity in Severity if severity in _SHOWN},
    )
