"""A run that ends before its scheduler exists leaves a CRITICAL in its store, until a run passes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.command import RUN, SIMULATOR, STORE, Command
from support.postgres import Server

WEEK = ("--weeks", "2025-12-01", "--tiers", "OTC")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """--store and the URL of a store with nothing in it but its tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'finra.db'}"
        Command(tmp_path).ok("db", "upgrade", "--store", url)
        return "--store", url
    server: Server = request.getfixturevalue("postgres")
    return "--store", server.url(request.getfixturevalue("postgres_database"))


def criticals(finra: Command, *store: str) -> list[dict[str, Any]]:
    found = json.loads(finra.ok("anomalies", "--severity", "CRITICAL", "--all", "--json", *store))["anomalies"]
    return [anomaly for anomaly in found if anomaly["category"] == "RUN_FAILED"]


def test_a_bad_source_is_recorded_and_resolved_by_the_next_run_that_passes(
    finra: Command, store: tuple[str, str]
) -> None:
    ended = finra("run", "--source", "ftp://x", *store)
    assert ended.returncode == 2

    (found,) = criticals(finra, *store)
    assert found["resolved_at"] is found["week_ending"] is None
    assert found["message"].startswith("the run ended: unknown source scheme 'ftp'")

    finra("run", "--source", "api", *store, env={"FINRA_API_URL": "nonsense"})
    (again,) = criticals(finra, *store)
    assert (again["occurrences"], again["fingerprint"]) == (2, found["fingerprint"])

    finra.ok(*RUN, *WEEK, *store)
    (resolved,) = criticals(finra, *store)
    assert resolved["resolved_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (("--source", "file", "--source-path", "nowhere"), {}),
        ((), {"FINRA_SOURCE": "file"}),
        (("--source", SIMULATOR, "--plan", "nothing.json"), {}),
        (("--source", SIMULATOR, "--weeks", "2999-01-01"), {}),
        (("--source", SIMULATOR, "--executor", "threads:?x=1"), {}),
    ],
    ids=["no folder", "settings that contradict each other", "no plan", "a week that is not over", "a bad executor"],
)
def test_whatever_the_settings_get_wrong_is_recorded(
    finra: Command, filled: Path, arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    shutil.copy(filled, finra.folder)
    assert finra("run", *arguments, env=env).returncode == 2
    assert [found["resolved_at"] for found in criticals(finra)] == [None]


def test_healing_that_cannot_begin_is_recorded_too(finra: Command, filled: Path) -> None:
    shutil.copy(filled, finra.folder)
    assert finra("doctor", "--heal", "--source", "ftp://x").returncode == 2
    assert [found["resolved_at"] for found in criticals(finra)] == [None]


def test_a_store_that_is_not_there_is_not_made_for_it(finra: Command) -> None:
    assert finra("run", "--source", "ftp://x", "--store", "sqlite:///mistyped.db").returncode == 2
    assert finra("run", "--source", "ftp://x", "--store", "nothing:///x").returncode == 2
    assert list(finra.folder.iterdir()) == []


def test_a_dry_run_and_a_line_that_cannot_be_read_record_nothing(finra: Command, filled: Path) -> None:
    shutil.copy(filled, finra.folder)
    before = (finra.folder / STORE).read_bytes()

    assert finra("run", "--source", "ftp://x", "--mode", "dry-run").returncode == 2
    assert finra("run", "--source", "file", "--mode", "dry-run").returncode == 2
    assert finra("run", "--wekes", "2025-12-01").returncode == 2

    assert (finra.folder / STORE).read_bytes() == before
    assert criticals(finra) == []
