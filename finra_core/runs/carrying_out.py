"""Carrying out a plan: ingest, normalize, analyze, judge, report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from attrs import define, evolve, field

from finra_core.domain.anomalies import OF_INGESTION, OF_WEEKS, Anomaly, Category, Check, Severity, Stage
from finra_core.domain.captures import Capture, by_partition, unnormalized
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness
from finra_core.domain.revision import Action, Rule
from finra_core.domain.scopes import Scope
from finra_core.history.sealing import writing
from finra_core.ports.observer import AnomalyFound, Decided, Phase, PhaseStarted
from finra_core.ports.store import CaptureQuery, RunRecord, UnitOfWork
from finra_core.runs.analyze import analyze_capture, analyze_week, missing_tiers
from finra_core.runs.context import Run
from finra_core.runs.coverage import coverage_checks
from finra_core.runs.failed_runs import passed_check
from finra_core.runs.ingest import Ingested, decision_record, ingest, record_kept, skipped
from finra_core.runs.judge import Standing, judge, read_standing
from finra_core.runs.normalize import Waiting, normalize
from finra_core.runs.places import place_checks, problem_anomalies
from finra_core.runs.plan import Plan, PlannedPartition
from finra_core.runs.pool import Pools
from finra_core.runs.reading import Measured, Reading
from finra_core.runs.report import RunReport, Tally, finished_report, ingested_report, planned_report
from finra_core.runs.request import Mode, Order
from finra_core.runs.sweep_findings import sweep_check, sweep_findings
from finra_core.runs.transactions import again, put_decisions, record_checks
from finra_core.runs.wording import reason

_UNCHANGED = frozenset({Rule.VERSION_UNCHANGED, Rule.CONTENT_UNCHANGED, Rule.RECORDS_UNCHANGED})
"""By its version, or by the content that a plan has compared."""


def rehearse(run: Run, plan: Plan, pools: Pools, started_at: datetime) -> RunReport:
    """The report of a dry run: what the plan says, and nothing done."""
    tally = Tally()
    placed = problem_anomalies(plan.problems)
    unswept = sweep_findings(plan.sweep)
    for anomaly in (*placed, *unswept):
        run.tell(AnomalyFound, anomaly=anomaly, recorded=False)
    tally.note([*placed, *unswept])
    for planned in plan.partitions:
        found = _findings(planned)
        tally.enter(planned_report(planned, rehearsed=True), found)
        if planned.decision.action in (Action.WAIT, Action.FAIL):
            _tell(run, plan, planned, found, recorded=False)
    return tally.close(
        plan,
        run_id=run.run_id,
        mode=Mode.DRY_RUN,
        started_at=started_at,
        finished_at=run.clock(),
        readiness=(),
        usage=pools.usage(run),
    )


def carry_out(run: Run, plan: Plan, pools: Pools, started_at: datetime) -> RunReport:
    """Do what the plan says and whatever else the store is missing, and enter the run in the ledger."""
    entry = RunRecord(
        run_id=run.run_id,
        started_at=started_at,
        finished_at=None,
        mode=Mode.RUN.value,
        run_date=run.run_date,
        exit_code=None,
        report_json=None,
    )
    again(run, lambda: _put_run(run, entry))
    work = _Work(run, plan, pools)
    readiness = work.do()
    report = work.tally.close(
        plan,
        run_id=run.run_id,
        mode=Mode.RUN,
        started_at=started_at,
        finished_at=run.clock(),
        readiness=readiness,
        usage=pools.usage(run),
    )
    finished = evolve(
        entry,
        finished_at=report.finished_at,
        exit_code=report.exit_code,
        report_json=report.to_json(),
        sweep_from=plan.sweep.next_from if plan.sweep and _is_all_seen(report) else None,
    )
    again(run, lambda: _put_finished(run, plan, finished))
    return report


def _is_all_seen(report: RunReport) -> bool:
    """Whether this run has seen each of its partitions as it is: no later one has to look at its days again."""
    missed = any(partition.rule in (Rule.LOCKED, Rule.CAPTURED_MEANWHILE) for partition in report.partitions)
    return not missed and not report.exit_code


def _put_run(run: Run, entry: RunRecord) -> None:
    with writing(run.store, Scope(), run.clock) as unit:
        unit.put_run(entry)


def _put_finished(run: Run, plan: Plan, entry: RunRecord) -> None:
    with writing(run.store, Scope(), run.clock) as unit:
        unit.put_run(entry)
        swept = [sweep_check(plan.sweep)] if plan.sweep else []
        record_checks(unit, [passed_check(), *swept], run.clock())


_KEPT_AT_ONCE = 50
"""So many unchanged partitions are recorded in one transaction: what is lost with a killed run is compared again."""


_ROWS_AT_HAND = 1_000_000
"""Readings of so many rows wait for their phase, some 30 MB. The payloads of others are read from the store then."""


@define
class _Work:
    """The phases of one run.

    in_hand: what it measured of the captures whose records it has stored. readings: of captures that it has stored and
    whose records it has not, by number.
    """

    run: Run
    plan: Plan
    pools: Pools
    tally: Tally = field(factory=Tally)
    in_hand: dict[int, Measured] = field(factory=dict)
    readings: dict[int, Reading] = field(factory=dict)

    def do(self) -> tuple[Readiness, ...]:
        """All phases, for all partitions together or week by week; the judgments, newest week first."""
        self._record_places()
        self._note(sweep_findings(self.plan.sweep))
        judged: dict[date, Readiness] = {}
        batches = self._batches()
        for batch in batches:
            self.ingest(batch)
            self.normalize()
            own = frozenset(planned.partition.week_ending for planned in batch)
            # Only the last batch looks at the weeks that no batch is about. If each did, each would cost more than
            # the one before.
            weeks = None if batch is batches[-1] else own
            checks = self.analyze(weeks)
            self.run.tell(PhaseStarted, phase=Phase.READINESS)
            judged |= judge(self.run, own, weeks, checks)
        return tuple(judged[week] for week in sorted(judged, reverse=True))

    def _record_places(self) -> None:
        """Record what the source holds and cannot offer as a partition, and resolve what it no longer holds."""
        root = self.run.source.info.root
        found = problem_anomalies(self.plan.problems)
        if not found and not root:
            return

        def record() -> None:
            with writing(self.run.store, Scope(), self.run.clock) as unit:
                record_checks(unit, place_checks(unit, self.plan, root), self.run.clock())

        again(self.run, record)
        for anomaly in found:
            self.run.tell(AnomalyFound, anomaly=anomaly)
        self.tally.note(found)

    def _batches(self) -> list[list[PlannedPartition]]:
        partitions = list(self.plan.partitions)
        if self.plan.request.order is Order.PHASED or not partitions:
            return [partitions]
        weeks = dict.fromkeys(planned.partition.week_ending for planned in partitions)
        return [[p for p in partitions if p.partition.week_ending == week] for week in weeks]

    def ingest(self, batch: list[PlannedPartition]) -> None:
        """Phase 1."""
        self.run.tell(PhaseStarted, phase=Phase.INGESTION)
        self._settle([planned for planned in batch if not planned.decision.needs_fetch])
        needed = [planned for planned in batch if planned.decision.needs_fetch]
        results = self.pools.fetching.run(Phase.INGESTION, ingest, self.run, needed)
        kept: list[tuple[PlannedPartition, Ingested]] = []
        for planned, result in zip(needed, results, strict=True):
            if result.kept_at is None:
                self._enter(planned, result)
                continue
            kept.append((planned, result))
            if len(kept) == _KEPT_AT_ONCE:
                self._keep(kept)
                kept = []
        self._keep(kept)

    def _enter(self, planned: PlannedPartition, result: Ingested) -> None:
        if result.capture is not None and result.reading is not None:
            at_hand = sum(len(reading.records) for reading in self.readings.values())
            if at_hand + len(result.reading.records) <= _ROWS_AT_HAND:
                self.readings[result.capture.number] = result.reading
        self.tally.enter(ingested_report(planned, result.decision, result.capture), result.found)

    def _keep(self, kept: Sequence[tuple[PlannedPartition, Ingested]]) -> None:
        """Record and report that the newest captures have what was fetched."""
        if kept:
            recorded = record_kept(self.run, [result for _planned, result in kept])
            for (planned, _result), result in zip(kept, recorded, strict=True):
                self._enter(planned, result)

    def _settle(self, settled: list[PlannedPartition]) -> None:
        """Report, and record in one transaction, what needs no fetching: partitions skipped, absent or failed."""
        if not settled:
            return
        found = {planned.partition: _findings(planned) for planned in settled}
        again(self.run, lambda: _record_settled(self.run, self.plan, settled, found))
        for planned in settled:
            _tell(self.run, self.plan, planned, found[planned.partition])
            self.tally.enter(planned_report(planned), found[planned.partition])

    def normalize(self) -> None:
        """Phase 2: every raw capture that waits for records, no matter which run left it so."""
        self.run.tell(PhaseStarted, phase=Phase.NORMALIZATION)
        waiting = self._waiting()
        for results in self.pools.computing.run(Phase.NORMALIZATION, normalize, self.run, waiting):
            for result in results:
                if result.measured is not None:
                    self.in_hand[result.capture.number] = result.measured
            newest = results[-1]
            self.readings.pop(newest.capture.number, None)
            failure = newest.failure.message if newest.failure else None
            report = finished_report(newest.capture, failure=failure)
            stages = (Stage.NORMALIZED,) if newest.measured else ()
            self.tally.enter(evolve(report, stages=stages), newest.found)

    def _waiting(self) -> list[Waiting]:
        """The captures that wait for records: one list for each partition, by week and tier."""
        with self.run.store.read() as view:
            bare = view.captures(CaptureQuery(normalized=False))
            # A capture that a newer one with records has superseded waits for nothing.
            partitions = frozenset(capture.partition for capture in bare)
            captures = view.captures(CaptureQuery(partitions=partitions)) if bare else []
        waiting = [own for every in by_partition(captures).values() if (own := unnormalized(every))]
        return [Waiting(captures=tuple(own), reading=self.readings.get(own[-1].number)) for own in waiting]

    def analyze(self, weeks: Collection[date] | None) -> list[Check]:
        """Phase 3: every capture without analytics, then these weeks across tiers. weeks: None means all."""
        self.run.tell(PhaseStarted, phase=Phase.ANALYTICS)
        standing = self._analyze_captures(self._read(weeks), weeks)
        states = standing.states(weeks)
        checks = self._check_coverage(weeks, standing)
        targets = frozenset(planned.partition for planned in self.plan.partitions)
        for week in sorted((week for week in states if states[week].tiers), reverse=True):
            analyze_week(self.run, states[week], self.in_hand)
            found = missing_tiers(states[week], targets, self.run.run_date)
            self._note(found)
            checks.append(Check(Scope.week(week), Stage.CALC, found, OF_WEEKS))
        self.in_hand.clear()
        return checks

    def _read(self, weeks: Collection[date] | None) -> Standing:
        with self.run.store.read() as view:
            return read_standing(view, weeks)

    def _analyze_captures(self, standing: Standing, weeks: Collection[date] | None) -> Standing:
        """Give every capture with records its analytics; how things stand then."""
        waiting = standing.unanalyzed()
        for capture in waiting:
            if analyze_capture(self.run, capture, self.in_hand) is not None:
                self.tally.complete(capture.partition, Stage.CALC)
        return self._read(weeks) if waiting else standing

    def _check_coverage(self, weeks: Collection[date] | None, standing: Standing) -> list[Check]:
        everything = standing.captures if weeks is None else None
        with self.run.store.read() as view:
            checks = coverage_checks(view, weeks, self.run.bounds, self.run.run_date, everything)
        # What stands in weeks that the run is not about was told when it was new.
        own = {planned.partition.week_ending for planned in self.plan.partitions}
        others = [record.anomaly for record in standing.anomalies if record.anomaly.scope.week_ending not in own]
        known = {anomaly.fingerprint: anomaly.details for anomaly in others}
        for check in checks:
            self._note([each for each in check.found if known.get(each.fingerprint) != each.details])
        return checks

    def _note(self, found: Sequence[Anomaly]) -> None:
        """Tell once a run of what a later transaction records, though several batches come past it."""
        for anomaly in self.tally.note(found):
            self.run.tell(AnomalyFound, anomaly=anomaly, recorded=False)


def _record_settled(
    run: Run, plan: Plan, settled: list[PlannedPartition], found: Mapping[Partition, tuple[Anomaly, ...]]
) -> None:
    looked_at = [p for p in settled if p.decision.rule is not Rule.OVER_BUDGET]
    checks = [Check(Scope.partition(p.partition), Stage.RAW, found[p.partition], OF_INGESTION) for p in looked_at]
    with writing(run.store, Scope(), run.clock) as unit:
        at = run.clock()
        put_decisions(unit, [decision_record(run, p.partition, p.decision, at) for p in settled])
        record_checks(unit, checks, at)
        _put_checked(unit, plan, settled)


def _put_checked(unit: UnitOfWork, plan: Plan, settled: Sequence[PlannedPartition]) -> None:
    """Record of unchanged captures that the source still had them when the plan was made."""
    unchanged = {p.latest.number: p.decision.rule for p in settled if p.latest and p.decision.rule in _UNCHANGED}
    if not unchanged:
        return
    partitions = frozenset(p.partition for p in settled)
    newest = unit.captures(CaptureQuery(partitions=partitions, newest=True))
    unit.put_checked([_checked(c, unchanged[c.number], plan.planned_at) for c in newest if c.number in unchanged])


def _checked(capture: Capture, rule: Rule, at: datetime) -> Capture:
    verified_at = capture.verified_at if rule is Rule.VERSION_UNCHANGED else max(at, capture.verified_at)
    return evolve(capture, verified_at=verified_at, checked_at=max(at, capture.checked_at))


def _findings(planned: PlannedPartition) -> tuple[Anomaly, ...]:
    """The findings about a partition that is not fetched."""
    decision, scope = planned.decision, Scope.partition(planned.partition)
    if planned.failure is not None:
        return (planned.failure.as_anomaly(scope, Stage.RAW),)
    if decision.rule is Rule.LATE:
        return (Anomaly(Severity.WARN, Category.LATE, scope, Stage.RAW, reason(decision)),)
    if decision.action is Action.SKIP and decision.rule not in (Rule.NO_LONGER_OFFERED, Rule.OVER_BUDGET):
        return (skipped(planned.partition, decision),)
    return ()


def _tell(
    run: Run, plan: Plan, planned: PlannedPartition, found: tuple[Anomaly, ...], *, recorded: bool = True
) -> None:
    run.tell(Decided, partition=planned.partition, decision=planned.decision, reason=reason(planned.decision))
    told = planned.failure is not None and planned.failure.message in _told_causes(plan)
    for anomaly in found:
        run.tell(AnomalyFound, anomaly=anomaly, recorded=recorded, told=told)


def _told_causes(plan: Plan) -> list[str]:
    """Why the source as a whole failed: told once, when it happened."""
    return [problem.message for problem in plan.problems if problem.place is None]
