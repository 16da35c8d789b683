"""Two years of three tiers, on a cluster that loses a worker on the way."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from functools import partial

import pytest

from finra_core import Event, Outcome, RunReport, RunRequest, Scheduler, Store, open_executor, open_source, open_store
from finra_core.ports.observer import Phase, StepFinished
from support.harness import SerialExecutor, contents
from support.worker_processes import needs

WEEKS = 104
SOURCE = "simulator:?seed=5&symbols=2&rate=0.3&first_week=2023-10-02&now=2026-01-05T15:30:00Z"
CLOCK = partial(datetime.fromisoformat, "2026-01-05T15:30:00+00:00")
KILLED_IN = (Phase.INGESTION, Phase.NORMALIZATION)
REQUEST = RunRequest(lookback_weeks=WEEKS, workers=2)


@pytest.mark.soak
def test_a_backfill_with_a_killed_worker_equals_the_serial_one(postgres_url: str) -> None:
    needs("dask:")
    executor = open_executor("dask:", 2)

    class Killer:
        def on_event(self, event: Event) -> None:
            if isinstance(event, StepFinished) and event.phase in KILLED_IN and event.done == event.total // 2:
                os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)

    def backfill(store: Store, **options: object) -> tuple[RunReport, object]:
        with open_source(SOURCE) as source, store:
            scheduler = Scheduler(source=source, store=store, clock=CLOCK, **options)  # type: ignore[arg-type]
            return scheduler.run(REQUEST), contents(store)

    report, held = backfill(open_store(postgres_url), executor=executor, observers=(Killer(),))
    executor.shutdown()
    serially, expected = backfill(open_store("memory:"), executor=SerialExecutor())
    assert report.count(Outcome.INGESTED) == serially.count(Outcome.INGESTED) == WEEKS * 3
    assert held == expected
