"""A worker that is killed loses nothing, and a step that runs twice does no harm."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import cast

import pytest

from finra_core import Store, open_executor, open_store
from finra_core.domain.errors import WorkersLostError
from support.harness import SerialExecutor, contents
from support.worker_processes import DAYS, FatalStore, needs, run, serial, told

WORKER_CALLS = range(1, 22, 2)
"""Which call of the store kills: within transactions, before and after commits, in ingest and in normalize."""


@pytest.mark.soak  # a worker that is killed again and again takes Dask tens of seconds on a busy machine
@pytest.mark.parametrize("dies_at", WORKER_CALLS)
def test_dask_gives_a_killed_workers_steps_to_another(
    dies_at: int, shared_executor: Callable[[str], Executor], postgres_url: str, tmp_path: Path
) -> None:
    marker = tmp_path / "died"
    with open_store(postgres_url) as store:
        fatal = cast("Store", FatalStore(store, postgres_url, dies_at, marker))
        report = run(shared_executor("dask:"), fatal, DAYS[0])
        held = contents(store)
    expected, reports = serial(DAYS[:1])
    assert marker.exists()
    assert held == expected
    assert told(report) == told(reports[0])


def test_a_cluster_that_has_lost_all_its_workers_ends_the_run_and_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    needs("dask:")
    from distributed import Client, LocalCluster  # noqa: PLC0415

    from finra_dask import executor as finra_dask  # noqa: PLC0415

    monkeypatch.setattr(finra_dask, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(finra_dask, "ALONE_SECONDS", 1)
    with LocalCluster(  # type: ignore[no-untyped-call, unused-ignore]
        # None as dashboard_address would be port 8787, which one process alone can have.
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        executor = open_executor(f"dask://{cluster.scheduler_address.removeprefix('tcp://')}", 1)
        waiting = executor.submit(time.sleep, 3600)
        with Client(cluster) as client:  # type: ignore[no-untyped-call, unused-ignore]
            while not any(client.processing().values()):
                time.sleep(0.01)
            # By name: left to itself Dask retires idle workers, and this one has work.
            client.retire_workers(list(client.scheduler_info()["workers"]))
        with pytest.raises(WorkersLostError, match="the next run goes on from there"):
            waiting.result()
        executor.shutdown(cancel_futures=True)


def test_a_broken_pool_ends_the_run_and_the_next_one_goes_on(postgres_url: str, tmp_path: Path) -> None:
    executor = open_executor("processes:", 2)
    with open_store(postgres_url) as store:
        fatal = cast("Store", FatalStore(store, postgres_url, 9, tmp_path / "died"))
        with pytest.raises(WorkersLostError, match="the next run goes on from there"):
            run(executor, fatal, DAYS[0])
        with pytest.raises(WorkersLostError):
            executor.submit(os.getpid)
        executor.shutdown()
        run(SerialExecutor(), store, DAYS[0])
        assert contents(store) == serial(DAYS[:1])[0]
