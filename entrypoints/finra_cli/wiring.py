"""The composition root: where settings become a store, a source and a scheduler."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TypeVar

from finra_cli.progress import ProgressBars
from finra_cli.settings import RunSettings, StoreSettings
from finra_cli.suggestions import did_you_mean
from finra_core.domain.clock import utc_today
from finra_core.domain.errors import ConfigurationError
from finra_core.ports.source import Source
from finra_core.ports.store import ReadView, SchemaAdmin, Store
from finra_core.registry import (
    EXECUTORS,
    SCHEMAS,
    SOURCES,
    STORES,
    open_executor,
    open_schema,
    open_source,
    open_store,
)
from finra_core.runs.request import RunRequest
from finra_core.runs.scheduler import Scheduler
from finra_core.runs.targets import check_request

T = TypeVar("T")


@contextmanager
def scheduler(settings: RunSettings, request: RunRequest, *, read_only: bool) -> Iterator[Scheduler]:
    """Who makes the run that the settings describe. The request is checked before anything is opened.

    Raises:
        ConfigurationError: the request cannot be carried out, or nobody serves a URL.
        SourceError, StoreError: source or store cannot be opened.
    """
    check_request(request, request.run_date or utc_today())
    gc.freeze()  # what is imported stays, and is not looked through for cycles again
    with (
        _executor(settings) as executor,
        _source(settings) as source,
        _store(settings, read_only=read_only) as store,
        ProgressBars(enabled=not settings.quiet and settings.log_format == "text") as progress,
    ):
        yield Scheduler(source=source, store=store, executor=executor, observers=[progress])


@contextmanager
def reading(settings: StoreSettings) -> Iterator[tuple[ReadView, str]]:
    """One committed state of the store, for as long as the block lasts; and the store's URL, without secrets.

    Raises:
        ConfigurationError: nobody serves its URL.
        StoreError: it cannot be opened or read.
    """
    with _store(settings, read_only=True) as store, store.read() as view:
        yield view, store.url


@contextmanager
def writing(settings: StoreSettings) -> Iterator[Store]:
    """The store, to be written.

    Raises:
        ConfigurationError: nobody serves its URL.
        StoreError: it cannot be opened or written.
    """
    with _store(settings, read_only=False) as store:
        yield store


def schema(settings: StoreSettings) -> SchemaAdmin:
    """Who looks after the schema of the store.

    Raises:
        ConfigurationError: nobody serves its URL, or its stores have no schema.
    """
    scheme = settings.store.partition(":")[0]
    known = sorted({entry.name for entry in entry_points(group=SCHEMAS)})
    if scheme not in known:
        hint = did_you_mean(scheme, known) or f": those that have one are {', '.join(known)}"
        raise ConfigurationError(f"a store of scheme {scheme!r} has no schema to look after{hint}")
    return open_schema(settings.store)


def _store(settings: StoreSettings, *, read_only: bool) -> Store:
    url = settings.store
    return _suggesting(STORES, url, lambda: open_store(url, read_only=read_only))


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
