"""A run: plan, ingest, normalize, analyze, judge, report.

A run is a reconciliation. Ingest acts on what the source has changed; every later phase does what the store
says is missing, whoever left it so, and therefore a run after a crash ends where an undisturbed one would.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import date, datetime
from functools import partial
from itertools import groupby
from typing import TypeVar

from attrs import evolve

from finra_core.domain.analytics import CALC_VERSION, Volumes
from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.clock import new_run_id, utc_now
from finra_core.domain.errors import SourceError
from finra_core.domain.failures import describe, failure
from finra_core.domain.partitions import Partition, week_key
from finra_core.domain.readiness import Readiness, evaluate_readiness
from finra_core.domain.revision import Action
from finra_core.ports import Listing, RunRecord, Source, Store, Usage
from finra_core.runs.account import Account
from finra_core.runs.planning import (
    Absence,
    Candidate,
    Planned,
    check_request,
    describe_absence,
    target_partitions,
)
from finra_core.runs.report import Outcome, PartitionReport, RunReport
from finra_core.runs.request import Mode, Order, RunRequest
from finra_core.runs.steps import (
    Metered,
    Run,
    again,
    analyze_capture,
    analyze_week,
    arrive,
    ingest,
    metered,
    normalize,
    outcome,
    plan,
    rehearse,
    skipped,
)

log = logging.getLogger("finra_core.run")

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int], None]
"""Called with the phase, how many of its steps are done, and how many it has."""


def _no_progress(_phase: str, _done: int, _total: int) -> None:
    """Nobody is watching."""


class Scheduler:
    """Runs FINRA's weeks from a source into a store.

    source, store: the two ports; the caller opens and closes them. executor: does the steps of different
    partitions; the caller shuts it down. By default partitions are fetched by threads of its own, as many as the
    request's workers, and all else is done in the caller's thread. clock: the current time, aware, UTC.
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
        self._elsewhere: dict[str, Usage] = {}

    def run(self, request: RunRequest | None = None) -> RunReport:
        """Make one run and report on it. A partition's failure is in the report, not raised.

        Raises:
            ConfigurationError: the request cannot be carried out; nothing was read or written.
            WorkersLostError: the executor has none left; otherwise as with StoreError.
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
            verify=request.verify,
        )
        attempt = partial(_Attempt, run, request, progress=self._progress, elsewhere=self._elsewhere)
        if self._executor is not None:
            # What cannot follow to where the executor works is to be known before anything is written.
            self._executor.submit(arrive, run).result()
            return attempt(self._executor, self._executor).make(started_at)
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  not needed where one is given

        threads = ThreadPoolExecutor(request.workers, "finra")
        try:
            report = attempt(threads, None).make(started_at)
        except BaseException as error:
            # Who interrupts a run will not wait for the time-out of a server that does not answer.
            threads.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
            raise
        threads.shutdown()
        return report


class _Attempt:
    """One run while it is made.

    fetching, computing: who does the steps; None is this thread. elsewhere: what the sources that worker
    processes opened have cost so far, by their names; kept from run to run, as the source's own usage is.
    """

    def __init__(
        self,
        run: Run,
        request: RunRequest,
        fetching: Executor,
        computing: Executor | None,
        *,
        progress: Progress,
        elsewhere: dict[str, Usage],
    ) -> None:
        self._run = run
        self._request = request
        self._fetching = fetching
        self._computing = computing
        self._progress = progress
        self._elsewhere = elsewhere
        self._account = Account()
        self._volumes: dict[int, Volumes] = {}
        self._listing_error: SourceError | None = None

    def make(self, started_at: datetime) -> RunReport:
        """Plan, then do it or say it."""
        if self._request.mode is Mode.DRY_RUN:
            listing, planned = self._plan()
            self._rehearse(planned)
            return self._report(started_at, listing, ())
        ledger = self._enter_ledger(started_at)
        listing, planned = self._plan()
        report = self._report(started_at, listing, self._carry_out(planned))
        finished = evolve(
            ledger, finished_at=report.finished_at, exit_code=report.exit_code, report_json=report.to_json()
        )
        with self._run.store.transaction() as tx:
            tx.finish_run(finished)
        return report

    # Plan -----------------------------------------------------------------------------------------

    def _plan(self) -> tuple[Listing, list[Planned]]:
        listing = self._list()
        problems = {problem.partition: problem for problem in listing.problems if problem.partition is not None}
        archived = listing.partitions | problems.keys() if self._run.source.archive else None
        targets = target_partitions(self._request, self._run.run_date, archived)
        log.info("Target weeks: %s", ", ".join(map(str, _weeks(targets))) or "none")
        if not targets:
            log.warning("Nothing to look at: the source lists no partition of the tiers asked for")
        latest = self._run.store.latest_captures(targets)
        candidates = [
            Candidate(
                partition=partition,
                latest=latest.get(partition),
                listed=partition in listing.partitions,
                problem=problems.get(partition, self._listing_error),
            )
            for partition in targets
        ]
        return listing, list(self._in_order(self._fetching, "Plan", plan, candidates))

    def _list(self) -> Listing:
        try:
            return self._run.source.listing()
        except SourceError as error:
            log.error("%s", error.message)  # noqa: TRY400  one line is the form of our errors
            self._listing_error = error
            return Listing(frozenset(), (error,))

    # Say it ---------------------------------------------------------------------------------------

    def _rehearse(self, plans: list[Planned]) -> None:
        for planned in self._in_order(self._fetching, "Compare", rehearse, plans):
            if planned.decision is not None and planned.decision.action is Action.INGEST:
                self._account.expect(self._run.source.price(planned.version))
                self._account.enter(outcome(planned, Outcome.WOULD_INGEST, planned.decision.reason))
            elif planned.decision is not None:
                found = skipped(planned, planned.decision)
                self._account.enter(outcome(planned, Outcome.WOULD_SKIP, planned.decision.reason), [found])
            else:
                self._account.enter(*self._without_fetch(planned))

    # Do it ----------------------------------------------------------------------------------------

    def _carry_out(self, plans: list[Planned]) -> tuple[Readiness, ...]:
        judged: dict[date, Readiness] = {}
        targets = frozenset(planned.partition for planned in plans)
        batches = self._batches(plans)
        for batch in batches:
            log.info("Phase 1: Ingestion")
            self._ingest(batch)
            # Later phases go by what the store lacks, in all weeks: that is how a killed run is finished. Of many
            # batches the last looks at weeks that none is about: did each, each would cost more than the one before.
            log.info("Phase 2: Normalization")
            self._normalize()
            log.info("Phase 3: Analytics")
            own = frozenset(planned.partition.week_ending for planned in batch)
            weeks = own.union(self._run.store.weeks()) if batch is batches[-1] else own
            checks = self._analyze(targets, weeks)
            log.info("Readiness Evaluation:")
            judged |= self._judge(own, weeks, checks)
        return tuple(judged[week] for week in sorted(judged, reverse=True))

    def _batches(self, plans: list[Planned]) -> list[list[Planned]]:
        if self._request.order is Order.PHASED or not plans:
            return [plans]
        weeks = _weeks(planned.partition for planned in plans)
        return [[p for p in plans if p.partition.week_ending == week] for week in weeks]

    def _ingest(self, plans: list[Planned]) -> None:
        self._settle([planned for planned in plans if not planned.needs_fetch])
        needed = [planned for planned in plans if planned.needs_fetch]
        for result in self._in_order(self._fetching, "Ingestion", ingest, needed):
            self._account.enter(result.report, result.found)

    def _settle(self, plans: list[Planned]) -> None:
        """Report, in one transaction, what needs no fetching: skipped, absent, and those whose probe failed."""
        checks = []
        for planned in plans:
            report, found = self._without_fetch(planned)
            checks.append(Check(planned.partition.key, Stage.RAW, found))
            self._account.enter(report, found)
        if checks:
            again(partial(self._record, checks))

    def _without_fetch(self, planned: Planned) -> tuple[PartitionReport, tuple[Anomaly, ...]]:
        if planned.error is not None:
            return self._failed(planned, planned.error)
        if planned.decision is None:
            return self._absent(planned)
        log.info("  %s: %s, skipping", planned.partition, planned.decision.reason)
        return outcome(planned, Outcome.SKIPPED, planned.decision.reason), (skipped(planned, planned.decision),)

    def _failed(self, planned: Planned, error: Exception) -> tuple[PartitionReport, tuple[Anomaly, ...]]:
        anomaly = failure(error, planned.partition.key, Stage.RAW)
        if error is not self._listing_error:  # told once, when it happened
            log.error("  %s: %s", planned.partition, anomaly.message)
            log.error("  Anomaly recorded: %s", anomaly.category)
        return outcome(planned, Outcome.FAILED, describe(error)), (anomaly,)

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

    def _normalize(self) -> None:
        waiting = self._run.store.unnormalized()
        by_partition = [list(captures) for _key, captures in groupby(waiting, key=lambda capture: capture.partition)]
        for result in self._in_order(self._computing, "Normalization", normalize, by_partition):
            self._account.enter(result.report, result.found)
            self._volumes.update(result.volumes)

    def _analyze(self, targets: frozenset[Partition], weeks: Collection[date]) -> list[Check]:
        for capture in self._run.store.unanalyzed(CALC_VERSION):
            # What this run has had in its hands need not be read again.
            if analyze_capture(self._run, capture, self._volumes.pop(capture.number, None)):
                self._account.complete(capture.partition, Stage.CALC)
        states = self._run.store.week_states(weeks, CALC_VERSION)
        checks = []
        for week in sorted((week for week in states if states[week].tiers), reverse=True):
            found = analyze_week(self._run, states[week], targets)
            self._account.note(found)
            checks.append(Check(week_key(week), Stage.CALC, found))
        return checks

    def _judge(self, own: Collection[date], weeks: Collection[date], checks: Sequence[Check]) -> dict[date, Readiness]:
        """Judge these weeks; those that this run is about, or whose judgment changed, are returned."""
        store = self._run.store
        states = store.week_states(weeks, CALC_VERSION)
        before = {readiness.week_ending: readiness for readiness in store.readiness(weeks)}
        judged = {week: evaluate_readiness(states[week], self._run.run_date) for week in sorted(weeks, reverse=True)}
        changed = [readiness for week, readiness in judged.items() if readiness != before.get(week)]
        again(partial(self._record, checks, changed))
        shown = {week: readiness for week, readiness in judged.items() if week in own or readiness in changed}
        for week, readiness in shown.items():
            _say_readiness(readiness, unchanged=readiness == before.get(week))
        return shown

    def _record(self, checks: Sequence[Check], readiness: Sequence[Readiness] = ()) -> None:
        with self._run.store.transaction() as tx:
            tx.put_readiness(readiness, self._run.clock())
            tx.record_checks(checks, self._run.clock())

    # Keep account ---------------------------------------------------------------------------------

    def _enter_ledger(self, started_at: datetime) -> RunRecord:
        record = RunRecord(
            run_id=self._run.run_id,
            started_at=started_at,
            finished_at=None,
            mode=self._request.mode.value,
            run_date=self._run.run_date,
            exit_code=None,
            report_json=None,
        )
        with self._run.store.transaction() as tx:
            tx.start_run(record)
        return record

    def _report(self, started_at: datetime, listing: Listing, readiness: tuple[Readiness, ...]) -> RunReport:
        return self._account.close(
            run_id=self._run.run_id,
            mode=self._request.mode.value,
            run_date=self._run.run_date,
            started_at=started_at,
            finished_at=self._run.clock(),
            problems=listing.problems,
            readiness=readiness,
            usage=sum(self._elsewhere.values(), start=self._run.source.usage()),
        )

    def _in_order(
        self, executor: Executor | None, phase: str, step: Callable[[Run, T], R], items: Sequence[T]
    ) -> Iterator[R]:
        """The steps' results in the items' order; several at work, but never all of them at once."""
        results = map(partial(step, self._run), items) if executor is None else self._submitted(executor, step, items)
        for done, result in enumerate(results, start=1):
            self._progress(phase, done, len(items))
            yield result

    def _submitted(self, executor: Executor, step: Callable[[Run, T], R], items: Sequence[T]) -> Iterator[R]:
        pending: deque[Callable[[], Metered[R]]] = deque()
        for item in items:
            pending.append(executor.submit(metered, step, self._run, item).result)
            if len(pending) > 2 * self._request.workers:
                yield self._took(pending.popleft()())
        while pending:
            yield self._took(pending.popleft()())

    def _took(self, metered: Metered[R]) -> R:
        if metered.source is not None:
            # Results come in the items' order, not in that of the work: the most is the latest.
            so_far = self._elsewhere.get(metered.source, Usage())
            self._elsewhere[metered.source] = max(so_far, metered.usage, key=lambda usage: usage.requests)
        return metered.result


def _weeks(partitions: Iterable[Partition]) -> list[date]:
    return sorted({partition.week_ending for partition in partitions}, reverse=True)


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
