from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from finra_core.ports.store import Store
from finra_core.testing.store import StoreContract
from finra_postgres import open_store
from support.postgres import Server, installed, main_programs, running


def _majors() -> list[object]:
    """Every major version that is installed; a reason to skip, or a failure, where there is none."""
    return [pytest.param(programs, id=str(programs.major)) for programs in installed()] or [None]


@pytest.fixture(scope="module", params=_majors())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param or main_programs()) as server:
        yield server


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def new_store(self, server: Server) -> Iterator[Callable[[], Store]]:
        names: list[str] = []

        def new() -> Store:
            names.append(server.new_database())
            return open_store(server.url(names[-1]))

        yield new
        for name in names:
            server.drop_database(name)
