"""One truth from two sources: the same rows in another form are no restatement, another week's rows are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import unquote

import pytest

from finra_core import (
    CaptureQuery,
    Mode,
    Outcome,
    Partition,
    Rule,
    RunReport,
    RunRequest,
    Scheduler,
    Source,
    Store,
    Tier,
    open_source,
    open_store,
)
from finra_simulator import Restatement, World
from finra_simulator.files import write_files
from finra_simulator.http import SimulatorServer
from support.harness import Clock
from support.one_partition_server import Time, connect

WEEK = date(2025, 11, 14)
OTC = Partition(WEEK, Tier.OTC)
NEXT = Partition(WEEK + timedelta(weeks=1), Tier.OTC)
NOW = datetime(2026, 1, 5, 15, tzinfo=timezone.utc)
RESTATED = NOW + timedelta(hours=2)
WORLD = World(seed=5, symbols=30, restatement_rate=0.0, events=[Restatement(OTC, RESTATED, changed=2)])
REQUEST = RunRequest(weeks=(WEEK,), tiers=(Tier.OTC,))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with open_store(store_url) as opened:
        yield opened


def run(source: Source, store: Store, clock: Clock, request: RunRequest = REQUEST) -> RunReport:
    clock.forward(minutes=1)
    return Scheduler(source=source, store=store, clock=clock).run(request)


def downloads(folder: Path, *partitions: Partition, at: datetime = NOW) -> Source:
    write_files(WORLD, folder, partitions, at, "hive")
    return open_source(f"file:{folder}")


def captures(store: Store) -> list[str]:
    with store.read() as view:
        return [str(capture) for capture in view.captures(CaptureQuery())]


def test_the_same_rows_turn_about_from_api_and_download_are_one_capture(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    with SimulatorServer(WORLD, clock) as server, closing(connect(server.url, {}, Time())) as api:
        files = downloads(tmp_path, OTC)
        reports = [run(source, store, clock) for source in (api, files, api, files)]
    assert [report.partitions[0].outcome for report in reports] == [Outcome.INGESTED, *[Outcome.SKIPPED] * 3]
    assert reports[1].partitions[0].rule is Rule.RECORDS_UNCHANGED
    assert len(captures(store)) == 1
    with store.read() as view:
        assert all(judged.readiness.captures == (1,) for judged in view.judgments())


def test_a_dry_run_knows_that_the_same_rows_come_in_another_form(store: Store, clock: Clock, tmp_path: Path) -> None:
    with SimulatorServer(WORLD, clock) as server, closing(connect(server.url, {}, Time())) as api:
        run(downloads(tmp_path, OTC), store, clock)
        rehearsed = run(api, store, clock, RunRequest(weeks=(WEEK,), tiers=(Tier.OTC,), mode=Mode.DRY_RUN))
        done = run(api, store, clock)
    assert rehearsed.partitions[0].outcome is Outcome.WOULD_SKIP
    assert done.partitions[0].outcome is Outcome.SKIPPED


def test_a_restatement_in_another_form_is_a_capture(store: Store, clock: Clock, tmp_path: Path) -> None:
    run(downloads(tmp_path, OTC), store, clock)
    clock.now = RESTATED
    with SimulatorServer(WORLD, clock) as server, closing(connect(server.url, {}, Time())) as api:
        report = run(api, store, clock)
    assert (report.partitions[0].outcome, report.partitions[0].rule) == (Outcome.INGESTED, Rule.CONTENT_CHANGED)
    assert len(captures(store)) == 2


def misplaced(folder: Path) -> Source:
    """The files of one week in the folder of the next, their dates a week later."""
    write_files(WORLD, folder, [OTC], NOW, "hive")
    right = folder / f"week_ending={WEEK}"
    wrong = right.rename(folder / f"week_ending={NEXT.week_ending}")
    for path in wrong.rglob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8").replace("|2025-12-15", "|2025-12-22"), encoding="utf-8")
    return open_source(f"file:{folder}")


def test_a_download_with_the_rows_of_a_stored_neighbor_gets_no_records(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    run(downloads(tmp_path / "right", OTC), store, clock)
    report = run(misplaced(tmp_path / "wrong"), store, clock, RunRequest())
    (partition,) = report.partitions
    assert (partition.outcome, report.exit_code) == (Outcome.FAILED, 1)
    places = f".*wrong/week_ending={NEXT.week_ending}.* are those of .*:OTC:{WEEK}:.*right/week_ending"
    both = f"misplaced: .* of {places}"
    assert re.match(both, unquote(partition.reason))
    with store.read() as view:
        assert [c.partition for c in view.captures(CaptureQuery(normalized=True))] == [OTC]


def test_neighboring_weeks_that_differ_as_weeks_do_are_both_right(store: Store, clock: Clock, tmp_path: Path) -> None:
    assert run(downloads(tmp_path, OTC, NEXT), store, clock, RunRequest()).exit_code == 0
    assert len(captures(store)) == 2
