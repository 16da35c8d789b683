"""Everything about one week of one tier: when it was due, what was decided and why, what there is, what is next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from attrs import frozen

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.anomalies import AnomalyRecord, Stage
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import TRADING, Policy
from finra_core.domain.publication import late_after, publication_date
from finra_core.domain.readiness import Judgment, Readiness
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.history.checks import evaluate_readiness
from finra_core.ports.store import AnomalyQuery, CaptureQuery, DecisionQuery, DecisionRecord, JudgmentQuery, ReadView


@frozen(kw_only=True)
class StageState:
    """What a capture has completed, in order of the stages."""

    capture: Capture
    stages: tuple[Stage, ...]


@frozen(kw_only=True)
class Next:
    """What to do next, and from which day on; None means now."""

    action: str
    on: date | None


@frozen(kw_only=True)
class Explanation:
    """One partition. captures: oldest first, each with its stages. decisions, judgments: latest first.

    due_on: FINRA's publication day. late_after: the last day on which it was not late. published: the
    earliest lastUpdateDate that a source told for it, None where none did. anomalies: of the partition and its week,
    resolved ones too, latest seen first. readiness: as of today.
    """

    partition: Partition
    due_on: date
    late_after: date
    published: date | None
    decisions: tuple[DecisionRecord, ...]
    captures: tuple[StageState, ...]
    anomalies: tuple[AnomalyRecord, ...]
    readiness: Readiness
    judgments: tuple[Judgment, ...]
    next: Next


def explain(
    view: ReadView,
    partition: Partition,
    on: date,
    *,
    policy: Policy = TRADING,
    grace_days: Mapping[Tier, int] | None = None,
    decisions: int = 20,
) -> Explanation:
    """Explain one partition as of the day `on`. decisions: how many of the latest are told."""
    captures = view.captures(CaptureQuery(partitions=frozenset({partition})))
    analyzed = {key.inputs for key in view.analysis_keys([partition.week_ending]) if key.calc_version == CALC_VERSION}
    readiness = evaluate_readiness(partition.week_ending, view, on=on, policy=policy)
    scopes = frozenset({Scope.partition(partition), Scope.week(partition.week_ending)})
    weeks = frozenset({partition.week_ending})
    return Explanation(
        partition=partition,
        due_on=publication_date(partition),
        late_after=late_after(partition, (grace_days or {}).get(partition.tier)),
        published=min((c.version.last_update_date for c in captures if c.version), default=None),
        decisions=tuple(view.decisions(DecisionQuery(partition=partition, limit=decisions))),
        captures=tuple(StageState(capture=c, stages=_stages(c, (c.number,) in analyzed)) for c in captures),
        anomalies=tuple(view.anomalies(AnomalyQuery(scopes=scopes))),
        readiness=readiness,
        judgments=tuple(view.judgments(JudgmentQuery(weeks=weeks, ready_for=policy.name, history=True))),
        next=_next(partition, captures, readiness, on),
    )


def _stages(capture: Capture, analyzed: bool) -> tuple[Stage, ...]:
    done = [Stage.RAW]
    if capture.is_normalized:
        done.append(Stage.NORMALIZED)
    if analyzed:
        done.append(Stage.CALC)
    return tuple(done)


def _next(partition: Partition, captures: list[Capture], readiness: Readiness, on: date) -> Next:
    due = publication_date(partition)
    own = [issue for issue in readiness.blocking_issues if issue.tier in (partition.tier, None)]
    if not captures and on < due:
        return Next(action=f"wait for FINRA's publication on {due}", on=due)
    if own:
        return Next(action=own[0].action, on=None)
    if readiness.blocking_issues:
        return Next(
            action=f"nothing for this tier; the week: {readiness.blocking_issues[0].message}", on=readiness.ready_on
        )
    return Next(action=f"nothing: the week is ready for {readiness.ready_for}", on=None)
