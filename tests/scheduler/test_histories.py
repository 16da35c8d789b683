"""Any interleaving of time, restatements, runs, kills, forces and clocks set wrong, against FINRA's truth."""

from __future__ import annotations

import random
import shutil
import tempfile
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from finra_core import TIERS, Outcome, Partition, RunReport, Store, open_store
from finra_simulator import Outage, SimulatorSource, World
from support.harness import (
    Bench,
    Clock,
    DyingStore,
    ProcessDiedError,
    Record,
    as_record,
    captures_of,
    contents,
    everything,
    latest_of,
    records_of,
)
from support.postgres import Server

WEEKS = (date(2025, 11, 7), date(2025, 11, 14))
PARTITIONS = [Partition(week, tier) for week in WEEKS for tier in TIERS]
FIRST_PUBLICATION = datetime(2025, 11, 24, 12, tzinfo=timezone.utc)


@lru_cache(maxsize=4096)
def truth(world: World, partition: Partition, at: datetime) -> list[Record]:
    return sorted(map(as_record, world.rows(partition, at)))


class History(RuleBasedStateMachine):
    """FINRA's time only goes forward. The machine's clock may be wrong, and runs may die."""

    url = "memory:"

    @initialize(seed=st.integers(0, 50))
    def begin(self, seed: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = open_store(self.new_url())
        self.world = World(seed=seed, symbols=4, ats=3, firms=3, restatement_rate=1.0)
        self.time, self.clock = Clock(FIRST_PUBLICATION), Clock(FIRST_PUBLICATION)
        self.clock_was_wrong = False
        self.first_read: dict[int, list[Record]] = {}

    def new_url(self) -> str:
        return self.url.format(self.folder)

    def run_now(self, *, outages: tuple[Outage, ...] = (), store: Store | None = None, **request: Any) -> RunReport:
        source = SimulatorSource(self.world, self.time, outages)
        return Bench(self.store, self.world, self.clock).run(source=source, store=store, weeks=WEEKS, **request)

    @rule(hours=st.sampled_from([1, 5, 24, 24 * 7, 24 * 20]))
    def time_passes(self, hours: int) -> None:
        self.time.forward(hours=hours)
        self.clock.forward(hours=hours)

    @rule(hours=st.integers(-72, 72))
    def the_clock_is_set(self, hours: int) -> None:
        self.clock.now = self.time.now + timedelta(hours=hours)
        self.clock_was_wrong = self.clock_was_wrong or hours > 0

    @rule(order=st.sampled_from(["phased", "chained"]), verify=st.booleans(), force=st.booleans())
    def a_run(self, order: str, verify: bool, force: bool) -> None:
        report = self.run_now(order=order, verify=verify, force=force)
        assert report.exit_code == 0
        if verify or not self.clock_was_wrong:
            self.latest_is_true()

    @rule(dies_at=st.integers(1, 150), order=st.sampled_from(["phased", "chained"]))
    def a_run_that_is_killed(self, dies_at: int, order: str) -> None:
        def die() -> None:
            raise ProcessDiedError

        with suppress(ProcessDiedError):
            self.run_now(store=DyingStore(self.store, dies_at, die), order=order)

    @rule(index=st.integers(0, len(PARTITIONS) - 1))
    def a_run_while_a_partition_is_down(self, index: int) -> None:
        outage = Outage(PARTITIONS[index], self.time.now, self.time.now + timedelta(hours=1))
        self.run_now(outages=(outage,))

    @rule(verify=st.booleans(), force=st.booleans())
    def a_dry_run_tells_exactly_what_a_run_then_does(self, verify: bool, force: bool) -> None:
        before = everything(self.store)
        rehearsed = self.run_now(mode="dry-run", verify=verify, force=force)
        assert everything(self.store) == before
        done = self.run_now(verify=verify, force=force)
        assert _as_done(rehearsed) == [(p.week_ending, p.tier, p.outcome, p.reason) for p in done.partitions]

    @rule()
    def a_second_run_changes_nothing(self) -> None:
        self.run_now()
        once = contents(self.store)
        self.run_now()
        assert contents(self.store) == once

    @invariant()
    def no_capture_ever_changes(self) -> None:
        for capture in captures_of(self.store):
            if capture.is_normalized:
                records = records_of(self.store, capture)
                assert self.first_read.setdefault(capture.number, records) == records

    @invariant()
    def captures_of_a_partition_follow_each_other_in_time(self) -> None:
        for partition in PARTITIONS:
            times = [capture.captured_at for capture in captures_of(self.store, partition)]
            assert times == sorted(set(times))

    def latest_is_true(self) -> None:
        latest = latest_of(self.store)
        assert set(latest) == {p for p in PARTITIONS if self.world.rows(p, self.time.now)}
        for partition, capture in latest.items():
            assert records_of(self.store, capture) == truth(self.world, partition, self.time.now)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.run_now(verify=True)
            self.latest_is_true()
            self.store.close()
            shutil.rmtree(self.folder)


def _as_done(rehearsed: RunReport) -> list[tuple[object, ...]]:
    done = {Outcome.WOULD_INGEST: Outcome.INGESTED, Outcome.WOULD_SKIP: Outcome.SKIPPED}
    return [(p.week_ending, p.tier, done.get(p.outcome, p.outcome), p.reason) for p in rehearsed.partitions]


class SqliteHistory(History):
    url = "sqlite:///{}/finra.db"


TestHistoriesInMemory = History.TestCase
TestHistoriesInMemory.settings = settings(max_examples=60, stateful_step_count=15)
TestHistoriesInSqlite = SqliteHistory.TestCase
TestHistoriesInSqlite.settings = settings(max_examples=8, stateful_step_count=10)


def test_histories_in_postgres(postgres: Server) -> None:
    databases: list[str] = []

    class PostgresHistory(History):
        def new_url(self) -> str:
            databases.append(postgres.new_database())
            return postgres.url(databases[-1])

    effort = settings(max_examples=5, stateful_step_count=10)
    run_state_machine_as_test(PostgresHistory, settings=effort)
    for database in databases:
        postgres.drop_database(database)


class LongSqliteHistory(SqliteHistory):
    pass


TestLongHistoriesInSqlite = pytest.mark.soak(LongSqliteHistory.TestCase)
TestLongHistoriesInSqlite.settings = settings(max_examples=100, stateful_step_count=40)


@given(days=st.lists(st.integers(0, 3), min_size=20, max_size=40), seed=st.integers(0, 20), data=st.data())
@settings(max_examples=10)
def test_months_of_daily_runs_hold_the_truth_of_every_day(days: list[int], seed: int, data: st.DataObject) -> None:
    """A run on some of the days; each capture holds what FINRA showed when it was made, the latest what it shows."""
    world = World(seed=seed, symbols=4, ats=3, firms=3, restatement_rate=0.8)
    clock = Clock(FIRST_PUBLICATION)
    chance = random.Random(data.draw(st.integers(0, 1000)))
    with open_store("memory:") as store:
        bench = Bench(store, world, clock)
        for pause in days:
            clock.forward(days=pause, hours=chance.randrange(24))
            bench.run(lookback_weeks=8)
            for capture in latest_of(store).values():
                assert records_of(store, capture) == truth(world, capture.partition, clock.now)
        for capture in captures_of(store):
            assert records_of(store, capture) == truth(world, capture.partition, capture.captured_at)
