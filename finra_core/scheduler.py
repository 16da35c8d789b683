"""A run: plan, ingest, normalise, analyse, judge, report.

A run is a reconciliation. Ingest acts on what the source has changed; every later phase does what the store
says is missing, whoever left it so, and therefore a run after a crash ends where an undisturbed one would.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor
from datetime import date, datetime
from typing import TypeVar

from attrs import evolve

from finra_core.ambient import new_run_id, utc_now
from finra_core.analytics import CALC_VERSION
from finra_core.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.captures import Capture
from finra_core.errors import SourceError
from finra_core.failures import describe, failure
from finra_core.partitions import Partition, week_key
from finra_core.planning import (
    Absence,
    Planned,
    check_request,
    describe_absence,
    explain_absence,
    target_partitions,
)
from finra_core.ports import Listing, RunRecord, Source, Store, Usage
from finra_core.readiness import Readiness, evaluate_readiness
from finra_core.report import SCHEMA_VERSION, Outcome, PartitionReport, RunReport, exit_code
from finra_core.request import Mode, Order, RunRequest
from finra_core.revision import Action, Decision, decide_by_version
from finra_core.steps import (
    Run,
    StepResult,
    analyse_captures,
    analyse_week,
    compare,
    fail,
    ingest,
    normalise,
    outcome,
    skipped,
)
from finra_core.tiers import TIERS

log = logging.getLogger("finra_core.run")

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int], None]
"""Called with the phase, how many of its steps are done, and how many it has."""


def _no_progress(_phase: str, _done: int, _total: int) -> None:
    """Nobody is watching."""


class Scheduler:
    """Runs FINRA's weeks from a source into a store.

    source, store: the two ports; the caller opens and closes them. executor: fetches several partitions at once;
    by default threads of its own, as many as the request's workers. clock: the current time, aware, UTC.
    """

    def __init__(
        self,
        *,
        source: Source,
        store: Store,
        executor: Executor | None = None,
        clock: Callable[[], datetime] = utc_now,
        progress: Progress = _no_progress,
    ) -> None:
        self._source = source
        self._store = store
        self._executor = executor
        self._clock = clock
        self._progress = progress

    def run(self, request: RunRequest | None = None) -> RunReport:
        """Make one run and report on it. A partition's failure is in the report, not raised.

        Raises:
            ConfigurationError: the request cannot be carried out; nothing was read or written.
            StoreError: the store failed; what was committed before stays, and the next run goes on from there.
        """
        request = request or RunRequest()
        started_at = self._clock()
        run_date = request.run_date or started_at.date()
        check_request(request, run_date)
        run = Run(
            run_id=new_run_id(),
            run_date=run_date,
            clock=self._clock,
            source=self._source,
            store=self._store,
            forced=request.forced,
        )
        if self._executor is not None:
            return _Attempt(run, request, started_at, self._executor, self._progress).make()
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  not needed where one is given

        threads = ThreadPoolExecutor(request.workers, "finra")
        try:
            report = _Attempt(run, request, started_at, threads, self._progress).make()
        except BaseException as error:
            # Who interrupts a run will not wait for the time-out of a server that does not answer.
            threads.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
            raise
        threads.shutdown()
        return report


class _Attempt:
    """The state of one run while it is made."""

    def __init__(
        self, run: Run, request: RunRequest, started_at: datetime, executor: Executor, progress: Progress
    ) -> None:
        self._run = run
        self._request = request
        self._started_at = started_at
        self._executor = executor
        self._progress = progress
        self._reports: dict[Partition, PartitionReport] = {}
        self._found: list[Anomaly] = []
        self._expected_usage = Usage()

    def make(self) -> RunReport:
        """Plan, then do it or say it."""
        if self._request.mode is Mode.DRY_RUN:
            listing, plan = self._plan()
            self._rehearse(plan)
            return self._report(listing, ())
        ledger = self._enter_ledger()
        listing, plan = self._plan()
        report = self._report(listing, self._carry_out(plan))
        with self._run.store.transaction() as tx:
            tx.finish_run(
                evolve(
                    ledger,
                    finished_at=report.finished_at,
                    exit_code=report.exit_code,
                    report_json=report.to_json(),
                )
            )
        return report

    # Plan -----------------------------------------------------------------------------------------

    def _plan(self) -> tuple[Listing, list[Planned]]:
        listing, failed = self._list()
        archived = listing.partitions | _failing(listing) if self._run.source.archive else None
        targets = target_partitions(self._request, self._run.run_date, archived)
        log.info("Target weeks: %s", ", ".join(map(str, _weeks(targets))) or "none")
        if not targets:
            log.warning("Nothing to look at: the source lists no partition of the tiers asked for")
        if failed is not None:
            return listing, [Planned(partition=partition, error=failed) for partition in targets]
        latest = self._run.store.latest_captures(targets)
        errors = {problem.partition: problem for problem in listing.problems}

        def plan_one(partition: Partition) -> Planned:
            error = errors.get(partition)
            if error is not None:
                return Planned(partition=partition, latest=latest.get(partition), error=error)
            return self._plan_one(partition, latest.get(partition), partition in listing.partitions)

        return listing, list(self._in_order("Plan", plan_one, targets))

    def _list(self) -> tuple[Listing, SourceError | None]:
        try:
            return self._run.source.listing(), None
        except SourceError as error:
            return Listing(frozenset(), (error,)), error

    def _plan_one(self, partition: Partition, latest: Capture | None, listed: bool) -> Planned:
        if not listed:
            absence = explain_absence(partition, latest, self._run.run_date)
            return Planned(partition=partition, latest=latest, absence=absence)
        try:
            version = self._run.source.probe(partition)
        except SourceError as error:
            return Planned(partition=partition, latest=latest, error=error)
        decision = decide_by_version(latest, version, forced=self._run.forced, verify=self._request.verify)
        return Planned(partition=partition, latest=latest, version=version, decision=decision)

    # Say it ---------------------------------------------------------------------------------------

    def _rehearse(self, plan: list[Planned]) -> None:
        for planned, decision in zip(plan, self._in_order("Compare", self._decide_fully, plan), strict=True):
            self._reports[planned.partition] = self._would(planned, decision)

    def _decide_fully(self, planned: Planned) -> Decision | SourceError | None:
        if planned.decision is None or planned.decision.action is not Action.COMPARE:
            return planned.decision
        try:
            return compare(self._run, planned)
        except SourceError as error:
            return error

    def _would(self, planned: Planned, decision: Decision | SourceError | None) -> PartitionReport:
        if isinstance(decision, Decision):
            if decision.action is Action.INGEST:
                self._expect(self._run.source.price(planned.version))
                return outcome(planned, Outcome.WOULD_INGEST, decision.reason)
            self._found.append(skipped(planned, decision))
            return outcome(planned, Outcome.WOULD_SKIP, decision.reason)
        error = decision or planned.error
        if error is not None:
            self._found.append(failure(error, planned.partition.key, Stage.RAW))
            return outcome(planned, Outcome.FAILED, describe(error))
        report, found = self._absent(planned)
        self._found += found
        return report

    def _expect(self, price: Usage) -> None:
        so_far = self._expected_usage
        self._expected_usage = Usage(so_far.requests + price.requests, so_far.bytes_received + price.bytes_received)

    # Do it ----------------------------------------------------------------------------------------

    def _carry_out(self, plan: list[Planned]) -> tuple[Readiness, ...]:
        judged: dict[date, Readiness] = {}
        targets = frozenset(planned.partition for planned in plan)
        for batch in self._batches(plan):
            log.info("Phase 1: Ingestion")
            self._ingest(batch)
            # Later phases go by what the store lacks, in all weeks: that is how a killed run is finished.
            log.info("Phase 2: Normalization")
            self._normalise()
            log.info("Phase 3: Analytics")
            checks = self._analyse(targets)
            log.info("Readiness Evaluation:")
            judged |= self._judge(_weeks(planned.partition for planned in batch), checks)
        return tuple(judged[week] for week in sorted(judged, reverse=True))

    def _batches(self, plan: list[Planned]) -> list[list[Planned]]:
        if self._request.order is Order.PHASED or not plan:
            return [plan]
        return [[p for p in plan if p.partition.week_ending == week] for week in _weeks(p.partition for p in plan)]

    def _ingest(self, plan: list[Planned]) -> None:
        self._settle([planned for planned in plan if not _needs_fetch(planned)])
        needed = [planned for planned in plan if _needs_fetch(planned)]
        for result in self._in_order("Ingestion", lambda planned: ingest(self._run, planned), needed):
            self._take(result)

    def _settle(self, plan: list[Planned]) -> None:
        """Report, in one transaction, what needs no fetching: skipped, absent, and those whose probe failed."""
        checks = []
        for planned in plan:
            if planned.error is not None:
                failed = outcome(planned, Outcome.FAILED, describe(planned.error))
                self._take(fail(self._run, failed, planned.error, Stage.RAW))
                continue
            report, found = self._without_fetch(planned)
            checks.append(Check(planned.partition.key, Stage.RAW, found))
            self._take(StepResult(report, found))
        if checks:
            with self._run.store.transaction() as tx:
                tx.record_checks(checks, self._run.clock())

    def _without_fetch(self, planned: Planned) -> tuple[PartitionReport, tuple[Anomaly, ...]]:
        if planned.decision is None:
            return self._absent(planned)
        log.info("  %s: %s, skipping", planned.partition, planned.decision.reason)
        return outcome(planned, Outcome.SKIPPED, planned.decision.reason), (skipped(planned, planned.decision),)

    def _absent(self, planned: Planned) -> tuple[PartitionReport, tuple[Anomaly, ...]]:
        partition, absence = planned.partition, planned.absence or Absence.NOT_DUE
        reason = describe_absence(partition, absence, self._run.run_date)
        if absence is Absence.LATE:
            log.warning("  %s: %s", partition, reason)
            late = Anomaly(Severity.WARN, Category.LATE, partition.key, Stage.RAW, reason)
            return outcome(planned, Outcome.LATE, reason), (late,)
        log.info("  %s: %s", partition, reason)
        what = Outcome.SKIPPED if absence is Absence.GONE else Outcome.NOT_DUE
        return outcome(planned, what, reason), ()

    def _normalise(self) -> None:
        by_partition: dict[Partition, StepResult] = {}
        pending = self._run.store.unnormalised()
        for done, capture in enumerate(pending, start=1):
            # Oldest first, so that each capture is compared with the one before it. Only the newest one's
            # outcome is the partition's: once it has records, an older one that failed is superseded.
            by_partition[capture.partition] = normalise(self._run, capture)
            self._progress("Normalization", done, len(pending))
        for result in by_partition.values():
            self._take(result)

    def _analyse(self, targets: frozenset[Partition]) -> list[Check]:
        for capture in self._run.store.unanalysed(CALC_VERSION):
            if analyse_captures(self._run, [capture]):
                self._completed(capture.partition, Stage.CALC)
        states = self._run.store.week_states(self._run.store.weeks(), CALC_VERSION)
        checks = []
        for week in sorted(states, reverse=True):
            found = analyse_week(self._run, states[week], targets)
            self._note(found)
            checks.append(Check(week_key(week), Stage.CALC, found))
        return checks

    def _judge(self, weeks: Collection[date], checks: list[Check]) -> dict[date, Readiness]:
        """Judge every week of the store; those that this run looked at or whose judgement changed are returned."""
        store, now = self._run.store, self._run.clock()
        everything = sorted({*weeks, *store.weeks()}, reverse=True)
        states = store.week_states(everything, CALC_VERSION)
        before = {readiness.week_ending: readiness for readiness in store.readiness()}
        judged = {week: evaluate_readiness(states[week], self._run.run_date) for week in everything}
        changed = [judged[week] for week in everything if judged[week] != before.get(week)]
        with store.transaction() as tx:
            tx.put_readiness(changed, now)
            tx.record_checks(checks, now)
        shown = {week: judged[week] for week in everything if week in weeks or judged[week] in changed}
        for week, readiness in shown.items():
            _say_readiness(readiness, unchanged=readiness == before.get(week))
        return shown

    # Keep account ---------------------------------------------------------------------------------

    def _enter_ledger(self) -> RunRecord:
        record = RunRecord(
            run_id=self._run.run_id,
            started_at=self._started_at,
            finished_at=None,
            mode=self._request.mode.value,
            run_date=self._run.run_date,
            exit_code=None,
            report_json=None,
        )
        with self._run.store.transaction() as tx:
            tx.start_run(record)
        return record

    def _take(self, result: StepResult) -> None:
        """Fold a step's result into its partition's report: what failed stays failed, what was ingested stays so."""
        report = result.report
        partition = Partition(report.week_ending, report.tier)
        before = self._reports.get(partition)
        if before is not None:
            kept = report if report.outcome is Outcome.FAILED else before
            report = evolve(kept, stages=before.stages + report.stages, rows=before.rows)
        self._reports[partition] = report
        self._note(result.found)

    def _completed(self, partition: Partition, stage: Stage) -> None:
        before = self._reports.get(partition)
        if before is not None:
            self._reports[partition] = evolve(before, stages=(*before.stages, stage.value))

    def _note(self, found: Iterable[Anomaly]) -> None:
        """Count a finding once a run, however often a week-by-week run comes past it."""
        known = {anomaly.fingerprint for anomaly in self._found}
        self._found += [anomaly for anomaly in found if anomaly.fingerprint not in known]

    def _report(self, listing: Listing, readiness: tuple[Readiness, ...]) -> RunReport:
        # A problem of the whole source is told by every partition that it failed, if there is any.
        told = {report.reason for report in self._reports.values()}
        problems = tuple(problem.message for problem in listing.problems if problem.message not in told)
        for problem in problems:
            log.error("%s", problem)
        found = Counter(anomaly.severity.value for anomaly in self._found)
        found[Severity.ERROR.value] += len(problems)
        counts = {severity.value: found[severity.value] for severity in Severity}
        return RunReport(
            schema_version=SCHEMA_VERSION,
            run_id=self._run.run_id,
            mode=self._request.mode.value,
            run_date=self._run.run_date,
            started_at=self._started_at,
            finished_at=self._run.clock(),
            partitions=tuple(self._reports[p] for p in sorted(self._reports, key=_newest_first)),
            readiness=readiness,
            anomalies=counts,
            problems=problems,
            usage=self._run.source.usage(),
            expected_usage=self._expected_usage,
            exit_code=exit_code(counts).value,
        )

    def _in_order(self, phase: str, function: Callable[[T], R], items: list[T]) -> Iterator[R]:
        """The function's results in the items' order; several at work, but never all of them at once."""
        pending: deque[Callable[[], R]] = deque()
        for done, item in enumerate(items, start=1):
            pending.append(self._executor.submit(function, item).result)
            if len(pending) > 2 * self._request.workers:
                yield pending.popleft()()
            self._progress(phase, done - len(pending), len(items))
        while pending:
            yield pending.popleft()()
            self._progress(phase, len(items) - len(pending), len(items))


def _needs_fetch(planned: Planned) -> bool:
    return planned.decision is not None and planned.decision.action is not Action.SKIP


def _failing(listing: Listing) -> frozenset[Partition]:
    return frozenset(problem.partition for problem in listing.problems if problem.partition is not None)


def _weeks(partitions: Iterable[Partition]) -> list[date]:
    return sorted({partition.week_ending for partition in partitions}, reverse=True)


def _newest_first(partition: Partition) -> tuple[int, int]:
    return -partition.week_ending.toordinal(), TIERS.index(partition.tier)


def _say_readiness(readiness: Readiness, *, unchanged: bool) -> None:
    if readiness.is_ready:
        text = "✓ Already ready (no changes)" if unchanged else f"✓ Ready for {readiness.ready_for}"
        log.info("  %s: %s", readiness.week_ending, text)
        return
    # A week that only waits for FINRA's calendar is no trouble; anything else is.
    waiting = all(issue.startswith("Waiting") for issue in readiness.blocking_issues)
    level = logging.INFO if waiting else logging.WARNING
    present, issues = int(readiness.all_partitions_present), json.dumps(readiness.blocking_issues)
    text = f"NOT READY (all_partitions_present={present}, blocking_issues: {issues})"
    log.log(level, "  %s: %s", readiness.week_ending, text)
