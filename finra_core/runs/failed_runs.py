"""A run that ended without a report, as a finding: CRITICAL, until a later run of this store ends with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.failures import describe
from finra_core.domain.scopes import Scope
from finra_core.ports.store import Store
from finra_core.runs.transactions import record_checks

_OF_RUNS = frozenset({Category.RUN_FAILED})


def record_failed_run(store: Store, error: Exception, clock: Callable[[], datetime]) -> None:
    """Note that a run ended with this error.

    Raises:
        StoreError: the store cannot be written.
    """
    found = Anomaly(Severity.CRITICAL, Category.RUN_FAILED, Scope(), Stage.RAW, f"the run ended: {describe(error)}")
    with store.write(Scope()) as unit:
        record_checks(unit, [Check(Scope(), Stage.RAW, (found,), _OF_RUNS)], clock())


def passed_check() -> Check:
    """A run has ended with a report: what ended earlier ones is no more."""
    return Check(Scope(), Stage.RAW, looks_for=_OF_RUNS)
