"""Two years of three tiers, on a cluster that loses a worker on the way."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from datetime import datetime
from functools import partial

import pytest

from finra_core import Outcome, RunReport, RunRequest, Scheduler, open_executor, open_source, open_store
from finra_core.ports.observer import Event, Phase, StepFinished
from finra_core.ports.store import Store
from support.harness import SerialExecutor, contents
from support.worker_processes import needs

WEEKS = 104
SOURCE = "simulator:?seed=5&symbols=2&rate=0.3&first_week=2023-10-02&now=2026-01-05T15:30:00Z"
CLOCK = partial(datetime.fromisoformat, "2026-01-05T15:30:00+00:00")
REQUEST = RunRequest(lookback_weeks=WEEKS, workers=2)


@pytest.mark.soak
def test_a_backfill_with_a_killed_worker_equals_the_serial_one(postgres_url: str) -> None:
    needs("dask:")
    executor = open_executor("dask:", 2)

    class KillsAWorker:
        def on_event(self, event: Event) -> None:
            if not isinstance(event, StepFinished) or event.phase not in (Phase.INGESTION, Phase.NORMALIZATION):
                return
            if event.done == event.total // 2:
                executor.submit(os.getpid).add_done_callback(lambda future: os.kill(future.result(), signal.SIGKILL))

    def backfill(store: Store, **options: object) -> tuple[RunReport, object]:
        with closing(open_source(SOURCE)) as source, closing(store):
            scheduler = Scheduler(source=source, store=store, clock=CLOCK, **options)  # type: ignore[arg-type]
            return scheduler.run(REQUEST), contents(store)

    report, held = backfill(open_store(postgres_url), executor=executor, observers=(KillsAWorker(),))
    executor.shutdown()
    serially, expected = backfill(open_store("memory:"), executor=SerialExecutor())
    # Three tiers, and the two newer weeks of tier 1 that are due.
    assert report.count(Outcome.INGESTED) == serially.count(Outcome.INGESTED) == WEEKS * 3 + 2
    assert held == expected
