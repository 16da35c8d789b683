"""What cannot work is refused in one line, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import pytest

from finra_core import (
    ConfigurationError,
    RunRecord,
    RunRequest,
    Scheduler,
    Store,
    open_executor,
    open_source,
    open_store,
)
from finra_simulator import SimulatorSource, World
from finra_workers import WorkerExecutor
from support.harness import MONDAY_MORNING, SerialExecutor
from support.worker_processes import DAYS, needs, run, source_url


def elsewhere(*, same_machine: bool) -> Executor:
    return WorkerExecutor(SerialExecutor(), processes=2, same_machine=same_machine)


def runs(store: Store) -> list[RunRecord]:
    with store.read() as view:
        return view.runs()


def test_a_store_in_memory_cannot_follow() -> None:
    with open_store("memory:") as store:
        with pytest.raises(ConfigurationError, match="memory store lives in one process"):
            run(elsewhere(same_machine=True), store, DAYS[0])
        assert runs(store) == []


def test_a_world_made_by_hand_cannot_follow(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'finra.db'}") as store:
        scheduler = Scheduler(source=SimulatorSource(World()), store=store, executor=elsewhere(same_machine=True))
        with pytest.raises(ConfigurationError, match="simulated world made by hand"):
            scheduler.run(RunRequest())
        assert runs(store) == []


def test_a_clock_that_is_no_function_of_a_module_cannot_follow(tmp_path: Path) -> None:
    with (
        open_source(source_url(DAYS[0])) as source,
        open_store(f"sqlite:///{tmp_path / 'finra.db'}") as store,
    ):
        executor = elsewhere(same_machine=True)
        lost = Scheduler(source=source, store=store, executor=executor, clock=lambda: MONDAY_MORNING)
        with pytest.raises(ConfigurationError, match="cannot be taken to other processes"):
            lost.run(RunRequest())
        assert runs(store) == []


def test_several_machines_cannot_share_a_sqlite_file(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'finra.db'}") as store:
        with pytest.raises(ConfigurationError, match=r"several machines cannot write safely.*postgresql"):
            run(elsewhere(same_machine=False), store, DAYS[0])
        assert runs(store) == []


def test_several_machines_can_share_a_postgres(postgres_url: str) -> None:
    with open_store(postgres_url) as store:
        assert run(elsewhere(same_machine=False), store, DAYS[0]).exit_code == 0


@pytest.mark.parametrize("url", ["threads:4", "processes://host", "dask:host:8786", "dask://"])
def test_a_malformed_executor_url_is_named_with_what_would_do(url: str) -> None:
    needs(url)
    with pytest.raises(ConfigurationError, match=f"malformed executor URL '{url}'"):
        open_executor(url, 2)


def test_an_unknown_executor_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="known ones are dask, processes, threads"):
        open_executor("ray:", 2)


def test_a_dask_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    needs("dask:")
    monkeypatch.setattr("finra_dask.executor.CONNECT_SECONDS", 0.2)
    with pytest.raises(ConfigurationError, match=r"no Dask scheduler answers at dask://127\.0\.0\.1:9"):
        open_executor("dask://127.0.0.1:9", 2)


def test_what_a_worker_cannot_open_ends_the_run_and_not_the_worker(
    shared_executor: Callable[[str], Executor], tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    with (
        open_source(f"file:{folder}") as source,
        open_store(f"sqlite:///{tmp_path / 'finra.db'}") as store,
    ):
        folder.rmdir()
        executor = shared_executor("processes:")
        with pytest.raises(ConfigurationError, match="cannot read"):
            Scheduler(source=source, store=store, executor=executor).run(RunRequest())
        assert executor.submit(abs, -1).result() == 1
