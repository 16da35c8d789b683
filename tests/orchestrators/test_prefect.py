"""The Prefect flow of docs/orchestrators.md runs on Prefect's own engine and tells it how the run ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.orchestration import DOWN, PARTITIONS, SIMULATOR, TIER_1_WEEKS, load, ready_weeks, runs, stored_partitions

_REASON = "prefect is installed by the tox environment prefect"
pytest.importorskip("prefect", reason=_REASON)
testing: Any = pytest.importorskip("prefect.testing.utilities", reason=_REASON)

# Warnings of Prefect and of what it imports are not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def example() -> Iterator[Any]:
    """The example, on a server of its own whose database goes with the test."""
    with testing.prefect_test_harness(server_startup_timeout=120):
        yield load("prefect_flow")


@pytest.fixture
def impatient(example: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example, without the quarter of an hour before each new attempt."""
    monkeypatch.setattr(example, "run_finra", example.run_finra.with_options(retry_delay_seconds=0))
    return example


def _end(example: Any, **parameters: str) -> Any:
    return example.finra_weekly(**parameters, return_state=True)


def test_the_flow_fills_the_store_and_names_the_weeks_that_are_ready(example: Any, sqlite_url: str) -> None:
    state = _end(example, source=SIMULATOR, store=sqlite_url)

    assert state.is_completed()
    assert stored_partitions(sqlite_url) == PARTITIONS
    assert sorted(state.result()) == sorted(ready_weeks(sqlite_url)) != []


@pytest.mark.usefixtures("one_attempt")
def test_a_partial_run_fails_after_two_more_attempts_and_names_the_partitions(impatient: Any, sqlite_url: str) -> None:
    state = _end(impatient, source=DOWN, store=sqlite_url)

    assert state.is_failed()
    assert state.message.count(" / NMS_TIER_1: ") == TIER_1_WEEKS
    assert runs(sqlite_url) == [1, 1, 1]


def test_a_wrong_configuration_fails_at_once(example: Any, tmp_path: Path) -> None:
    state = _end(example, source="nonesuch:", store=f"sqlite:///{tmp_path / 'never.db'}")

    assert state.is_failed()
    assert "ConfigurationError" in state.message
    assert "nonesuch" in state.message
    assert list(tmp_path.iterdir()) == []
