"""Who does the steps makes no difference to what the store holds and the report says."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import pytest

from finra_core import Mode, Outcome, RunReport, open_store
from support.harness import contents
from support.worker_processes import DAYS, run, serial, told

PARTITIONS = 3 + 3 + 1 + 1
"""A look-back of two weeks on 2026-01-05: two weeks due in all tiers, and two newer ones due in Tier 1 alone."""


def runs(executor: Executor, url: str) -> tuple[object, list[RunReport]]:
    with open_store(url) as store:
        reports = [run(executor, store, day) for day in DAYS]
        return contents(store), reports


def test_a_serial_run_captures_restates_and_is_ready_for_trading() -> None:
    held, reports = serial()
    assert reports[0].count(Outcome.INGESTED) == PARTITIONS
    assert any(revised.reason.startswith("FINRA") or revised.revision for revised in reports[1].partitions)
    assert isinstance(held["readiness"], list)
    assert len(held["captures"]) > PARTITIONS


@pytest.mark.parametrize("scheme", ["threads:", "processes:", "dask:"])
def test_on_sqlite_it_ends_where_a_serial_run_does(
    scheme: str, shared_executor: Callable[[str], Executor], tmp_path: Path
) -> None:
    held, reports = runs(shared_executor(scheme), f"sqlite:///{tmp_path / 'finra.db'}")
    expected, serially = serial()
    assert held == expected
    assert [told(report) for report in reports] == [told(report) for report in serially]


@pytest.mark.parametrize("scheme", ["processes:", "dask:"])
def test_on_postgres_it_ends_where_a_serial_run_does(
    scheme: str, shared_executor: Callable[[str], Executor], postgres_url: str
) -> None:
    held, reports = runs(shared_executor(scheme), postgres_url)
    expected, serially = serial()
    assert held == expected
    assert [told(report) for report in reports] == [told(report) for report in serially]


def test_a_dry_run_in_processes_leaves_no_file(shared_executor: Callable[[str], Executor], tmp_path: Path) -> None:
    path = tmp_path / "finra.db"
    with open_store(f"sqlite:///{path}", read_only=True) as store:
        report = run(shared_executor("processes:"), store, DAYS[0], mode=Mode.DRY_RUN)
    assert report.count(Outcome.WOULD_INGEST) == PARTITIONS
    assert not path.exists()
