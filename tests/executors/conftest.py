"""Worker processes are slow to start: one pool and one cluster serve all tests that leave them whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import pytest

from finra_core import open_executor
from support.postgres import Server
from support.worker_processes import needs


@pytest.fixture(scope="session")
def shared_executor() -> Iterator[Callable[[str], Executor]]:
    started: dict[str, Executor] = {}

    def start(url: str) -> Executor:
        needs(url)
        if url not in started:
            started[url] = open_executor(url, 2)
        return started[url]

    yield start
    for executor in started.values():
        executor.shutdown()


@pytest.fixture
def postgres_url(postgres: Server, postgres_database: str) -> str:
    return postgres.url(postgres_database)
