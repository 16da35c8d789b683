"""A run that ends before its scheduler exists is a CRITICAL finding of its store, as one is that breaks off later."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from finra_core.domain.clock import utc_now
from finra_core.domain.errors import FinraError, StoreError
from finra_core.registry import open_schema, open_store
from finra_core.runs.failed_runs import record_failed_run

log = logging.getLogger("finra_cli")


@contextmanager
def recorded(store_url: str, *, dry_run: bool) -> Iterator[None]:
    """Record in the store what ends this block, if the store is there already and takes it, and raise it again.

    A store that is not there is not made: a mistyped URL leaves no file. A dry run writes nothing.
    """
    try:
        yield
    except StoreError:
        raise  # a store that fails cannot record it
    except Exception as error:
        if not dry_run:
            record_early_end(store_url, error)
        raise


def record_early_end(store_url: str, error: Exception) -> None:
    """Record that a run ended with this error, if the store is there already and takes it."""
    try:
        schema = open_schema(store_url)
        if schema.version() == schema.newest_version:
            with open_store(store_url) as store:
                record_failed_run(store, error, utc_now)
    except FinraError as untold:
        # The error that ended the run is the one to report.
        log.debug("the store does not record it: %s", untold.message)
