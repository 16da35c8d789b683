"""Fixtures that many tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from finra_core import open_store
from finra_core.ports.store import Store
from support import other_machines
from support.harness import Bench
from support.postgres import Server, main_programs, running
from support.this_machine import hear_interrupts, keep_temporary_files_in_memory

# The machines that run this are shared: a slow example is no failure.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_configure() -> None:
    """In each of xdist's workers too."""
    keep_temporary_files_in_memory()
    hear_interrupts()
    other_machines.refuse_other_machines()


@pytest.fixture(autouse=True)
def this_machine_alone() -> Iterator[None]:
    yield
    tried = [*other_machines.refused]
    other_machines.refused.clear()
    assert not tried, "no test may reach another machine"


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that the test starts are not measured for coverage: that imports modules of its own."""
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    with running(main_programs()) as server:
        yield server


@pytest.fixture
def postgres_database(postgres: Server) -> Iterator[str]:
    """The name of a database with the current schema and nothing in it."""
    name = postgres.new_database()
    yield name
    postgres.drop_database(name)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every store that the behavior of the whole is tested on."""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        return server.url(request.getfixturevalue("postgres_database"))
    return {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path / 'finra.db'}"}[request.param]


@pytest.fixture
def copy_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str, str], str]]:
    """Copies what a closed store has stored under a new name, and says the copy's URL; not for stores in memory."""
    databases: list[str] = []

    def copy(url: str, name: str) -> str:
        if url.startswith("sqlite:"):
            return f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), tmp_path / f'{name}.db')}"
        server: Server = request.getfixturevalue("postgres")
        databases.append(server.new_database(request.getfixturevalue("postgres_database")))
        return server.url(databases[-1])

    yield copy
    for database in databases:
        request.getfixturevalue("postgres").drop_database(database)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with closing(open_store(store_url)) as opened:
        yield opened


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real FINRA files, which the project does not ship."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FINRA_SHARED_DATA") or default)
    if not folder.is_dir():
        pytest.skip(f"no real FINRA files in {folder}; set FINRA_SHARED_DATA to a folder that has them")
    return folder
