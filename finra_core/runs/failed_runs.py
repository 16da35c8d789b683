"""A run that broke off without a report is a CRITICAL finding, until a later run into this store ends with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.failures import describe
from finra_core.domain.scopes import Scope
from finra_core.history.sealing import writing
from finra_core.ports.store import Store
from finra_core.runs.transactions import record_checks

_OF_RUNS = frozenset({Category.RUN_FAILED})


def record_failed_run(store: Store, error: Exception, clock: Callable[[], datetime]) -> None:
    """Record that a run broke off with this error.

    Raises:
        StoreError: the store cannot be written.
    """
    found = Anomaly(Severity.CRITICAL, Category.RUN_FAILED, Scope(), Stage.RAW, f"the run ended: {describe(error)}")
    with writing(store, Scope(), clock) as unit:
        record_checks(unit, [Check(Scope(), Stage.RAW, (found,), _OF_RUNS)], clock())


def passed_check() -> Check:
    """The check that resolves findings about earlier runs that broke off: this one ends with a report."""
    return Check(Scope(), Stage.RAW, looks_for=_OF_RUNS)
