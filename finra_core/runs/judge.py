"""The last phase: judge weeks, and store the judgments that changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from attrs import frozen

from finra_core.domain.analytics import CALC_VERSION, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord, Check, Severity
from finra_core.domain.captures import Capture
from finra_core.domain.policies import Policy
from finra_core.domain.readiness import Judgment, Readiness, WeekState, empty_state, evaluate, week_states
from finra_core.domain.scopes import Scope
from finra_core.history.sealing import writing
from finra_core.ports.observer import WeekJudged
from finra_core.ports.store import AnomalyQuery, CaptureQuery, JudgmentQuery, Lock, ReadView, UnitOfWork
from finra_core.runs.context import Run
from finra_core.runs.transactions import again, record_checks


@frozen(kw_only=True)
class Standing:
    """What the states of weeks follow from, from one view: captures, keys of analytics, open anomalies above INFO."""

    captures: Sequence[Capture]
    analyses: Sequence[AnalysisKey]
    anomalies: Sequence[AnomalyRecord]

    def states(self, weeks: Collection[date] | None) -> dict[date, WeekState]:
        """How far these weeks have come; None means all weeks with captures."""
        found = {capture.partition.week_ending for capture in self.captures}
        return week_states(
            found if weeks is None else weeks, self.captures, self.analyses, self.anomalies, CALC_VERSION
        )

    def unanalyzed(self) -> list[Capture]:
        """The captures with records and without analytics of the current version."""
        done = {(key.tier, key.inputs) for key in self.analyses if key.calc_version == CALC_VERSION}
        captures = [capture for capture in self.captures if capture.is_normalized]
        return [c for c in captures if (c.partition.tier.value, (c.number,)) not in done]


def read_standing(view: ReadView, weeks: Collection[date] | None) -> Standing:
    """Of these weeks; None means all weeks."""
    wanted = None if weeks is None else frozenset(weeks)
    severities = frozenset({Severity.CRITICAL, Severity.ERROR, Severity.WARN})
    return Standing(
        captures=view.captures(CaptureQuery(weeks=wanted)),
        analyses=view.analysis_keys(wanted),
        anomalies=view.anomalies(AnomalyQuery(weeks=wanted, severities=severities, open_only=True)),
    )


def read_states(view: ReadView, weeks: Collection[date] | None) -> dict[date, WeekState]:
    """How far these weeks have come; None means all weeks with captures. The view is one state of the store."""
    return read_standing(view, weeks).states(weeks)


def judge(
    run: Run, own: Collection[date], weeks: Collection[date] | None, checks: Sequence[Check]
) -> dict[date, Readiness]:
    """Judge weeks for every use. weeks: None means all.

    Returns the judgments for the first use, of the weeks that this run is about and of those whose judgment changed.
    own: the weeks that this run is about. checks: recorded in the same transaction.
    """
    judged, before = again(run, lambda: _record_and_judge(run, own, weeks, checks))
    first = run.policies[0].name
    shown = {}
    for key, readiness in judged.items():
        unchanged = readiness == before.get(key)
        if readiness.ready_for == first and (readiness.week_ending in own or not unchanged):
            shown[readiness.week_ending] = readiness
            run.tell(WeekJudged, readiness=readiness, unchanged=unchanged)
    return shown


_Key = tuple[date, str]
"""Week ending and use."""


def _record_and_judge(
    run: Run, own: Collection[date], weeks: Collection[date] | None, checks: Sequence[Check]
) -> tuple[dict[_Key, Readiness], dict[_Key, Readiness]]:
    """The judgments now and before, newest week first.

    One transaction reads what they rest on and writes them. A capture that comes meanwhile waits, and then withdraws
    the judgments on its week.
    """
    with writing(run.store, Scope(), run.clock) as unit:
        record_checks(unit, checks, run.clock())
        unit.hold(Lock.JUDGMENTS)
        at = run.clock()  # after the lock: whoever held it may have judged in between
        states = read_states(unit, weeks)
        for week in own:
            states.setdefault(week, empty_state(week))
        return put_changed(unit, states, run.policies, run.run_date, at)


def put_changed(
    unit: UnitOfWork, states: Mapping[date, WeekState], policies: Sequence[Policy], on: date, at: datetime
) -> tuple[dict[_Key, Readiness], dict[_Key, Readiness]]:
    """Judge weeks by their states, and store the judgments that differ from those that hold.

    at: when, or when the judgment that holds was made, if that is later: no judgment ends before it began. Returns the
    judgments now and before, newest week first. The caller holds the lock on judgments.
    """
    judged = {
        (week, policy.name): evaluate(states[week], on, policy)
        for week in sorted(states, reverse=True)
        for policy in policies
    }
    held = unit.judgments(JudgmentQuery(weeks=frozenset(states)))
    before = {(each.readiness.week_ending, each.readiness.ready_for): each.readiness for each in held}
    since = {(each.readiness.week_ending, each.readiness.ready_for): each.judged_at for each in held}
    changed = [
        Judgment(readiness=each, judged_at=max(at, since.get(key, at)))
        for key, each in judged.items()
        if each != before.get(key)
    ]
    if changed:
        unit.put_judgments(changed)
    return judged, before
