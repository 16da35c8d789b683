"""The Airflow DAGs of docs/orchestrators.md run with Airflow's own `dag.test()` on a fresh metadata database.

tox names the folder of that database, for Airflow reads its settings when it is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.orchestration import DOWN, PARTITIONS, SIMULATOR, load, runs, stored_partitions

_REASON = "apache-airflow is installed by the tox environment airflow"
airflow: Any = pytest.importorskip("airflow", reason=_REASON)
db: Any = pytest.importorskip("airflow.utils.db", reason=_REASON)

# Warnings of Airflow and of what it imports are not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def example() -> Any:
    db.initdb()
    # Airflow runs what its DAG processor has seen.
    subprocess.run([sys.executable, "-m", "airflow", "dags", "reserialize"], check=True)
    return load("airflow_dags")


@pytest.fixture
def command_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join([folder, os.environ["PATH"]]))


def _end(dag: Any, source: str, store: str) -> str:
    return str(dag.test(run_conf={"source": source, "store": store}).state)


def test_the_command_fills_the_store(example: Any, sqlite_url: str, command_on_path: None) -> None:
    assert _end(example.by_command, SIMULATOR, sqlite_url) == "success"
    assert stored_partitions(sqlite_url) == PARTITIONS


def test_the_library_fills_the_store(example: Any, sqlite_url: str) -> None:
    assert _end(example.by_library, SIMULATOR, sqlite_url) == "success"
    assert stored_partitions(sqlite_url) == PARTITIONS


@pytest.mark.usefixtures("one_attempt", "command_on_path")
@pytest.mark.parametrize("name", ["by_command", "by_library"])
def test_a_partial_run_fails(example: Any, sqlite_url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the retries, which come a quarter of an hour apart."""
    dag = getattr(example, name)
    monkeypatch.setattr(dag.get_task("run_finra"), "retries", 0)

    assert _end(dag, DOWN, sqlite_url) == "failed"
    assert runs(sqlite_url) == [1]


def test_a_wrong_configuration_fails_at_once(example: Any, tmp_path: Path) -> None:
    assert _end(example.by_library, "nonesuch:", f"sqlite:///{tmp_path / 'never.db'}") == "failed"
    assert list(tmp_path.iterdir()) == []
