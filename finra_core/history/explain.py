"""Everything about one week of one tier: when it was due, what was decided and why, what there is, what is next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from attrs import frozen

from finra_core.domain.analytics import CALC_VERSION, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord, Severity, Stage
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.domain.publication import late_after, publication_date
from finra_core.domain.readiness import Judgment, Readiness, evaluate, week_states
from finra_core.domain.revision import Action, Decision
from finra_core.domain.tiers import ALL_TIERS, Tier
from finra_core.ports.store import AnomalyQuery, CaptureQuery, DecisionQuery, DecisionRecord, JudgmentQuery, ReadView


@frozen(kw_only=True)
class DecisionSpan:
    """Successive decisions that are equal, evidence included: one, or a long row of skips.

    run_ids: of the runs that decided so, latest first.
    """

    decision: Decision
    reason: str
    first_at: datetime
    last_at: datetime
    run_ids: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many decisions."""
        return len(self.run_ids)


@frozen(kw_only=True)
class Publication:
    """What is known of FINRA's publication of a partition.

    due_on: FINRA's publication day. late_after: the last day on which it is not late. absent_at: when a run last found
    it absent, before the first capture; None where none did. first_at: when the first capture began to be read. dated:
    the newest lastUpdateDate in the first capture, on which or before which FINRA published it; None where the source
    told no version.
    """

    due_on: date
    late_after: date
    absent_at: datetime | None
    first_at: datetime | None
    dated: date | None


@frozen(kw_only=True)
class StageState:
    """A capture, and the stages that it has completed, in their order."""

    capture: Capture
    stages: tuple[Stage, ...]


@frozen(kw_only=True)
class Next:
    """What to do next. on: the day from which on it can be done, None where nothing is to be done."""

    action: str
    on: date | None


@frozen(kw_only=True)
class Explanation:
    """One partition. captures: oldest first. decisions and judgments: latest first.

    anomalies: of the partition and of its week, resolved ones too, latest seen first. readiness: of the week as of the
    day asked for, one for each use. judgments: those that runs stored.
    """

    partition: Partition
    publication: Publication
    decisions: tuple[DecisionSpan, ...]
    captures: tuple[StageState, ...]
    anomalies: tuple[AnomalyRecord, ...]
    readiness: tuple[Readiness, ...]
    judgments: tuple[Judgment, ...]
    next: Next


def explain(
    view: ReadView,
    partition: Partition,
    on: date,
    *,
    policies: Sequence[Policy] = BUILT_IN,
    grace_days: Mapping[Tier, int] | None = None,
) -> Explanation:
    """Explain one partition as of the day `on`.

    Raises:
        StoreError: the store failed.
    """
    week = partition.week_ending
    weeks = frozenset({week})
    every = view.captures(CaptureQuery(weeks=weeks))
    keys = view.analysis_keys(weeks)
    found = view.anomalies(AnomalyQuery(weeks=weeks))
    decisions = view.decisions(DecisionQuery(partition=partition))
    judgments = view.judgments(JudgmentQuery(weeks=weeks, history=True))
    state = week_states(weeks, every, keys, found, CALC_VERSION)[week]
    readiness = tuple(evaluate(state, on, policy) for policy in policies)
    captures = [capture for capture in every if capture.partition == partition]
    anomalies = tuple(each for each in found if each.anomaly.scope.tier in (partition.tier.value, ALL_TIERS, None))
    publication = _publication(partition, captures, decisions, (grace_days or {}).get(partition.tier))
    return Explanation(
        partition=partition,
        publication=publication,
        decisions=tuple(collapse(decisions)),
        captures=tuple(StageState(capture=capture, stages=_stages(capture, keys)) for capture in captures),
        anomalies=anomalies,
        readiness=readiness,
        judgments=tuple(sorted(judgments, key=lambda each: each.judged_at, reverse=True)),
        next=_next(partition, publication, readiness, anomalies, on),
    )


def collapse(decisions: Collection[DecisionRecord]) -> list[DecisionSpan]:
    """Successive equal decisions as one. decisions: of one partition, latest first; so is the result."""
    spans: list[list[DecisionRecord]] = []
    for record in decisions:
        if spans and (spans[-1][0].decision, spans[-1][0].reason) == (record.decision, record.reason):
            spans[-1].append(record)
        else:
            spans.append([record])
    return [
        DecisionSpan(
            decision=own[0].decision,
            reason=own[0].reason,
            first_at=own[-1].decided_at,
            last_at=own[0].decided_at,
            run_ids=tuple(record.run_id for record in own),
        )
        for own in spans
    ]


def _publication(
    partition: Partition, captures: Sequence[Capture], decisions: Sequence[DecisionRecord], grace_days: int | None
) -> Publication:
    first = captures[0] if captures else None
    absent = [
        record.decided_at
        for record in decisions
        if record.decision.action is Action.WAIT and (first is None or record.decided_at < first.captured_at)
    ]
    return Publication(
        due_on=publication_date(partition),
        late_after=late_after(partition, grace_days),
        absent_at=max(absent, default=None),
        first_at=first.captured_at if first else None,
        dated=first.version.last_update_date if first and first.version else None,
    )


def _stages(capture: Capture, keys: Collection[AnalysisKey]) -> tuple[Stage, ...]:
    own = capture.partition.tier.value, (capture.number,)
    is_analyzed = any((key.tier, key.inputs) == own and key.calc_version == CALC_VERSION for key in keys)
    done = {Stage.RAW: True, Stage.NORMALIZED: capture.is_normalized, Stage.CALC: is_analyzed}
    return tuple(stage for stage in Stage if done[stage])


def _next(
    partition: Partition,
    publication: Publication,
    readiness: Sequence[Readiness],
    anomalies: Sequence[AnomalyRecord],
    on: date,
) -> Next:
    run = f"finra run --weeks {partition.week_ending} --tiers {partition.tier}"
    failed = next((record for record in anomalies if _is_failure(record, partition, on)), None)
    if failed is not None:
        return Next(action=f"{run} tries it again", on=on)
    if publication.first_at is None:
        return _next_of_absent(publication, run, on)
    issues = [issue for each in readiness for issue in each.blocking_issues]
    own = [issue for issue in issues if issue.tier in (partition.tier, None)]
    if own:
        return Next(action=own[0].action, on=on)
    if issues:
        day = max((each.ready_on for each in readiness if each.ready_on), default=None)
        return Next(action=f"nothing for this tier; of the week: {issues[0].message}", on=day)
    return Next(action="nothing to do: the week is ready for every use", on=None)


def _is_failure(record: AnomalyRecord, partition: Partition, on: date) -> bool:
    return (
        record.is_open
        and record.anomaly.severity is Severity.ERROR
        and record.anomaly.scope.tier == partition.tier.value
        and not record.is_acknowledged(on)
    )


def _next_of_absent(publication: Publication, run: str, on: date) -> Next:
    if on < publication.due_on:
        return Next(action="wait for FINRA's publication", on=publication.due_on)
    if on <= publication.late_after:
        return Next(action=f"finra run looks again each time; it is late after {publication.late_after}", on=on)
    return Next(action=f"{run} asks for it", on=on)
