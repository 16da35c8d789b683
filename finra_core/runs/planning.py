"""Making a plan: list the source, read the store, probe each partition, decide. Nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from attrs import evolve, field, frozen

from finra_core.domain.absence import decide_absent, first_offered
from finra_core.domain.anomalies import Category, Severity, Stage
from finra_core.domain.captures import Capture
from finra_core.domain.errors import SourceBudgetError, StoreError
from finra_core.domain.failures import Failure, describe, failure_of
from finra_core.domain.partitions import Partition
from finra_core.domain.revision import (
    Action,
    CaptureRef,
    Decision,
    Evidence,
    Rule,
    decide_by_version,
)
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.observer import OlderWeeksSwept, Phase, PhaseStarted, SourceFailed, WeeksTargeted
from finra_core.ports.source import Listing, SourceKind
from finra_core.ports.store import AnomalyQuery, CaptureQuery, RunQuery
from finra_core.runs.context import Run
from finra_core.runs.fetching import fetch
from finra_core.runs.forms import decide_fetched
from finra_core.runs.plan import PLAN_VERSION, Origin, Plan, PlannedPartition, Problem, SweepPlan
from finra_core.runs.pool import Pool
from finra_core.runs.request import RunRequest
from finra_core.runs.sweep import is_out_of_reach, next_sweep_from, older_captures, rotation, sweep_since
from finra_core.runs.targets import newest_week_first, target_partitions
from finra_core.runs.wording import reason


@frozen(kw_only=True)
class Candidate:
    """A partition to look at, with what the store has of it and what the source's list says of it.

    failure: why the source cannot offer it, though it should. offered_from: the first week ending of its tier there.
    """

    partition: Partition
    origin: Origin
    latest: Capture | None
    listed: bool
    failure: Failure | None
    offered_from: date | None
    by_name: bool
    verify: bool
    grace_days: Mapping[Tier, int]


def make_plan(run: Run, request: RunRequest, pool: Pool) -> Plan:
    """What a run would do now. Contents that have to be compared are not fetched yet: `resolve` does that.

    Raises:
        StoreError: the store failed.
    """
    run.tell(PhaseStarted, phase=Phase.PLAN)
    planned_at = run.clock()
    listing = _list(run)
    targets = _targets(run, request, listing)
    run.tell(WeeksTargeted, weeks=tuple(sorted({p.week_ending for p in targets}, reverse=True)))
    is_swept = request.sweep and not request.weeks and run.source.info.kind is SourceKind.FEED and not listing.failure
    known = _read(run, targets, is_swept=is_swept)
    candidates = [_asked(partition, known.latest.get(partition), request, listing) for partition in targets]
    sweep = None
    if is_swept:
        older, sweep = _look_back(run, request, listing, targets, known, at=planned_at)
        candidates += older
    planned = pool.run(Phase.PLAN, _plan_partition, run, candidates)
    return Plan(
        schema_version=PLAN_VERSION,
        request=request,
        run_date=run.run_date,
        planned_at=planned_at,
        source=run.source.info.label,
        store=run.store.url,
        partitions=tuple(sorted(planned, key=lambda each: newest_week_first(each.partition))),
        problems=listing.problems,
        sweep=sweep,
        resolved=False,
    )


def resolve(run: Run, plan: Plan, pool: Pool) -> Plan:
    """The plan with every COMPARE decided: the content is fetched and compared, and not kept."""
    run.tell(PhaseStarted, phase=Phase.COMPARE)
    return evolve(plan, partitions=tuple(pool.run(Phase.COMPARE, _compare, run, plan.partitions)), resolved=True)


# The source's list ------------------------------------------------------------------------------------


@frozen(kw_only=True)
class _Listed:
    """A source's list for planning. failure: why there is none. failures: of partitions that it should offer."""

    partitions: frozenset[Partition] = frozenset()
    failures: Mapping[Partition, Failure]
    problems: tuple[Problem, ...]
    failure: Failure | None = None
    first: Mapping[Tier, date]


def _list(run: Run) -> _Listed:
    try:
        listing = run.source.list_partitions()
    except Exception as error:  # noqa: BLE001  whatever a source raises, it did not answer
        run.tell(SourceFailed, message=describe(error))
        return _Listed(
            failures={}, problems=(Problem(message=describe(error), place=None),), failure=failure_of(error), first={}
        )
    return _listed(run, listing)


def _listed(run: Run, listing: Listing) -> _Listed:
    nobodys = [Problem(message=each.message, place=each.place) for each in listing.problems if each.partition is None]
    doubts = [Problem(message=each.message, place=each.place, is_doubt=True) for each in listing.doubts]
    failures = {
        Partition(problem.partition.week_ending, Tier(problem.partition.tier)): failure_of(problem)
        for problem in listing.problems
        if problem.partition is not None
    }
    return _Listed(
        partitions=listing.partitions,
        failures=failures,
        problems=(*nobodys, *doubts),
        first=first_offered(listing.partitions),
    )


def _targets(run: Run, request: RunRequest, listing: _Listed) -> list[Partition]:
    is_archive = run.source.info.kind is SourceKind.ARCHIVE
    archived = listing.partitions | listing.failures.keys() if is_archive else None
    return target_partitions(request, run.run_date, archived)


# Whom to look at --------------------------------------------------------------------------------------


def _asked(partition: Partition, latest: Capture | None, request: RunRequest, listing: _Listed) -> Candidate:
    return Candidate(
        partition=partition,
        origin=Origin.ASKED,
        latest=latest,
        listed=partition in listing.partitions,
        failure=listing.failures.get(partition, listing.failure),
        offered_from=listing.first.get(partition.tier),
        by_name=bool(request.weeks),
        verify=request.verify,
        grace_days=request.grace_days,
    )


@frozen(kw_only=True)
class _Known:
    """What the store has. latest: of the partitions looked at, of all that it has where older weeks are swept.

    swept_from: where the last sweep left off. failed: when the partitions were last asked for that the source could
    not give since.
    """

    latest: Mapping[Partition, Capture]
    swept_from: date | None = None
    failed: Mapping[Partition, datetime] = field(factory=dict)


def _read(run: Run, targets: Collection[Partition], *, is_swept: bool) -> _Known:
    """From one view of the store."""
    wanted = CaptureQuery(newest=True) if is_swept else CaptureQuery(partitions=frozenset(targets), newest=True)
    with run.store.read() as view:
        latest = {capture.partition: capture for capture in view.captures(wanted)}
        if not is_swept:
            return _Known(latest=latest)
        swept = view.runs(RunQuery(swept=True, limit=1))
        errors = view.anomalies(AnomalyQuery(severities=frozenset({Severity.ERROR}), open_only=True))
    failed = {
        Partition(record.anomaly.scope.week_ending, Tier(record.anomaly.scope.tier)): record.last_seen
        for record in errors
        if record.anomaly.stage is Stage.RAW and record.anomaly.scope.week_ending and record.anomaly.scope.tier
    }
    return _Known(latest=latest, swept_from=swept[0].sweep_from if swept else None, failed=failed)


def _look_back(
    run: Run, request: RunRequest, listing: _Listed, targets: Collection[Partition], known: _Known, *, at: datetime
) -> tuple[list[Candidate], SweepPlan]:
    """The older partitions that are looked at: those that were restated, and those whose turn it is."""
    offered = {partition for partition in listing.partitions if partition.tier in request.tiers}
    older = older_captures(known.latest.values(), offered, targets)
    restated, sweep = _sweep(run, older, known.swept_from, targets, at)
    sweep = evolve(sweep, offered_from=listing.first)
    if request.tiers != TIERS:
        sweep = evolve(sweep, next_from=None)  # the next one has the other tiers to look over, too
    turns = {turn.capture.partition: turn for turn in rotation(older, known.failed)}
    candidates = []
    for capture in older:
        turn = turns.get(capture.partition)
        if capture.partition in restated or turn is not None:
            asked = _asked(capture.partition, capture, request, listing)
            origin = Origin.RESTATED if capture.partition in restated else Origin.ROTATION
            verify = request.verify or (turn is not None and turn.verify)
            candidates.append(evolve(asked, origin=origin, verify=verify))
    named = sum(candidate.origin is Origin.RESTATED for candidate in candidates) if sweep.told else None
    run.tell(OlderWeeksSwept, older=len(older), since=sweep.since, restated=named, rotated=len(turns))
    return candidates, sweep


def _sweep(
    run: Run, older: Sequence[Capture], swept_from: date | None, targets: Collection[Partition], at: datetime
) -> tuple[frozenset[Partition], SweepPlan]:
    """Which older partitions the source says were restated since the last sweep, and what it was asked."""
    since = sweep_since(swept_from, older, at)
    if since is None:
        return frozenset(), SweepPlan(since=None, told=True, older=0, next_from=next_sweep_from(at))
    try:
        restated = run.source.restated_since(since, min(partition.week_ending for partition in targets))
    except Exception as error:  # noqa: BLE001  what it could not tell now it may tell the next run
        failure = describe(error)
        return frozenset(), SweepPlan(since=since, told=False, older=len(older), next_from=None, failure=failure)
    told = restated is not None
    is_over = told or swept_from is None or is_out_of_reach(swept_from, at)
    next_from = next_sweep_from(at) if is_over else None
    return restated or frozenset(), SweepPlan(since=since, told=told, older=len(older), next_from=next_from)


# What to do with each ---------------------------------------------------------------------------------


def _plan_partition(run: Run, candidate: Candidate) -> PlannedPartition:
    """Ask the source for a partition's version, and decide."""
    partition, latest = candidate.partition, candidate.latest
    if candidate.failure is not None:
        return _failed(candidate, candidate.failure)
    if not candidate.listed:
        return _absent(run, candidate)
    try:
        version = run.source.probe(partition)
    except Exception as error:  # noqa: BLE001  one partition's failure is that partition's, whatever it is
        if candidate.origin is Origin.ROTATION and isinstance(error, SourceBudgetError):
            return _left(candidate, error)
        return _failed(candidate, failure_of(error))
    forced = run.forced if candidate.origin is Origin.ASKED else None
    decision = decide_by_version(latest, version, forced=forced, verify=candidate.verify)
    planned = PlannedPartition(partition=partition, origin=candidate.origin, decision=decision)
    return evolve(planned, estimate=run.source.estimate(version)) if decision.needs_fetch else planned


def _absent(run: Run, candidate: Candidate) -> PlannedPartition:
    info = run.source.info
    decision = decide_absent(
        candidate.partition,
        candidate.latest,
        run.run_date,
        offered_from=candidate.offered_from,
        offered_in="FINRA's list" if info.kind is SourceKind.FEED else f"the list of {info.label}",
        by_name=candidate.by_name,
        grace_days=candidate.grace_days,
    )
    planned = PlannedPartition(partition=candidate.partition, origin=candidate.origin, decision=decision)
    if decision.action is not Action.FAIL:
        return planned
    message = f"asked for by name, but {reason(decision)}"
    return evolve(planned, failure=Failure(Category.INCOMPLETE_INPUT, message))


def _failed(candidate: Candidate, failure: Failure) -> PlannedPartition:
    latest = None if candidate.latest is None else CaptureRef.of(candidate.latest)
    decision = Decision(Action.FAIL, Rule.SOURCE_FAILED, Evidence(latest=latest, note=failure.message))
    return PlannedPartition(partition=candidate.partition, origin=candidate.origin, decision=decision, failure=failure)


def _left(candidate: Candidate, error: SourceBudgetError) -> PlannedPartition:
    """Its turn in the rotation has come, and stays."""
    latest = None if candidate.latest is None else CaptureRef.of(candidate.latest)
    decision = Decision(Action.SKIP, Rule.OVER_BUDGET, Evidence(latest=latest, note=error.message))
    return PlannedPartition(partition=candidate.partition, origin=candidate.origin, decision=decision)


def _compare(run: Run, planned: PlannedPartition) -> PlannedPartition:
    if planned.decision.action is not Action.COMPARE:
        return planned
    try:
        fetched = fetch(run, planned.partition, planned.decision.evidence.version)
        with run.store.read() as view:
            captures = view.captures(CaptureQuery(partitions=frozenset({planned.partition})))
            forced = run.forced if planned.origin is Origin.ASKED else None
            decision = decide_fetched(view, captures, fetched, forced)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  as in `_plan_partition`
        evidence = evolve(planned.decision.evidence, note=describe(error))
        if planned.is_optional and isinstance(error, SourceBudgetError):
            return evolve(planned, decision=Decision(Action.SKIP, Rule.OVER_BUDGET, evidence))
        refused = Decision(Action.FAIL, Rule.CONTENT_REFUSED, evidence)
        return evolve(planned, decision=refused, failure=failure_of(error))
    return evolve(planned, decision=decision)
