"""A Dask cluster that was there before the run and goes on after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finra_core import ConfigurationError, open_executor, open_store
from finra_workers import WorkerExecutor
from support.harness import contents
from support.worker_processes import DAYS, needs, run, serial, told


@pytest.fixture
def cluster_url() -> Iterator[Callable[[int], str]]:
    """Starts a scheduler with so many workers of two threads each."""
    needs("dask:")
    from distributed import LocalCluster  # noqa: PLC0415

    clusters: list[Any] = []

    def start(workers: int) -> str:
        clusters.append(
            LocalCluster(  # type: ignore[no-untyped-call, unused-ignore]
                n_workers=workers,
                threads_per_worker=2,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=False,
            )
        )
        address: str = clusters[-1].scheduler_address
        return address.replace("tcp:", "dask:")

    yield start
    for cluster in clusters:
        cluster.close()


def test_run_after_run_on_the_same_workers_ends_where_serial_runs_do(
    cluster_url: Callable[[int], str], postgres_url: str
) -> None:
    url, reports = cluster_url(2), []
    for day in DAYS:
        executor = open_executor(url, 99)
        assert isinstance(executor, WorkerExecutor)
        assert executor.processes == 2
        assert not executor.same_machine
        with open_store(postgres_url) as store:
            reports.append(told(run(executor, store, day)))
            held = contents(store)
        executor.shutdown()
    expected, serially = serial()
    assert held == expected
    assert reports == [told(report) for report in serially]


def test_a_cluster_without_workers_is_refused(cluster_url: Callable[[int], str]) -> None:
    with pytest.raises(ConfigurationError, match="has no workers"):
        open_executor(cluster_url(0), 2)
