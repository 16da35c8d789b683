"""FINRA's limits hold for all worker processes together, no secret travels, and what workers used is counted."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from finra_core import ConfigurationError, Outcome, RunRequest, Scheduler, open_store
from finra_core.runs.carrying import CarryingExecutor
from finra_core.runs.reopening import Journey
from finra_http import HttpSource, open_source
from finra_simulator import World
from finra_simulator.http import SimulatorServer
from support.harness import MONDAY_MORNING, SerialExecutor

URL = "http://127.0.0.1:9"
CREDENTIALS = {"FINRA_CLIENT_ID": "an-id", "FINRA_CLIENT_SECRET": "a-secret"}


class Spy(SerialExecutor):
    """Keeps what is submitted to it."""

    parcels: list[bytes]

    def __init__(self) -> None:
        self.parcels = []

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.parcels += [arg for arg in args if isinstance(arg, bytes)]
        return super().submit(fn, *args, **kwargs)


def arrived(source: HttpSource) -> tuple[float, int | None]:
    """What a worker's source may do in a second, and receive in all."""
    settings = source._settings
    return settings.requests_per_second, settings.max_bytes


def take(source: HttpSource, processes: int) -> tuple[float, int | None]:
    executor = CarryingExecutor(SerialExecutor(), Journey(processes, one_machine=True))
    with closing(source):
        return executor.submit(arrived, source).result()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FINRA_REQUESTS_PER_SECOND", "FINRA_MAX_BYTES", *CREDENTIALS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("processes", [1, 4, 7])
def test_the_shares_of_all_processes_are_finras_twenty_requests_a_second(processes: int) -> None:
    per_second, max_bytes = take(open_source(URL, {}), processes)
    assert per_second * processes == pytest.approx(20)
    assert max_bytes is None


def test_the_run_s_own_limits_are_shared_not_the_worker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINRA_REQUESTS_PER_SECOND", "1000")
    monkeypatch.setenv("FINRA_MAX_BYTES", "1")
    settings = {"FINRA_REQUESTS_PER_SECOND": "6", "FINRA_MAX_BYTES": "1000"}
    assert take(open_source(URL, settings), 3) == (2, 333)


def test_an_executor_that_does_not_say_how_many_share_the_limit_is_refused() -> None:
    with closing(open_source(URL, {})) as source, pytest.raises(ConfigurationError, match="shared among worker"):
        pickle.dumps(source)


def test_no_secret_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    spy = Spy()
    proxies = {"HTTPS_PROXY": "http://user:hidden@127.0.0.1:3128"}
    with closing(open_source(URL, CREDENTIALS | proxies)) as source:
        CarryingExecutor(spy, Journey(2, one_machine=True)).submit(arrived, source).result()
    assert len(spy.parcels) == 1
    assert URL.encode() in spy.parcels[0]
    assert not any(secret in spy.parcels[0] for secret in (b"a-secret", b"hidden", b"an-id"))


def test_a_worker_without_credentials_says_so_before_it_asks_anything() -> None:
    with pytest.raises(ConfigurationError, match="worker process has no credentials"):
        take(open_source(URL, CREDENTIALS), 2)


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
            closing(open_source(finra.url, {})) as source,
            closing(open_store(f"sqlite:///{tmp_path / name}.db")) as store,
        ):
            clock = partial(datetime.fromisoformat, MONDAY_MORNING.isoformat())
            scheduler = Scheduler(source=source, store=store, executor=executor, clock=clock)
            report = scheduler.run(RunRequest(lookback_weeks=1))
        assert report.count(Outcome.INGESTED) == 3
        assert report.usage.requests == len(finra.requests) - before
        usages.append(report.usage)
    assert usages[0].requests == 1 + 3 + 3  # the listing; per partition a probe and a page
    # What one worker has probed another one asks for again before it fetches.
    assert 0 <= usages[1].requests - usages[0].requests <= 3
    assert usages[1].bytes_received >= usages[0].bytes_received
