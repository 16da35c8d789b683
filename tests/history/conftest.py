"""Stores that the tests of a module share, because filling them takes long and the tests only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.postgres import Server


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgres"])
def new_store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A new store of each kind for the module."""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        name = server.new_database()
        yield server.url(name)
        server.drop_database(name)
    elif request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('history') / 'finra.db'}"
    else:
        yield "memory:"
