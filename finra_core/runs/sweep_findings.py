"""The finding that the source did not answer a sweep."""

from __future__ import annotations

from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.scopes import Scope
from finra_core.runs.plan import SweepPlan


def sweep_findings(sweep: SweepPlan | None) -> tuple[Anomaly, ...]:
    """A WARN if it failed. The next run asks for the same days again, so nothing is lost yet."""
    if sweep is None or sweep.failure is None:
        return ()
    message = f"older weeks were not swept for restatements: {sweep.failure}; the next run sweeps them"
    return (Anomaly(Severity.WARN, Category.SOURCE_UNAVAILABLE, Scope(), Stage.RAW, message),)


def sweep_check(sweep: SweepPlan) -> Check:
    """The check of a sweep: what it found, or that it passed."""
    looks_for = frozenset({Category.SOURCE_UNAVAILABLE})
    return Check(Scope(), Stage.RAW, sweep_findings(sweep), looks_for)
