"""What is done to one partition, one capture, one week. Each step is atomic, may be repeated, and fails alone.

A step that fails for its partition's own reasons returns that as a finding; a store's failure is raised, since
it concerns them all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Generic, TypeVar

from attrs import Factory, evolve, frozen

from finra_core.domain.analytics import CALC_VERSION, Volumes, add_volumes, analyze, volumes_of
from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.captures import Capture, generate_capture_id, next_captured_at
from finra_core.domain.errors import PartitionLockedError, SourceDataError, StoreError, StoreInterruptedError
from finra_core.domain.failures import describe, failure
from finra_core.domain.partitions import DOMAIN, Partition, cross_tier_key, week_key
from finra_core.domain.publication import publication_date
from finra_core.domain.readiness import WeekState
from finra_core.domain.records import Records, check_identity
from finra_core.domain.revision import Action, Decision, decide_by_content, decide_by_version
from finra_core.domain.tiers import ALL_TIERS, TIERS
from finra_core.ports import NewCapture, RowChanges, Source, Store, Transaction, Usage
from finra_core.runs.planning import Candidate, Planned, explain_absence
from finra_core.runs.reopening import reopened_as
from finra_core.runs.report import Outcome, PartitionReport
from finra_core.weekly_summary.parsing import ParsedContent, parse_content
from finra_core.weekly_summary.payload import Payload, combined_hash

log = logging.getLogger("finra_core.run")


@frozen(kw_only=True)
class Run:
    """What all steps of one run share.

    A step is a function of this and one small value, so that an executor may take it elsewhere, where source and
    store can follow.
    """

    run_id: str
    run_date: date
    clock: Callable[[], datetime]
    source: Source
    store: Store
    forced: str | None
    verify: bool


@frozen
class StepResult:
    """A partition's outcome so far and what was found on the way.

    volumes: those of a capture that was given its records, by its number.
    """

    report: PartitionReport
    found: tuple[Anomaly, ...] = ()
    volumes: Mapping[int, Volumes] = Factory(dict)


T = TypeVar("T")
R = TypeVar("R")

TRIES = 3
"""How often a transaction is begun that the database breaks off."""


@frozen
class Metered(Generic[R]):
    """A step's result from an executor, and what the source that it used has cost by then.

    source: the unique name of a source that a worker process opened, None for the run's own.
    """

    result: R
    source: str | None
    usage: Usage


def metered(step: Callable[[Run, T], R], run: Run, item: T) -> Metered[R]:
    """Do a step as an executor does it."""
    result = step(run, item)
    return Metered(result, reopened_as(run.source), run.source.usage())


def arrive(run: Run) -> None:
    """Do nothing: where this can be called, source and store have come along."""


def again(transaction: Callable[[], R], tries: int = TRIES) -> R:
    """Do a transaction, and once or twice more if it was broken off; it must find out itself what is done already."""
    try:
        return transaction()
    except StoreInterruptedError as error:
        if tries == 1:
            raise
        log.info("  %s; doing it again", error.message)
    return again(transaction, tries - 1)


def plan(run: Run, candidate: Candidate) -> Planned:
    """Ask the source for a partition's version, and decide."""
    partition, latest = candidate.partition, candidate.latest
    if candidate.problem is not None:
        return Planned(partition=partition, latest=latest, error=candidate.problem)
    if not candidate.listed:
        return Planned(partition=partition, latest=latest, absence=explain_absence(partition, latest, run.run_date))
    try:
        version = run.source.probe(partition)
    except Exception as error:  # noqa: BLE001  as in ingest
        return Planned(partition=partition, latest=latest, error=error)
    decision = decide_by_version(latest, version, forced=run.forced, verify=run.verify)
    return Planned(partition=partition, latest=latest, version=version, decision=decision)


def rehearse(run: Run, planned: Planned) -> Planned:
    """Decide as `ingest` would, by the content where it needs that, without writing anything."""
    if planned.decision is None or planned.decision.action is not Action.COMPARE:
        return planned
    try:
        fetched = _fetch(run, planned.partition)
    except Exception as error:  # noqa: BLE001  as in ingest
        return evolve(planned, decision=None, error=error)
    version = fetched.payload.version
    decision = decide_by_content(planned.latest, fetched.content_hash, version, forced=run.forced)
    return evolve(planned, decision=decision)


def ingest(run: Run, planned: Planned) -> StepResult:
    """Fetch a partition and store it as a new capture if its content is new."""
    partition = planned.partition
    log.info("  %s: Fetching from %s...", partition, run.source.label)
    try:
        fetched = _fetch(run, partition)
        result = again(lambda: _store_if_new(run, planned, fetched))
    except PartitionLockedError as error:
        result = StepResult(outcome(planned, Outcome.SKIPPED, error.message))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  one partition's failure is that partition's, whatever it is
        return fail(run, outcome(planned, Outcome.FAILED, describe(error)), error, Stage.RAW)
    _announce(partition, result)
    return result


def normalize(run: Run, captures: Sequence[Capture]) -> StepResult:
    """Give the waiting captures of one partition their records, oldest first; at least one must be waiting.

    Each is compared with the one before it. The outcome is the newest one's: once that has records, an older
    one that failed is superseded.
    """
    return [_normalize_one(run, capture) for capture in captures][-1]


def _normalize_one(run: Run, capture: Capture) -> StepResult:
    """Give a capture its records. Its bad rows are kept aside, counted and named."""
    partition = capture.partition
    report = PartitionReport(
        week_ending=partition.week_ending,
        tier=partition.tier,
        outcome=Outcome.SKIPPED,
        reason="finished what an earlier run left",
        capture_id=capture.capture_id,
        revision=capture.revision,
    )
    try:
        parsed = parse_content(run.store.documents(capture), partition)
        found = _rejected_rows(capture, [reject.reason for reject in parsed.rejects])
        changes = again(lambda: _add_records(run, capture, parsed, found))
        if changes is None:
            return StepResult(report)
    except PartitionLockedError:
        log.info("  %s: locked by another run, skipping", partition)
        return StepResult(report)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  as in ingest
        failed = evolve(report, outcome=Outcome.FAILED, reason=describe(error))
        return fail(run, failed, error, Stage.NORMALIZED)
    log.info("  %s: ✓ Normalized %s rows", partition, f"{len(parsed.records):,}")
    log.debug("  %s: %s", partition, changes)
    for anomaly in found:
        log.warning("  %s: %s", partition, anomaly.message)
    volumes = {capture.number: volumes_of(parsed.records)}
    return StepResult(evolve(report, stages=(Stage.NORMALIZED.value,)), found, volumes)


def _add_records(run: Run, capture: Capture, parsed: ParsedContent, found: tuple[Anomaly, ...]) -> RowChanges | None:
    key = capture.partition.key
    with run.store.transaction(key) as tx:
        changes = tx.add_records(capture, parsed.records, parsed.rejects, run.clock())
        if changes is not None:
            tx.record_checks([Check(key, Stage.NORMALIZED, found)], run.clock())
    return changes


def analyze_capture(run: Run, capture: Capture, volumes: Volumes | None) -> bool:
    """Store the analytics of one capture; false if not needed. volumes: None where they are to be read."""
    return _analyze(run, [capture], _volumes(run, [capture]) if volumes is None else volumes)


def _volumes(run: Run, captures: Sequence[Capture]) -> Volumes:
    """The volume of all of these captures, by their records."""
    return volumes_of(Records.of(chain.from_iterable(run.store.records(capture).rows() for capture in captures)))


def _volumes_across(run: Run, captures: Sequence[Capture]) -> Volumes:
    """Volumes over one capture of each tier: the sum of the tiers' own, where no symbol is in two of them."""
    own = {
        analysis.inputs: analysis.volumes
        for analysis in run.store.analyses([captures[0].partition.week_ending])
        if analysis.calc_version == CALC_VERSION
    }
    known = [own[capture.number,] for capture in captures if (capture.number,) in own]
    if len(known) < len(captures) or run.store.shared_symbols(captures):
        return _volumes(run, captures)
    return add_volumes(known)


def _analyze(run: Run, captures: Sequence[Capture], volumes: Volumes) -> bool:
    week_ending = captures[0].partition.week_ending
    analysis = analyze(captures, volumes, run.run_date, run.clock())
    across = analysis.tier == ALL_TIERS
    key = cross_tier_key(week_ending) if across else captures[0].partition.key

    def add() -> bool:
        with run.store.transaction(key) as tx:
            return tx.add_analysis(analysis)

    try:
        added = again(add)
    except PartitionLockedError as error:
        log.info("  %s", error.message)
        return False
    if added:
        shares = sum(share or 0.0 for share in analysis.venue_shares)
        log.info("  %s / %s: ✓ Computed venue_volume (%d venues)", week_ending, analysis.tier, len(volumes.venues))
        log.info("  %s / %s: ✓ Computed venue_share (sum=%.1f)", week_ending, analysis.tier, shares)
        if analysis.hhi is not None:
            log.info("  %s: ✓ Computed HHI (%s: %.3f)", week_ending, analysis.tier, analysis.hhi)
    return added


def analyze_week(run: Run, state: WeekState, expected: frozenset[Partition]) -> tuple[Anomaly, ...]:
    """The analytics across tiers, where they do not rest on the newest captures; a missing tier is a finding.

    expected: the partitions that this run looked for. Others' absence is not this run's to report.
    """
    inputs = state.cross_tier_inputs()
    if inputs is not None:
        if not state.cross_tier_analyzed:
            _analyze(run, inputs, _volumes_across(run, inputs))
        return ()
    absent = [tier for tier in TIERS if tier not in state.tiers or state.tiers[tier].normalized is None]
    partitions = [Partition(state.week_ending, tier) for tier in absent]
    missing = [p.tier.value for p in partitions if p in expected and publication_date(p) <= run.run_date]
    if not missing:
        return ()
    message = f"Missing tier {', '.join(missing)}, skipping cross-tier analytics"
    log.warning("  %s: %s", state.week_ending, message)
    details = {"expected": [tier.value for tier in TIERS], "missing": missing}
    key = week_key(state.week_ending)
    return (Anomaly(Severity.WARN, Category.INCOMPLETE_INPUT, key, Stage.CALC, message, details),)


def outcome(planned: Planned, what: Outcome, reason: str) -> PartitionReport:
    """The report of a partition that got no new capture."""
    latest = planned.latest
    return PartitionReport(
        week_ending=planned.partition.week_ending,
        tier=planned.partition.tier,
        outcome=what,
        reason=reason,
        capture_id=latest.capture_id if latest else None,
        revision=latest.revision if latest else None,
    )


def fail(run: Run, report: PartitionReport, error: Exception, stage: Stage) -> StepResult:
    """Record a partition's failure."""
    partition = Partition(report.week_ending, report.tier)
    anomaly = failure(error, partition.key, stage)
    log.error("  %s: %s", partition, anomaly.message)
    log.debug("  %s: failed", partition, exc_info=error)

    def record() -> None:
        with run.store.transaction() as tx:
            tx.record_checks([Check(partition.key, stage, (anomaly,))], run.clock())

    again(record)
    log.error("  Anomaly recorded: %s", anomaly.category)
    return StepResult(report, (anomaly,))


def skipped(planned: Planned, decision: Decision) -> Anomaly:
    """The audit trail of a decision not to ingest."""
    key = planned.partition.key
    return Anomaly(Severity.INFO, Category.REVISION_SKIPPED, key, Stage.RAW, decision.reason, _evidence(planned))


@frozen
class _Fetched:
    """A payload that is whole and the partition's own. began_at: when it was asked for."""

    began_at: datetime
    payload: Payload
    content_hash: str
    rows: int


def _fetch(run: Run, partition: Partition) -> _Fetched:
    began_at = run.clock()
    payload = run.source.fetch(partition)
    if not payload.documents:
        raise SourceDataError("the source gave no document", partition=partition)
    profiles = payload.profiled()
    for profiled in profiles:
        check_identity(profiled.distinct, partition)
    rows = sum(profiled.row_count for profiled in profiles)
    if payload.version is not None and payload.version.row_count != rows:
        counted = f"{rows:,} rows where the source counts {payload.version.row_count:,}"
        raise SourceDataError(f"not whole: {counted}", partition=partition)
    content_hash = combined_hash(profiled.canonical_hash() for profiled in profiles)
    return _Fetched(began_at, payload, content_hash, rows)


def _store_if_new(run: Run, planned: Planned, fetched: _Fetched) -> StepResult:
    with run.store.transaction(planned.partition.key) as tx:
        latest = tx.latest_capture(planned.partition)
        if latest is not None and latest.run_id == run.run_id and not _same_capture(latest, planned.latest):
            return _added_before(run, planned, latest)
        if latest is not None and not _same_capture(latest, planned.latest):
            # What we fetched may be older than what the other run stored: the next run will tell.
            reason = f"another run captured {latest} meanwhile"
            return StepResult(outcome(evolve(planned, latest=latest), Outcome.SKIPPED, reason))
        decision = decide_by_content(latest, fetched.content_hash, fetched.payload.version, forced=run.forced)
        act = _keep if decision.action is Action.SKIP else _add
        return act(run, tx, evolve(planned, latest=latest), fetched, decision)


def _added_before(run: Run, planned: Planned, capture: Capture) -> StepResult:
    """This step's own result, which a worker that died after its commit could not hand over."""
    decision = decide_by_content(planned.latest, capture.content_hash, capture.version, forced=run.forced)
    return _added(planned, capture, _silent_revision(planned, decision))


def _announce(partition: Partition, result: StepResult) -> None:
    """Say what was committed."""
    report = result.report
    if report.outcome is Outcome.SKIPPED:
        log.info("  %s: %s, skipping", partition, report.reason)
        return
    log.info("  %s: Revision needed (%s)", partition, report.reason)
    log.info("  %s: ✓ Ingested %s rows (capture: %s)", partition, f"{report.rows:,}", report.capture_id)
    for anomaly in result.found:
        log.warning("  %s: Silent revision: %s", partition, anomaly.message)


def _same_capture(one: Capture, other: Capture | None) -> bool:
    return other is not None and one.number == other.number


def _keep(run: Run, tx: Transaction, planned: Planned, fetched: _Fetched, decision: Decision) -> StepResult:
    if fetched.payload.version is not None and planned.latest is not None:
        tx.mark_verified(planned.latest, fetched.began_at)
    anomaly = skipped(planned, decision)
    tx.record_checks([Check(planned.partition.key, Stage.RAW, (anomaly,))], run.clock())
    return StepResult(outcome(planned, Outcome.SKIPPED, decision.reason), (anomaly,))


def _add(run: Run, tx: Transaction, planned: Planned, fetched: _Fetched, decision: Decision) -> StepResult:
    partition = planned.partition
    at = next_captured_at(run.clock(), planned.latest)
    new = NewCapture(
        capture_id=generate_capture_id(DOMAIN, partition.week_ending, partition.tier, run.run_date),
        partition=partition,
        captured_at=at,
        verified_at=fetched.began_at,
        content_hash=fetched.content_hash,
        version=fetched.payload.version,
        row_count=fetched.rows,
        run_id=run.run_id,
        reason=decision.reason,
    )
    capture = tx.add_capture(new, fetched.payload)
    tx.withdraw_readiness(partition.week_ending, f"{partition.tier}: {capture} is not normalized", at)
    found = _silent_revision(planned, decision)
    tx.record_checks([Check(partition.key, Stage.RAW, found)], at)
    return _added(planned, capture, found)


def _added(planned: Planned, capture: Capture, found: tuple[Anomaly, ...]) -> StepResult:
    report = outcome(evolve(planned, latest=capture), Outcome.INGESTED, capture.reason)
    return StepResult(evolve(report, rows=capture.row_count, stages=(Stage.RAW.value,)), found)


def _silent_revision(planned: Planned, decision: Decision) -> tuple[Anomaly, ...]:
    if not decision.silent:
        return ()
    message = f"the content changed while FINRA's version stayed {planned.version}"
    key = planned.partition.key
    return (Anomaly(Severity.WARN, Category.SILENT_REVISION, key, Stage.RAW, message, _evidence(planned)),)


def _evidence(planned: Planned) -> dict[str, object]:
    """What a decision rests on, for the audit trail."""
    evidence: dict[str, object] = {}
    if planned.version is not None:
        evidence["source_last_updated"] = planned.version.last_update_date.isoformat()
        evidence["source_row_count"] = planned.version.row_count
    if planned.latest is not None:
        evidence["capture_id"] = planned.latest.capture_id
        evidence["content_hash"] = planned.latest.content_hash
    return evidence


def _rejected_rows(capture: Capture, reasons: Sequence[str]) -> tuple[Anomaly, ...]:
    if not reasons:
        return ()
    message = f"{len(reasons):,} of {capture.row_count:,} rows rejected; the first: {reasons[0]}"
    details = {"rejected": len(reasons), "capture_id": capture.capture_id}
    key = capture.partition.key
    return (Anomaly(Severity.WARN, Category.REJECTED_ROWS, key, Stage.NORMALIZED, message, details),)
