"""The composition root: where settings become a store, a source and a scheduler."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from attrs import frozen

from finra_cli.progress import ProgressBars
from finra_cli.settings import SourceSettings, StoreSettings
from finra_core.ports.source import Source
from finra_core.ports.store import ReadView, SchemaAdmin, Store
from finra_core.registry import open_executor, open_schema, open_source, open_store
from finra_core.runs.scheduler import Scheduler


@frozen(kw_only=True)
class Works:
    """Who makes runs, and between which source and store."""

    source: Source
    store: Store
    scheduler: Scheduler


@contextmanager
def works(settings: SourceSettings, *, read_only: bool = False) -> Iterator[Works]:
    """Who makes runs from the settings' source into their store. read_only: dry runs alone.

    Raises:
        ConfigurationError: nobody serves a URL.
        SourceError, StoreError: source or store cannot be opened.
    """
    gc.freeze()  # what is imported stays, and is not looked through for cycles again
    with (
        _executor(settings) as executor,
        open_source(settings.source_url, settings.for_adapters(os.environ)) as source,
        open_store(settings.store, read_only=read_only) as store,
        ProgressBars(enabled=not settings.quiet and settings.log_format == "text") as progress,
    ):
        made = Scheduler(source=source, store=store, executor=executor, observers=[progress])
        yield Works(source=source, store=store, scheduler=made)


@contextmanager
def reading(settings: StoreSettings) -> Iterator[tuple[ReadView, str]]:
    """One committed state of the store, for as long as the block lasts; and the store's URL, without secrets.

    Raises:
        ConfigurationError: nobody serves its URL.
        StoreError: it cannot be opened or read.
    """
    with open_store(settings.store, read_only=True) as store, store.read() as view:
        yield view, store.url


def writing(settings: StoreSettings) -> Store:
    """The store, to be written; a context manager.

    Raises:
        ConfigurationError: nobody serves its URL.
        StoreError: it cannot be opened or written.
    """
    return open_store(settings.store)


def schema(settings: StoreSettings) -> SchemaAdmin:
    """Who looks after the schema of the store.

    Raises:
        ConfigurationError: nobody serves its URL, or its stores have no schema.
    """
    return open_schema(settings.store)


@contextmanager
def worker_processes(count: int) -> Iterator[Executor]:
    """So many processes of this machine. What they are given of a store, they open for themselves."""
    executor = open_executor("processes:", count)
    try:
        yield executor
    except BaseException as error:
        executor.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    executor.shutdown()


@contextmanager
def _executor(settings: SourceSettings) -> Iterator[Executor | None]:
    """The one that --executor names; None for the scheduler's own threads."""
    if settings.executor is None:
        yield None
        return
    executor = open_executor(settings.executor, settings.workers)
    try:
        yield executor
    except BaseException as error:
        # As in Scheduler.run: an interrupted run waits for nobody.
        executor.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    executor.shutdown()
