"""The composition root: where settings become a store, a source and a scheduler."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, TypeVar

from finra_cli.progress import ProgressBars
from finra_cli.settings import RunSettings, StoreSettings
from finra_cli.suggestions import did_you_mean
from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.clock import utc_today
from finra_core.domain.errors import ConfigurationError
from finra_core.history.status import Known
from finra_core.ports import Source, Store
from finra_core.registry import EXECUTORS, SOURCES, STORES, open_executor, open_source, open_store
from finra_core.runs.planning import check_request
from finra_core.runs.report import RunReport
from finra_core.runs.request import Mode
from finra_core.runs.scheduler import Scheduler

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")


def run(settings: RunSettings) -> RunReport:
    """Make the run that the settings describe. The request is checked before anything is opened.

    Raises:
        FinraError: it could not be made.
    """
    request = settings.request()
    check_request(request, request.run_date or utc_today())
    _collect_rarely()
    with (
        _executor(settings) as executor,
        closing(_source(settings)) as source,
        opened_store(settings, read_only=request.mode is Mode.DRY_RUN) as store,
        ProgressBars(enabled=not settings.quiet and settings.log_format == "text") as progress,
    ):
        return Scheduler(source=source, store=store, executor=executor, progress=progress).run(request)


@contextmanager
def opened_store(settings: StoreSettings, *, read_only: bool = True) -> Iterator[Store]:
    """The store.

    Raises:
        ConfigurationError: nobody serves its URL.
        StoreError: it cannot be opened.
    """
    url = settings.store
    with closing(_suggesting(STORES, url, lambda: open_store(url, read_only=read_only))) as store:
        yield store


@contextmanager
def read(settings: StoreSettings) -> Iterator[Store]:
    """One committed state of the store, for as long as the block lasts.

    Raises:
        ConfigurationError: nobody serves its URL.
        StoreError: it cannot be opened or read.
    """
    with opened_store(settings) as store:
        yield store


def known(view: Store) -> Known:
    """What a view shows, as `finra_core.history` takes it."""
    return Known(
        captures=view.captures(),
        states=view.week_states(view.weeks(), CALC_VERSION),
        judgments=view.readiness(),
        runs=view.runs(),
        anomalies=view.anomalies(),
    )


def _source(settings: RunSettings) -> Source:
    url = settings.source_url
    return _suggesting(SOURCES, url, lambda: open_source(url, settings.for_adapters(os.environ)))


@contextmanager
def _executor(settings: RunSettings) -> Iterator[Executor | None]:
    """The one that --executor names; None for the scheduler's own threads."""
    url = settings.executor
    if url is None:
        yield None
        return
    executor = _suggesting(EXECUTORS, url, lambda: open_executor(url, settings.workers))
    try:
        yield executor
    except BaseException as error:
        # As in Scheduler.run: an interrupted run waits for nobody.
        executor.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    executor.shutdown()


def _suggesting(group: str, url: str, opening: Callable[[], T]) -> T:
    """What opening gives. Where nobody serves the URL's scheme, the error says which one may be meant."""
    try:
        return opening()
    except ConfigurationError as error:
        known = {entry.name for entry in entry_points(group=group)}
        scheme = url.partition(":")[0]
        hint = "" if scheme in known else did_you_mean(scheme, known)
        if not hint:
            raise
        raise ConfigurationError(f"{error.message}{hint}") from error


def _collect_rarely() -> None:
    """Look for cycles once in 200,000 new objects, not in 700.

    A run makes a few tuples a row and drops them together; looking for cycles among them took a seventh of its time.
    """
    gc.freeze()
    gc.set_threshold(200_000)
