"""Whole runs against FINRA's API as the simulator serves it: over real sockets, with real concurrency and faults."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core import Outcome, Partition, RunReport, RunRequest, Scheduler, Tier, open_store
from finra_core.domain.captures import SourceVersion
from finra_core.ports.store import Store
from finra_core.weekly_summary.payload import Payload
from finra_http import HttpSource, open_source
from finra_http.limits import Runtime
from finra_simulator import Restatement, World
from finra_simulator.http import Fault, RandomFaults, SimulatorServer
from support.harness import (
    MONDAY_MORNING,
    Bench,
    Clock,
    as_record,
    captures_of,
    contents,
    latest_of,
    partition,
    records_of,
)

WORLD = World(symbols=8, ats=3, firms=3, restatement_rate=0.0)
OTC = partition("2025-11-28", Tier.OTC)
NO_LIMIT = {"FINRA_REQUESTS_PER_SECOND": "10000"}


def no_wait(_seconds: float) -> None:
    """The pauses between tries are tested with the client."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve(clock: Clock) -> Iterator[Callable[..., SimulatorServer]]:
    servers: list[SimulatorServer] = []

    def start(world: World = WORLD, **options: Any) -> SimulatorServer:
        servers.append(SimulatorServer(world, clock, **options).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def api(url: str, **settings_: str) -> HttpSource:
    return open_source(url, NO_LIMIT | settings_, runtime=Runtime(sleep=no_wait))


def run(url: str, store: Store, clock: Clock, **request: Any) -> RunReport:
    with closing(api(url)) as source:
        return Scheduler(source=source, store=store, clock=clock).run(RunRequest(**request))


def assert_latest_is_true(store: Store, world: World, clock: Clock, but: frozenset[Partition] = frozenset()) -> None:
    for found, capture in latest_of(store).items():
        if found not in but:
            assert sorted(records_of(store, capture)) == sorted(map(as_record, world.rows(found, clock.now)))


def test_a_run_over_the_api_ends_where_one_in_process_does(
    serve: Callable[..., SimulatorServer], store: Store, clock: Clock
) -> None:
    report = run(serve().url, store, clock)
    in_process = Bench(open_store("memory:"), WORLD)
    in_process.run()

    assert report.exit_code == 0
    assert report.count(Outcome.INGESTED) == 20
    over_api, direct = contents(store), contents(in_process.store)
    for part in ("records", "readiness", "open anomalies"):
        assert over_api[part] == direct[part]
    assert_latest_is_true(store, WORLD, clock)


def test_the_control_totals_that_came_along_are_counted_as_rows_of_the_payload_but_not_as_volume(
    serve: Callable[..., SimulatorServer], store: Store, clock: Clock
) -> None:
    run(serve().url, store, clock, weeks=[OTC.week_ending], tiers=[Tier.OTC])

    [capture] = captures_of(store)
    controls = len(WORLD.control_rows(OTC, clock.now))
    assert controls > 0
    assert capture.row_count == len(records_of(store, capture)) + controls


def test_a_wrong_control_total_fails_its_partition_and_the_latest_stays_what_it_was(
    serve: Callable[..., SimulatorServer], store: Store, clock: Clock
) -> None:
    changes = evolve(WORLD, events=(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=1),))
    url = serve(changes).url
    run(url, store, clock, weeks=[OTC.week_ending])
    [first] = captures_of(store, OTC)
    clock.forward(days=1)

    class Falsified(HttpSource):
        """FINRA's own total of the first symbol is one share off."""

        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            payload = super().fetch(partition, expected)
            lines = payload.documents[0].decode().split("\n")
            index = next(i for i, line in enumerate(lines) if "|ATS_W_SMBL|" in line)
            cells = lines[index].split("|")
            cells[9] = str(int(cells[9]) + 1)
            lines[index] = "|".join(cells)
            return evolve(payload, documents=["\n".join(lines).encode()])

    with closing(api(url)) as honest, closing(Falsified(honest._settings, honest._runtime)) as source:
        request = RunRequest(weeks=[OTC.week_ending], tiers=[Tier.OTC])
        report = Scheduler(source=source, store=store, clock=clock).run(request)

    assert report.partitions[0].outcome is Outcome.FAILED
    assert "control totals differ for 1 symbols" in report.partitions[0].reason
    assert report.exit_code == 1
    assert not report.readiness[0].is_ready
    assert [c.number for c in captures_of(store, OTC) if c.is_normalized] == [first.number]


def test_an_unchanged_run_costs_one_listing_and_one_small_request_per_due_partition_and_writes_no_data(
    serve: Callable[..., SimulatorServer], tmp_path: Path, clock: Clock
) -> None:
    server = serve()
    with closing(open_store(f"sqlite:///{tmp_path / 'finra.db'}")) as store:
        run(server.url, store, clock)
        clock.forward(days=2)
        run(server.url, store, clock)  # makes sure of what was captured on its publication day
        data = _data(tmp_path / "finra.db")
        before = len(server.requests)
        clock.forward(days=1)

        report = run(server.url, store, clock)

    asked = server.requests[before:]
    assert sorted(request.kind for request in asked) == ["listing"] + ["probe"] * 20
    assert max(request.bytes_sent for request in asked if request.kind == "probe") < 500
    assert report.usage.requests == 21
    assert report.count(Outcome.SKIPPED) == 20
    assert _data(tmp_path / "finra.db") == data


def test_three_restated_rows_cost_one_fetch_and_three_row_versions(
    serve: Callable[..., SimulatorServer], tmp_path: Path, clock: Clock
) -> None:
    restated = evolve(WORLD, events=(Restatement(OTC, MONDAY_MORNING + timedelta(days=3), changed=3),))
    server = serve(restated)
    with closing(open_store(f"sqlite:///{tmp_path / 'finra.db'}")) as store:
        run(server.url, store, clock)
        clock.forward(days=2)
        run(server.url, store, clock)
        versions = _count(tmp_path / "finra.db", "finra_otc_row_versions")
        before = len(server.requests)
        clock.forward(days=2)

        report = run(server.url, store, clock)

    pages = [request for request in server.requests[before:] if request.kind == "page"]
    assert len(pages) == 1
    assert report.count(Outcome.INGESTED) == 1
    assert _count(tmp_path / "finra.db", "finra_otc_row_versions") == versions + 3


def test_a_dry_run_prices_what_the_run_then_costs(
    serve: Callable[..., SimulatorServer], store: Store, clock: Clock
) -> None:
    server = serve()

    rehearsed = run(server.url, store, clock, mode="dry-run")
    done = run(server.url, store, clock)

    assert rehearsed.count(Outcome.WOULD_INGEST) == 20
    assert rehearsed.usage.requests == 21
    assert rehearsed.expected_usage.requests == done.usage.requests - 21
    assert done.usage.bytes_received > 0


def test_a_run_against_a_dead_host_ends_with_every_partition_failed(store: Store, clock: Clock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        report = run(url, store, clock)

    assert report.exit_code == 1
    assert report.count(Outcome.FAILED) == 20
    assert all(p.reason.startswith("API fetch failed") for p in report.partitions)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("503", on="page", partition=OTC, times=100),
        Fault("404", on="probe", partition=OTC, times=100),
        Fault("reset", on="page", partition=OTC, times=100),
        Fault("truncate", on="page", partition=OTC, times=100),
        Fault("truncate-silently", on="page", partition=OTC, times=100),
        Fault("html", on="probe", partition=OTC, times=100),
        Fault("wrong-rows", on="page", partition=OTC, times=100),
        Fault("huge", on="page", partition=OTC, times=100),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.on}",
)
def test_a_lasting_fault_costs_its_partition_and_no_other(
    serve: Callable[..., SimulatorServer], store: Store, clock: Clock, fault: Fault
) -> None:
    report = run(serve(faults=[fault]).url, store, clock)

    failed = [Partition(p.week_ending, p.tier) for p in report.partitions if p.outcome is Outcome.FAILED]
    assert failed == [OTC]
    assert report.count(Outcome.INGESTED) == 19
    assert captures_of(store, OTC) == []
    assert report.exit_code == 1
    assert_latest_is_true(store, WORLD, clock)


def test_a_republication_between_pages_ends_in_one_version_of_it(
    serve: Callable[..., SimulatorServer], store: Store, clock: Clock
) -> None:
    restated = evolve(WORLD, events=(Restatement(OTC, MONDAY_MORNING + timedelta(minutes=1), added=2),))
    server = serve(restated, faults=[Fault("republish", on="page", partition=OTC)])

    report = run(server.url, store, clock, weeks=[OTC.week_ending], tiers=[Tier.OTC])

    assert report.count(Outcome.INGESTED) == 1
    [capture] = captures_of(store)
    restated_rows = restated.rows(OTC, MONDAY_MORNING + timedelta(minutes=2))
    assert sorted(records_of(store, capture)) == sorted(map(as_record, restated_rows))


@given(
    pauses=st.lists(st.integers(0, 80), min_size=8, max_size=20),
    world_seed=st.integers(0, 20),
    fault_seed=st.integers(0, 1000),
    fault_rate=st.sampled_from([0.0, 0.1, 0.4]),
)
@settings(max_examples=6)
def test_months_of_a_finra_that_is_late_restates_withdraws_and_fails(
    pauses: list[int], world_seed: int, fault_seed: int, fault_rate: float
) -> None:
    months_over_the_api(pauses, world_seed, fault_seed, fault_rate)


@pytest.mark.soak
@given(
    pauses=st.lists(st.integers(0, 100), min_size=20, max_size=60),
    world_seed=st.integers(0, 1000),
    fault_seed=st.integers(0, 1000),
    fault_rate=st.sampled_from([0.0, 0.05, 0.2, 0.5]),
)
@settings(max_examples=60)
def test_more_and_longer_months(pauses: list[int], world_seed: int, fault_seed: int, fault_rate: float) -> None:
    months_over_the_api(pauses, world_seed, fault_seed, fault_rate)


def months_over_the_api(pauses: list[int], world_seed: int, fault_seed: int, fault_rate: float) -> None:
    """Runs so many hours apart: what did not fail is FINRA's truth of that moment, and no capture ever changes."""
    world = World(seed=world_seed, symbols=4, ats=3, firms=3, restatement_rate=0.8)
    clock = Clock(MONDAY_MORNING - timedelta(weeks=6))
    chance = RandomFaults(fault_rate, fault_seed)
    known: dict[int, list[Any]] = {}
    with SimulatorServer(world, clock, random_faults=chance) as server, closing(open_store("memory:")) as store:
        for hours in pauses:
            clock.forward(hours=hours)
            report = run(server.url, store, clock, lookback_weeks=3)
            failed = frozenset(
                Partition(p.week_ending, p.tier) for p in report.partitions if p.outcome is Outcome.FAILED
            )
            assert (report.exit_code == 1) == bool(failed)
            looked_at = {Partition(p.week_ending, p.tier) for p in report.partitions}
            others = frozenset(world.published(clock.now)) - looked_at
            assert_latest_is_true(store, world, clock, but=failed | others)
            for capture in captures_of(store):
                rows = sorted(records_of(store, capture))
                assert rows == known.setdefault(capture.number, rows)
                assert rows == sorted(map(as_record, world.rows(capture.partition, capture.captured_at)))


def _data(path: Path) -> dict[str, list[Any]]:
    """All that is stored of FINRA's data, without the note of when the source last still had it."""
    tables = ("core_manifest", "finra_otc_row_versions", "core_raw_payloads", "finra_otc_analyses", "core_captures")
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in tables}
    return {table: [{**row, "checked_at": None} for row in map(dict, own)] for table, own in rows.items()}


def _count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
