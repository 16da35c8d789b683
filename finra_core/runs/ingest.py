"""Phase 1: fetch a partition, and store it as a new capture if its content is new."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from finra_core.domain.anomalies import OF_INGESTION, Anomaly, Category, Check, Severity, Stage
from finra_core.domain.captures import (
    Capture,
    NewCapture,
    generate_capture_id,
    newest,
    next_captured_at,
    next_revision,
)
from finra_core.domain.errors import FinraError, PartitionLockedError, SourceBudgetError, SourceDataError, StoreError
from finra_core.domain.failures import Failure, failure_of
from finra_core.domain.partitions import DOMAIN, Partition
from finra_core.domain.readiness import Judgment, withdraw
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import TIERS
from finra_core.history.sealing import writing
from finra_core.ports.observer import AnomalyFound, CaptureStored, Decided, FetchStarted, StepFailed
from finra_core.ports.store import CaptureQuery, DecisionRecord, JudgmentQuery, Lock, UnitOfWork
from finra_core.runs.context import Run
from finra_core.runs.fetching import Fetched, fetch
from finra_core.runs.forms import decide_fetched
from finra_core.runs.plan import Origin, PlannedPartition
from finra_core.runs.reading import Reading, read_ahead
from finra_core.runs.transactions import again, put_decisions, record_checks
from finra_core.runs.wording import reason


@frozen(kw_only=True)
class Ingested:
    """What became of a partition in this phase.

    capture: the one that was stored, None where none was. kept_at: when a content was fetched that the newest capture
    has already, and that is not recorded yet. failure: why it failed, None where it did not. reading: of the capture,
    where it was read ahead.
    """

    partition: Partition
    decision: Decision
    capture: Capture | None = None
    kept_at: datetime | None = None
    failure: Failure | None = None
    found: tuple[Anomaly, ...] = ()
    reading: Reading | None = None


def ingest(run: Run, planned: PlannedPartition) -> Ingested:
    """Fetch a partition, and store it if its content is new. A failure is in the result, unless the store failed.

    That the newest capture has the content already is for the caller to record: `record_kept`.
    """
    partition = planned.partition
    began = run.clock()
    run.tell(FetchStarted, partition=partition, source=run.source.info.label)
    try:
        fetched = fetch(run, partition, planned.decision.evidence.version)
        _check_unchanged(planned, fetched)
        if _is_known(run, planned, fetched):
            return _kept(planned, fetched)
        result = again(run, lambda: _store_if_new(run, planned, fetched))
    except PartitionLockedError as error:
        result = _leave(run, planned, Rule.LOCKED, error)
    except SourceBudgetError as error:
        if not planned.is_optional:
            return _fail(run, planned, error)
        result = _leave(run, planned, Rule.OVER_BUDGET, error)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  one partition's failure is that partition's, whatever it is
        return _fail(run, planned, error)
    _tell(run, result, began)
    if result.capture is None:
        return result
    return evolve(result, reading=read_ahead(fetched.payload.documents, partition))


def _check_unchanged(planned: PlannedPartition, fetched: Fetched) -> None:
    """Check that the content is the one that the plan compared, if it compared any.

    Raises:
        SourceDataError: the source has other content by now.
    """
    expected = planned.decision.evidence.content_hash
    if expected is not None and expected != fetched.content_hash:
        message = f"the plan saw content {expected[:8]}, the source has {fetched.content_hash[:8]}: plan again"
        raise SourceDataError(message, partition=planned.partition)


def _is_known(run: Run, planned: PlannedPartition, fetched: Fetched) -> bool:
    """Whether the store's newest capture, as the plan saw it, has this content."""
    latest = planned.latest
    return _forced(run, planned) is None and latest is not None and latest.content_hash == fetched.content_hash


def _forced(run: Run, planned: PlannedPartition) -> str | None:
    return run.forced if planned.origin is Origin.ASKED else None


def _kept(planned: PlannedPartition, fetched: Fetched) -> Ingested:
    evidence = Evidence(
        latest=planned.latest, version=fetched.payload.version, content_hash=fetched.content_hash, note=None
    )
    decision = Decision(Action.SKIP, Rule.CONTENT_UNCHANGED, evidence)
    found = (skipped(planned.partition, decision),)
    return Ingested(partition=planned.partition, decision=decision, kept_at=fetched.began_at, found=found)


def record_kept(run: Run, kept: Sequence[Ingested]) -> list[Ingested]:
    """Record, in one transaction, that the newest captures have what was fetched, and tell of it.

    The results as they were recorded: another run may have stored something else meanwhile.
    """
    results = again(run, lambda: _record_kept(run, kept))
    for result in results:
        _tell(run, result, run.clock())
    return results


def _record_kept(run: Run, kept: Sequence[Ingested]) -> list[Ingested]:
    partitions = frozenset(result.partition for result in kept)
    with writing(run.store, Scope(), run.clock) as unit:
        at = run.clock()
        newest_of = {c.partition: c for c in unit.captures(CaptureQuery(partitions=partitions, newest=True))}
        results = [_against(newest_of[result.partition], result) for result in kept]
        verified = [(newest_of[result.partition], result.kept_at) for result in results if result.kept_at]
        unit.put_checked([_verified(capture, kept_at) for capture, kept_at in verified])
        put_decisions(unit, [decision_record(run, result.partition, result.decision, at) for result in results])
        checks = [Check(Scope.partition(r.partition), Stage.RAW, r.found, OF_INGESTION) for r in results if r.found]
        record_checks(unit, checks, at)
    return results


def _against(latest: Capture, result: Ingested) -> Ingested:
    """The result as it is now, with this capture the newest one."""
    seen = result.decision.evidence.latest
    if seen is not None and seen.number == latest.number:
        return result
    return Ingested(partition=result.partition, decision=_captured_meanwhile(result.decision.evidence, latest))


def _captured_meanwhile(evidence: Evidence, latest: Capture) -> Decision:
    """What was fetched may be older than what the other run stored. The next run will see."""
    return Decision(Action.SKIP, Rule.CAPTURED_MEANWHILE, evolve(evidence, latest=CaptureRef.of(latest)))


def _verified(capture: Capture, at: datetime) -> Capture:
    verified_at = max(at, capture.verified_at)
    return evolve(capture, verified_at=verified_at, checked_at=max(verified_at, capture.checked_at))


def _store_if_new(run: Run, planned: PlannedPartition, fetched: Fetched) -> Ingested:
    partition = planned.partition
    forced = _forced(run, planned)
    with writing(run.store, Scope.partition(partition), run.clock) as unit:
        captures = unit.captures(CaptureQuery(partitions=frozenset({partition})))
        latest = newest(captures)
        if latest is not None and not _is_planned_for(planned, latest):
            if latest.run_id == run.run_id:
                # This very step stored it, in a worker that died after the commit and before it could answer.
                decision = decide_fetched(unit, captures[:-1], fetched, forced)
                found = _silent_revision(partition, decision)
                return Ingested(partition=partition, decision=decision, capture=latest, found=found)
            decision = _captured_meanwhile(planned.decision.evidence, latest)
            put_decisions(unit, [decision_record(run, partition, decision, run.clock())])
            return Ingested(partition=partition, decision=decision)
        decision = decide_fetched(unit, captures, fetched, forced)
        if decision.action is Action.SKIP and latest is not None:
            return _keep(run, unit, latest, fetched, decision)
        return _add(run, unit, captures, fetched, decision)


def _is_planned_for(planned: PlannedPartition, latest: Capture) -> bool:
    return planned.latest is not None and planned.latest.number == latest.number


def _leave(run: Run, planned: PlannedPartition, rule: Rule, error: FinraError) -> Ingested:
    """Leave a partition to another run: the one that is writing it, or one that has bytes left."""
    decision = Decision(Action.SKIP, rule, evolve(planned.decision.evidence, note=error.message))

    def record() -> None:
        with writing(run.store, Scope(), run.clock) as unit:
            put_decisions(unit, [decision_record(run, planned.partition, decision, run.clock())])

    again(run, record)
    return Ingested(partition=planned.partition, decision=decision)


def _keep(run: Run, unit: UnitOfWork, latest: Capture, fetched: Fetched, decision: Decision) -> Ingested:
    """The newest capture has this content: record that, and why nothing was stored."""
    at = run.clock()
    unit.put_checked([_verified(latest, fetched.began_at)])
    put_decisions(unit, [decision_record(run, latest.partition, decision, at)])
    found = (skipped(latest.partition, decision),)
    record_checks(unit, [Check(Scope.partition(latest.partition), Stage.RAW, found, OF_INGESTION)], at)
    return Ingested(partition=latest.partition, decision=decision, found=found)


def _add(
    run: Run,
    unit: UnitOfWork,
    captures: list[Capture],
    fetched: Fetched,
    decision: Decision,
) -> Ingested:
    partition = fetched.partition
    at = next_captured_at(run.clock(), newest(captures))
    capture_id = generate_capture_id(DOMAIN, partition.week_ending, partition.tier, run.run_date)
    new = NewCapture(
        capture_id=capture_id,
        revision=next_revision(captures, capture_id),
        partition=partition,
        captured_at=at,
        verified_at=fetched.began_at,
        content_hash=fetched.content_hash,
        version=fetched.payload.version,
        row_count=fetched.rows,
        run_id=run.run_id,
        reason=reason(decision),
    )
    capture = unit.put_capture(new, fetched.payload)
    unit.put_decisions([decision_record(run, partition, decision, at)])
    found = _silent_revision(partition, decision)
    record_checks(unit, [Check(Scope.partition(partition), Stage.RAW, found, OF_INGESTION)], at)
    _withdraw_readiness(run, unit, capture)
    return Ingested(partition=partition, decision=decision, capture=capture, found=found)


def _withdraw_readiness(run: Run, unit: UnitOfWork, capture: Capture) -> None:
    """Withdraw the judgments on a week, but for uses that do not need this tier: its capture has no records yet."""
    unit.hold(Lock.JUDGMENTS)
    tiers = {policy.name: policy.tiers for policy in run.policies}
    at = max(run.clock(), capture.captured_at)  # after the lock: whoever held it may have judged in between
    judged = [
        each
        for each in unit.judgments(JudgmentQuery(weeks=frozenset({capture.partition.week_ending})))
        if capture.partition.tier in tiers.get(each.readiness.ready_for, TIERS)
    ]
    if judged:
        unit.put_judgments(
            [
                Judgment(readiness=withdraw(each.readiness, capture), judged_at=max(at, each.judged_at))
                for each in judged
            ]
        )


def decision_record(run: Run, partition: Partition, decision: Decision, at: datetime) -> DecisionRecord:
    """A decision as the store keeps it."""
    return DecisionRecord(
        run_id=run.run_id, partition=partition, decision=decision, reason=reason(decision), decided_at=at
    )


def skipped(partition: Partition, decision: Decision) -> Anomaly:
    """The INFO anomaly for a decision not to ingest."""
    return Anomaly(
        Severity.INFO,
        Category.REVISION_SKIPPED,
        Scope.partition(partition),
        Stage.RAW,
        reason(decision),
        _facts(decision),
    )


def _silent_revision(partition: Partition, decision: Decision) -> tuple[Anomaly, ...]:
    if decision.rule is not Rule.SILENT_REVISION:
        return ()
    message = f"the content changed while FINRA's version stayed {decision.evidence.version}"
    scope = Scope.partition(partition)
    return (Anomaly(Severity.WARN, Category.SILENT_REVISION, scope, Stage.RAW, message, _facts(decision)),)


def _facts(decision: Decision) -> dict[str, str | int | float | bool | None]:
    """The evidence of a decision as names and scalar values."""
    evidence = decision.evidence
    facts: dict[str, str | int | float | bool | None] = {"rule": decision.rule.value}
    if evidence.version is not None:
        facts["source_last_updated"] = evidence.version.last_update_date.isoformat()
        facts["source_row_count"] = evidence.version.row_count
    if evidence.latest is not None:
        facts["capture_id"] = evidence.latest.capture_id
        facts["content_hash"] = evidence.latest.content_hash
    return facts


def _fail(run: Run, planned: PlannedPartition, error: Exception) -> Ingested:
    partition, failure = planned.partition, failure_of(error)
    decision = Decision(Action.FAIL, Rule.CONTENT_REFUSED, evolve(planned.decision.evidence, note=failure.message))
    anomaly = failure.as_anomaly(Scope.partition(partition), Stage.RAW)
    run.tell(StepFailed, partition=partition, stage=Stage.RAW, error=error)

    def record() -> None:
        with writing(run.store, Scope(), run.clock) as unit:
            at = run.clock()
            put_decisions(unit, [decision_record(run, partition, decision, at)])
            record_checks(unit, [Check(anomaly.scope, Stage.RAW, (anomaly,), OF_INGESTION)], at)

    again(run, record)
    result = Ingested(partition=partition, decision=decision, failure=failure, found=(anomaly,))
    _tell(run, result, run.clock())
    return result


def _tell(run: Run, result: Ingested, began: datetime) -> None:
    """Tell what was committed."""
    why = reason(result.decision)
    if result.capture is None:
        run.tell(Decided, partition=result.partition, decision=result.decision, reason=why)
    else:
        seconds = (run.clock() - began).total_seconds()
        run.tell(CaptureStored, capture=result.capture, decision=result.decision, reason=why, seconds=seconds)
    for anomaly in result.found:
        run.tell(AnomalyFound, anomaly=anomaly)
