"""A sweep to which the source did not answer, as a finding."""

from __future__ import annotations

from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.scopes import Scope
from finra_core.runs.plan import SweepPlan


def sweep_findings(sweep: SweepPlan | None) -> tuple[Anomaly, ...]:
    """A WARN where it failed: the next run asks for the same days again, so nothing is lost yet."""
    if sweep is None or sweep.failure is None:
        return ()
    message = f"older weeks were not swept for restatements: {sweep.failure}; the next run sweeps them"
    return (Anomaly(Severity.WARN, Category.SOURCE_UNAVAILABLE, Scope(), Stage.RAW, message),)


def sweep_check(sweep: SweepPlan) -> Check:
    """What it found, or that it passed."""
    looks_for = frozenset({Category.SOURCE_UNAVAILABLE})
    return Check(Scope(), Stage.RAW, sweep_findings(sweep), looks_for)
