"""A year of daily runs: every partition ends equal to FINRA's truth, and no week was ever ready on half of its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import define, field, frozen

from finra_core import (
    CaptureQuery,
    Half,
    Mode,
    Outcome,
    Partition,
    RunReport,
    RunRequest,
    Scheduler,
    Severity,
    Source,
    Store,
    open_store,
)
from finra_core.domain.captures import by_partition
from finra_core.runs.sweep import ROTATION_DAYS
from finra_simulator import Restatement, SimulatorSource, World
from finra_simulator.http import Options, RandomFaults, SimulatorServer
from finra_simulator.restating import LateHalf
from support.harness import Clock, as_record
from support.one_partition_server import Time, connect

FIRST_RUN = datetime(2025, 9, 1, 12, tzinfo=timezone.utc)
REQUEST = RunRequest(lookback_weeks=3)
WOULD = {Outcome.WOULD_INGEST: Outcome.INGESTED, Outcome.WOULD_SKIP: Outcome.SKIPPED}


def world(seed: int) -> World:
    """Few securities, but all that FINRA's data does."""
    return World(
        seed=seed,
        symbols=(10, 16, 16),
        ats=6,
        firms=6,
        first_week=date(2025, 7, 4),
        restatement_rate=0.4,
        late_restatement_rate=0.5,
        late_half_rate=0.15,
        de_minimis="0" if seed % 2 else "null",
        noise_in_numbers=True,
        delimiters_in_names=True,
    )


@frozen
class Untold:
    """A source that cannot tell which older weeks were restated."""

    source: SimulatorSource

    def __getattr__(self, name: str) -> object:
        return getattr(self.source, name)

    def restated_since(self, day: date, before: date) -> None:
        return None


@define
class Year:
    """Daily runs from FINRA into one store, each looked at."""

    store: Store
    world: World
    source: Source
    clock: Clock
    ends: dict[Outcome, int] = field(factory=dict)

    def run(self, days: int, *, rehearse_every: int = 0) -> None:
        scheduler = Scheduler(source=self.source, store=self.store, clock=self.clock)
        for day in range(days):
            rehearsed = None
            if rehearse_every and not day % rehearse_every:
                rehearsed = scheduler.run(RunRequest(lookback_weeks=3, mode=Mode.DRY_RUN))
            report = scheduler.run(REQUEST)
            if rehearsed is not None:
                check_rehearsal(rehearsed, report)
            self.check(report)
            self.clock.forward(days=1)

    def check(self, report: RunReport) -> None:
        alarms = [found.message for found in report.findings if found.severity is not Severity.ERROR]
        assert not alarms, f"{self.clock.now}: a false alarm"
        ready = {judged.week_ending for judged in report.readiness if judged.is_ready}
        with self.store.read() as view:
            captures = view.captures(CaptureQuery(weeks=frozenset(ready), newest=True))
        for capture in captures:
            assert set(capture.halves) == set(Half), f"{capture.partition} is ready with {capture.halves}"
        for partition in report.partitions:
            self.ends[partition.outcome] = self.ends.get(partition.outcome, 0) + 1

    def wrong(self) -> list[Partition]:
        """The captured partitions whose newest records are not what FINRA shows."""
        at = self.clock.now
        with self.store.read() as view:
            newest = view.captures(CaptureQuery(newest=True))
            return [
                capture.partition
                for capture in newest
                if sorted(view.records(capture).rows())
                != sorted(map(as_record, self.world.rows(capture.partition, at)))
            ]

    def may_be_unseen(self, *, told: bool) -> set[Partition]:
        """What the guarantee leaves open: changes in the days of one rotation, or in the hours since the last run.

        told: whether the source can tell; then only those changes that no dated row shows.
        """
        now = self.clock.now
        last_run, last_rotation = now - timedelta(days=1), now - timedelta(days=ROTATION_DAYS)
        return {
            partition
            for partition in self.world.published(now)
            for change in self.world.changes(partition)
            if last_run < _instant(change) <= now
            or (last_rotation < _instant(change) <= now and (not told or _is_hidden(change)))
        }


def _instant(change: Restatement | LateHalf) -> datetime:
    return change.at if isinstance(change, Restatement) else change.until


def _is_hidden(change: Restatement | LateHalf) -> bool:
    """Whether no row bears the day of this change."""
    return isinstance(change, Restatement) and (change.silent or not (change.changed or change.added))


def check_rehearsal(rehearsed: RunReport, report: RunReport) -> None:
    said = [(p.partition, WOULD.get(p.outcome, p.outcome), p.capture_id) for p in rehearsed.partitions]
    done = [(p.partition, p.outcome, p.capture_id) for p in report.partitions]
    assert [each[:2] for each in said] == [each[:2] for each in done]


@contextmanager
def in_process(year: World, clock: Clock) -> Iterator[Source]:
    with SimulatorSource(year, clock) as source:
        yield source


@contextmanager
def untold(year: World, clock: Clock) -> Iterator[Source]:
    with SimulatorSource(year, clock) as source:
        yield Untold(source)  # type: ignore[misc]


@contextmanager
def served(year: World, clock: Clock) -> Iterator[Source]:
    """FINRA's API over HTTP, with faults that retries get over, and some that they do not."""
    faults = RandomFaults(seed=year.seed, rate=0.02)
    with (
        SimulatorServer(year, clock, random_faults=faults, options=Options(max_payload=20_000)) as server,
        closing(connect(server.url, {}, Time())) as source,
    ):
        yield source


Opening = Callable[[World, Clock], AbstractContextManager[Source]]


@pytest.mark.parametrize("opened", [in_process, untold, served])
def test_ten_weeks_of_daily_runs_end_in_the_truth(opened: Opening) -> None:
    clock = Clock(FIRST_RUN)
    with open_store("memory:") as store, opened(world(1), clock) as source:
        year = Year(store, world(1), source, clock)
        year.run(70, rehearse_every=0 if opened is served else 7)
        assert set(year.wrong()) <= year.may_be_unseen(told=opened is not untold)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("opened", [in_process, untold, served])
def test_a_year_of_daily_runs_ends_in_the_truth(opened: Opening, seed: int, store_url: str) -> None:
    clock = Clock(FIRST_RUN)
    with open_store(store_url) as store, opened(world(seed), clock) as source:
        year = Year(store, world(seed), source, clock)
        year.run(365, rehearse_every=0 if opened is served else 9)
        assert set(year.wrong()) <= year.may_be_unseen(told=opened is not untold)
        with store.read() as view:
            assert len(by_partition(view.captures())) > 3 * 50
