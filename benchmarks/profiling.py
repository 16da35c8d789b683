"""Where the time of a run goes: the functions by their own time."""

from __future__ import annotations

import cProfile
import gc
import io
import pstats
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks.bench import Bench
from finra_core import RunRequest, Scheduler, open_source, open_store

P = ParamSpec("P")
T = TypeVar("T")

PROFILES = ("first_ingest", "unchanged", "restatement", "backfill")
_SHOWN = 30


class _OneThread(Executor):
    """Does each step at once: cProfile sees no other thread than its own."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  a future carries whatever was raised
            future.set_exception(error)
        return future


def profile(work: str, bench: Bench) -> str:
    """The table of one run of this work into SQLite, in this process and in one thread."""
    bench.begin()
    inputs, store = bench.inputs, bench.sqlite.fresh()
    before: dict[str, Callable[[], Path]] = {"unchanged": inputs.first, "restatement": inputs.before_restatement}
    measured = {
        "first_ingest": inputs.first,
        "unchanged": inputs.first,
        "restatement": inputs.after_restatement,
        "backfill": inputs.backfill,
    }
    if work in before:
        _run(before[work](), store)
    files = measured[work]()
    profiler = cProfile.Profile()
    profiler.runcall(_run, files, store)
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(_SHOWN)
    return text.getvalue()


def _run(files: Path, store_url: str) -> None:
    gc.set_threshold(200_000)  # as the command does
    with open_source(f"file:{files}", {}) as source, open_store(store_url) as store:
        report = Scheduler(source=source, store=store, executor=_OneThread()).run(RunRequest())
    if report.exit_code:
        raise RuntimeError(f"the run ended with exit code {report.exit_code}: {report.problems}")
