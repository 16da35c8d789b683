"""A run: plan, ingest, normalize, analyze, judge, report.

A run is a reconciliation. Ingest acts on what the source has changed. Every later phase does whatever the store lacks,
so the next run finishes what a killed one left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from datetime import datetime, timezone

from attrs import evolve

from finra_core.domain.clock import new_run_id, utc_now
from finra_core.domain.errors import ConfigurationError, PlanDriftError, StoreError
from finra_core.ports.observer import Observer, RunFinished, RunStarted
from finra_core.ports.source import Source
from finra_core.ports.store import Store
from finra_core.runs.carrying_out import carry_out, rehearse
from finra_core.runs.context import Observers, Run
from finra_core.runs.failed_runs import record_failed_run
from finra_core.runs.log import RunLog
from finra_core.runs.plan import PLAN_VERSION, Plan, drift
from finra_core.runs.planning import make_plan, resolve
from finra_core.runs.pool import Meter, Pool, Pools
from finra_core.runs.report import RunReport
from finra_core.runs.request import Mode, RunRequest
from finra_core.runs.targets import check_request


class Scheduler:
    """Runs FINRA's weeks from a source into a store.

    source, store: the caller opens and closes them. executor: does the steps of different partitions; the caller shuts
    it down. By default threads fetch partitions, as many at once as the request's workers, and everything else is done
    in the caller's thread. clock: the current time, aware, UTC. observers: told of what happens, besides the log.
    """

    def __init__(
        self,
        *,
        source: Source,
        store: Store,
        executor: Executor | None = None,
        clock: Callable[[], datetime] = utc_now,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._source = source
        self._store = store
        self._executor = executor
        self._clock = clock
        self._observer = Observers((RunLog(), *observers))
        self._meter = Meter()

    def plan(self, request: RunRequest | None = None) -> Plan:
        """What a run would do now. Where only the content can decide, it is fetched and compared. Nothing is written.

        Raises:
            ConfigurationError: the request cannot be carried out; nothing was read.
            WorkersLostError: the executor has none left.
            StoreError: the store failed.
        """
        request = request or RunRequest()
        run = self._begin(request)
        with self._pools(request) as pools:
            return resolve(run, make_plan(run, request, pools.fetching), pools.fetching)

    def rehearse(self, plan: Plan) -> RunReport:
        """The report of a dry run: what the plan says. Nothing is done.

        Raises:
            ConfigurationError: the plan's request cannot be carried out.
        """
        _check_version(plan)
        request = evolve(plan.request, mode=Mode.DRY_RUN, run_date=plan.run_date)
        run = self._begin(request)
        run.tell(RunStarted, mode=request.mode.value, run_date=run.run_date)
        with self._pools(request) as pools:
            return self._finish(run, rehearse(run, plan, pools, plan.planned_at))

    def apply(self, plan: Plan) -> RunReport:
        """Do what a plan says, if source and store are still as it saw them.

        Raises:
            PlanDriftError: they are not. Nothing was written.
            ConfigurationError: as for `run`, or the plan was made by a release that writes other plans.
            WorkersLostError, StoreError: as for `run`.
        """
        _check_version(plan)
        request = evolve(plan.request, mode=Mode.RUN, run_date=plan.run_date)
        run = self._begin(request)
        run.tell(RunStarted, mode=request.mode.value, run_date=run.run_date)
        started_at = self._clock()
        with self._pools(request) as pools:
            now = make_plan(run, request, pools.fetching)
            if plan.resolved:
                now = resolve(run, now, pools.fetching)
            changed = drift(plan, now)
            if changed:
                more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
                raise PlanDriftError(f"the plan is stale: {changed[0]}{more}: make a new plan", differences=changed)
            return self._carry_out(run, now, pools, started_at)

    def run(self, request: RunRequest | None = None) -> RunReport:
        """Make one run and report on it. A partition's failure is in the report, not raised.

        Raises:
            ConfigurationError: the request cannot be carried out; nothing was read or written.
            WorkersLostError: the executor has no worker left.
            StoreError: the store failed. What was committed stays, and the next run goes on from there.
        """
        request = request or RunRequest()
        run = self._begin(request)
        run.tell(RunStarted, mode=request.mode.value, run_date=run.run_date)
        started_at = self._clock()
        with self._pools(request) as pools:
            plan = make_plan(run, request, pools.fetching)
            if request.mode is Mode.DRY_RUN:
                resolved = resolve(run, plan, pools.fetching)
                return self._finish(run, rehearse(run, resolved, pools, started_at))
            return self._carry_out(run, plan, pools, started_at)

    def _begin(self, request: RunRequest) -> Run:
        if not isinstance(request, RunRequest):
            raise ConfigurationError(f"request: {request!r} is no RunRequest")
        now = self._clock()
        if now.utcoffset() is None:
            raise ConfigurationError(f"clock: {now!r} has no time zone: give a clock of aware times")
        run_date = request.run_date or now.astimezone(timezone.utc).date()
        check_request(request, run_date)
        run = Run(
            run_id=new_run_id(),
            run_date=run_date,
            clock=self._clock,
            source=self._source,
            store=self._store,
            observer=self._observer,
            forced=request.forced,
            policies=request.policies,
            bounds=request.bounds,
        )
        if self._executor is not None:
            # If source or store cannot go where the executor works, that is known before anything is read or written.
            self._executor.submit(_follow, run).result()
        return run

    def _carry_out(self, run: Run, plan: Plan, pools: Pools, started_at: datetime) -> RunReport:
        try:
            return self._finish(run, carry_out(run, plan, pools, started_at))
        except StoreError:
            raise  # a store that fails cannot record it
        except Exception as error:
            with suppress(StoreError):  # the error that ended the run is the one to raise
                record_failed_run(run.store, error, run.clock)
            raise

    def _finish(self, run: Run, report: RunReport) -> RunReport:
        seconds = (report.finished_at - report.started_at).total_seconds()
        run.tell(RunFinished, exit_code=report.exit_code, seconds=seconds)
        return report

    @contextmanager
    def _pools(self, request: RunRequest) -> Iterator[Pools]:
        """Who fetches, and who computes."""
        at_once = 2 * request.workers
        if self._executor is not None:
            pool = Pool(self._executor, at_once, self._meter)
            yield Pools(fetching=pool, computing=pool)
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  not needed where one is given

        threads = ThreadPoolExecutor(request.workers, "finra")
        try:
            yield Pools(fetching=Pool(threads, at_once, self._meter), computing=Pool(None, at_once, self._meter))
        except BaseException as error:
            # Whoever interrupts a run does not want to wait for the time-out of a server that does not answer.
            threads.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
            raise
        threads.shutdown()


def _check_version(plan: Plan) -> None:
    if plan.schema_version != PLAN_VERSION:
        versions = f"the plan has version {plan.schema_version}, this release reads version {PLAN_VERSION}"
        raise ConfigurationError(f"{versions}: make a new plan")


def _follow(_run: Run) -> None:
    """Do nothing. If a worker can call this, source and store can be opened there."""
