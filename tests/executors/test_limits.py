"""What worker processes used of FINRA's limits is in the run's report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from finra_core import Outcome, RunRequest, Scheduler, open_store
from finra_http import open_source
from finra_simulator import World
from finra_simulator.http import SimulatorServer
from support.harness import MONDAY_MORNING

PARTITIONS = 3 + 1 + 1
"""A look-back of one week on 2026-01-05: the week due in all tiers, and two newer ones due in Tier 1 alone."""


@pytest.fixture
def finra() -> Iterator[SimulatorServer]:
    world = World(symbols=8, ats=3, firms=3, restatement_rate=0.0)
    with SimulatorServer(world, lambda: MONDAY_MORNING) as server:
        yield server


@pytest.mark.parametrize("scheme", ["processes:", "dask:"])
def test_the_requests_and_bytes_of_workers_are_in_the_report(
    scheme: str,
    finra: SimulatorServer,
    shared_executor: Callable[[str], Executor],
    tmp_path: Path,
) -> None:
    usages = []
    for name, executor in (("threads", None), ("workers", shared_executor(scheme))):
        before = len(finra.requests)
        with (
            open_source(finra.url, {}) as source,
            open_store(f"sqlite:///{tmp_path / name}.db") as store,
        ):
            clock = partial(datetime.fromisoformat, MONDAY_MORNING.isoformat())
            scheduler = Scheduler(source=source, store=store, executor=executor, clock=clock)
            report = scheduler.run(RunRequest(lookback_weeks=1))
        assert report.count(Outcome.INGESTED) == PARTITIONS
        assert report.usage.requests == len(finra.requests) - before
        usages.append(report.usage)
    assert usages[0].requests == 1 + 2 * PARTITIONS  # the listing; per partition a probe and a page
    assert usages[1] == usages[0]
