"""Every executor passes the same suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path

import pytest

from finra_core import Source, Store, open_source, open_store
from finra_core.testing.executor import ExecutorContract
from support.harness import MONDAY_MORNING, SerialExecutor
from support.worker_processes import source_url


class OnSqlite(ExecutorContract):
    @pytest.fixture
    def new_store(self, tmp_path: Path) -> Callable[[str], Store]:
        return lambda name: open_store(f"sqlite:///{tmp_path / name}.db")

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        with open_source(source_url(f"{MONDAY_MORNING:%Y-%m-%dT%H:%M:%SZ}")) as source:
            yield source

    @pytest.fixture
    def now(self) -> datetime:
        return MONDAY_MORNING


class TestExecutorsByUrl(OnSqlite):
    @pytest.fixture(params=["threads:", "processes:", "dask:"])
    def executor(self, request: pytest.FixtureRequest, shared_executor: Callable[[str], Executor]) -> Executor:
        return shared_executor(request.param)


class TestSerialExecutor(OnSqlite):
    @pytest.fixture
    def executor(self) -> Executor:
        return SerialExecutor()
