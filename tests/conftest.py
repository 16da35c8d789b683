"""Fixtures that many tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from finra_core import open_store
from finra_core.ports import Store
from harness import Bench

# The machines that run this are shared: a slow example is no failure.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture(params=["memory", "sqlite"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every store that the behaviour of the whole is tested on."""
    return {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path / 'finra.db'}"}[request.param]


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


@pytest.fixture
def fresh_store(tmp_path: Path) -> Callable[[str], Store]:
    """Open further stores of a test by name."""
    return lambda name: open_store(f"sqlite:///{tmp_path / name}.db")
