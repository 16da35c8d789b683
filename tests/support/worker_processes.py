"""Runs in other processes: what they are compared with, and workers that are killed on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve

from finra_core import RunReport, RunRequest, Scheduler, Store, open_source, open_store
from support.harness import DyingStore, SerialExecutor, StandIn, contents

DAYS = ("2026-01-05T15:30:00Z", "2026-01-26T15:30:00Z")
"""Two Mondays, three weeks apart: on the second a part of what the first one saw is restated."""


def needs(url: str) -> None:
    """Skip the test where the executor's package is not installed."""
    if url.startswith("dask:"):
        pytest.importorskip("distributed", reason="no Dask here: pip install 'finra-core[dask]'")


def source_url(now: str) -> str:
    return f"simulator:?seed=3&symbols=3&rate=0.9&now={now}"


def run(executor: Executor, store: Store, now: str, **request: Any) -> RunReport:
    clock = partial(datetime.fromisoformat, now.replace("Z", "+00:00"))
    request = {"lookback_weeks": 2, "workers": 2, **request}
    with open_source(source_url(now)) as source:
        return Scheduler(source=source, store=store, executor=executor, clock=clock).run(RunRequest(**request))


def serial(days: tuple[str, ...] = DAYS, **request: Any) -> tuple[dict[str, Any], list[RunReport]]:
    """What a memory store holds after these runs in one thread, and their reports."""
    with open_store("memory:") as store:
        reports = [run(SerialExecutor(), store, day, **request) for day in days]
        return contents(store), reports


def told(report: RunReport) -> list[object]:
    """What a report says of its partitions and weeks, but for the stages that a killed worker did twice."""
    partitions: list[object] = [
        (p.week_ending, p.tier, p.outcome, p.reason, p.capture_id, p.rows) for p in report.partitions
    ]
    # Which numbers a store gives to captures is its own affair: a killed worker may use some up.
    readiness = [evolve(each, captures=()) for each in report.readiness]
    return [*partitions, *readiness, (report.exit_code, dict(report.anomalies))]


def kill_self(marker: Path) -> None:
    """SIGKILL for the first worker that comes here."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@define(slots=False)
class FatalStore(StandIn):
    """A store that kills the worker process in which it is opened, once in all, at its n-th call there."""

    opened_by: str
    dies_at: int
    marker: Path

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        return partial(_open_fatal, self.opened_by, self.dies_at, self.marker)


def _open_fatal(url: str, dies_at: int, marker: Path) -> Store:
    return DyingStore(open_store(url), dies_at, partial(kill_self, marker))
