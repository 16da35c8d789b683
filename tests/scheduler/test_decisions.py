"""Every partition of every run has its decision in the store: one, with the rule that the report names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date, timedelta
from typing import ParamSpec, TypeVar

import pytest
from attrs import define, evolve

from finra_core import (
    Action,
    DecisionQuery,
    DecisionRecord,
    Outcome,
    Partition,
    PartitionLockedError,
    Payload,
    Rule,
    RunReport,
    RunRequest,
    Scheduler,
    Scope,
    SourceVersion,
    Store,
    Tier,
    UnitOfWork,
)
from finra_simulator import Outage, Restatement, SimulatorSource, World
from support.harness import MONDAY_MORNING, Bench, Clock, SerialExecutor, StandIn, partition

P = ParamSpec("P")
T = TypeVar("T")

WEEK = date(2025, 11, 28)
OTC = partition("2025-11-28", Tier.OTC)
QUIET = World(symbols=4, ats=2, firms=2, restatement_rate=0.0)


@pytest.fixture
def quiet(bench: Bench) -> Bench:
    bench.world = QUIET
    return bench


def decisions(store: Store, report: RunReport) -> dict[Partition, DecisionRecord]:
    """A run's decisions, of which no partition has two."""
    with store.read() as view:
        records = view.decisions(DecisionQuery(run_id=report.run_id))
    found = {record.partition: record for record in records}
    assert len(found) == len(records)
    return found


def assert_all_are_told(store: Store, report: RunReport) -> None:
    found = decisions(store, report)
    assert {p.partition: (p.rule, p.reason) for p in report.partitions} == {
        partition: (record.decision.rule, record.reason) for partition, record in found.items()
    }


def test_of_first_captures_skipped_failed_and_absent_ones(quiet: Bench) -> None:
    hour = timedelta(hours=1)
    down = Outage(OTC, MONDAY_MORNING, MONDAY_MORNING + hour)
    quiet.outages = (down,)
    reports = [quiet.run(window="calendar")]
    quiet.clock.forward(days=3)
    reports.append(quiet.run(window="calendar"))

    for report in reports:
        assert_all_are_told(quiet.store, report)
    rules = [{record.decision.rule for record in decisions(quiet.store, report).values()} for report in reports]
    assert rules[0] == {Rule.FIRST_CAPTURE, Rule.NOT_DUE, Rule.SOURCE_FAILED}
    assert rules[1] >= {Rule.FIRST_CAPTURE, Rule.NOT_DUE, Rule.VERSION_UNCHANGED}


def test_the_evidence_of_a_restatement_is_both_versions(quiet: Bench) -> None:
    quiet.world = evolve(QUIET, events=(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=1),))
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=1)

    found = decisions(quiet.store, quiet.run(weeks=[WEEK]))[OTC].decision

    assert (found.action, found.rule) == (Action.INGEST, Rule.VERSION_CHANGED)
    assert found.evidence.version is not None
    assert found.evidence.latest is not None
    assert found.evidence.latest.version is not None
    assert found.evidence.version.last_update_date == date(2026, 1, 5)
    assert found.evidence.latest.version.last_update_date == date(2025, 12, 29)


def test_of_a_content_that_is_refused(quiet: Bench) -> None:
    @define
    class Empty(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            return evolve(super().fetch(partition, expected), documents=[])

    report = quiet.run(weeks=[WEEK], source=Empty(quiet.world, quiet.clock))

    assert_all_are_told(quiet.store, report)
    assert {p.rule for p in report.partitions} == {Rule.CONTENT_REFUSED}


def test_of_a_partition_that_another_run_is_writing(quiet: Bench) -> None:
    class InUse(StandIn):
        @contextmanager
        def write(self, scope: Scope) -> Iterator[UnitOfWork]:
            if scope == Scope.partition(OTC):
                raise PartitionLockedError(f"{OTC}: another run is writing it")
            with self.store.write(scope) as unit:
                yield unit

    report = quiet.run(weeks=[WEEK], store=InUse(quiet.store))

    assert_all_are_told(quiet.store, report)
    assert {p.tier: p.rule for p in report.partitions}[Tier.OTC] is Rule.LOCKED
    assert (report.count(Outcome.SKIPPED), report.exit_code) == (1, 0)


def test_of_a_partition_that_another_run_has_captured_meanwhile(quiet: Bench) -> None:
    quiet.world = evolve(QUIET, events=(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=1),))
    slow = Bench(quiet.store, quiet.world, Clock())

    @define
    class Overtaken(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            payload = super().fetch(partition, expected)
            quiet.clock.forward(hours=2)
            quiet.run(weeks=[WEEK], tiers=[Tier.OTC])
            return payload

    report = slow.run(weeks=[WEEK], tiers=[Tier.OTC], source=Overtaken(slow.world, slow.clock))

    assert_all_are_told(quiet.store, report)
    [decided] = decisions(quiet.store, report).values()
    assert decided.decision.rule is Rule.CAPTURED_MEANWHILE
    assert decided.reason == f"another run captured {decided.decision.evidence.latest} meanwhile"


class Twice(SerialExecutor):
    """Does every piece of work twice, as happens when a worker dies before it could hand over what it did."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        super().submit(fn, *args, **kwargs)
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("days", [1, 2])
def test_of_steps_that_are_done_twice(quiet: Bench, days: int) -> None:
    """On the second day contents are compared: the publication day of three partitions was not over on the first."""
    for _ in range(days):
        scheduler = Scheduler(source=quiet.source, store=quiet.store, executor=Twice(), clock=quiet.clock)
        report = scheduler.run(RunRequest())
        quiet.clock.forward(days=1)

    assert_all_are_told(quiet.store, report)
    rules = {p.rule for p in report.partitions}
    assert rules == ({Rule.FIRST_CAPTURE} if days == 1 else {Rule.CONTENT_UNCHANGED, Rule.VERSION_UNCHANGED})
