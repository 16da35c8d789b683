"""The composition root: where options and environment become a store, a source and a scheduler."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from finra_cli.logs import ProgressBars
from finra_cli.options import run_request, source_url
from finra_core.domain.clock import utc_today
from finra_core.ports import Store
from finra_core.registry import open_executor, open_source, open_store
from finra_core.runs.planning import check_request
from finra_core.runs.report import RunReport
from finra_core.runs.request import Mode
from finra_core.runs.scheduler import Scheduler

if TYPE_CHECKING:
    from concurrent.futures import Executor


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> RunReport:
    """Make the run that the options describe. The request is checked before anything is opened.

    Raises:
        FinraError: it could not be made.
    """
    request = run_request(options)
    check_request(request, request.run_date or utc_today())
    url = source_url(options)
    read_only = request.mode is Mode.DRY_RUN
    _collect_rarely()
    with (
        _executor(options, request.workers) as executor,
        closing(open_source(url, _settings(options, environ))) as source,
        closing(open_store(options.store, read_only=read_only)) as store,
        ProgressBars(enabled=not options.quiet) as progress,
    ):
        return Scheduler(source=source, store=store, executor=executor, progress=progress).run(request)


@contextmanager
def _executor(options: argparse.Namespace, workers: int) -> Iterator[Executor | None]:
    """The one that --executor names; None for the scheduler's own threads."""
    if options.executor is None:
        yield None
        return
    url = options.executor if ":" in options.executor else f"{options.executor}:"
    executor = open_executor(url, workers)
    try:
        yield executor
    except BaseException as error:
        # As in Scheduler.run: an interrupted run waits for nobody.
        executor.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    executor.shutdown()


def _collect_rarely() -> None:
    """Look for cycles once in 200,000 new objects, not in 700.

    A run makes a few tuples a row and drops them together; looking for cycles among them took a seventh of its time.
    """
    gc.freeze()
    gc.set_threshold(200_000)


def _settings(options: argparse.Namespace, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, as far as no flag overrides it."""
    return environ if options.max_bytes is None else {**environ, "FINRA_MAX_BYTES": str(options.max_bytes)}


@contextmanager
def opened_store(options: argparse.Namespace) -> Iterator[Store]:
    """The store, for reading.

    Raises:
        StoreError: it cannot be opened.
    """
    with closing(open_store(options.store, read_only=True)) as store:
        yield store
