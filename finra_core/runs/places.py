"""Findings about places in a source that name no partition, such as a file that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

from finra_core.domain.anomalies import OF_FAILURES, Anomaly, Category, Check, Severity, Stage
from finra_core.domain.scopes import Scope
from finra_core.ports.store import AnomalyQuery, UnitOfWork
from finra_core.runs.plan import Plan, Problem


def place_checks(unit: UnitOfWork, plan: Plan, root: str) -> list[Check]:
    """One check for each place with a problem now, and one for each that had one and has none any more.

    root: what the places of this source begin with. Findings about other sources are not for this run to resolve.
    """
    found = problem_anomalies(plan.problems)
    checks = [Check(anomaly.scope, Stage.RAW, (anomaly,), OF_FAILURES) for anomaly in found]
    if any(problem.place is None for problem in plan.problems):
        return checks  # the source as a whole did not answer, so nobody knows what is gone
    return checks + [Check(scope, Stage.RAW, looks_for=OF_FAILURES) for scope in _gone(unit, found, root)]


def problem_anomalies(problems: Sequence[Problem]) -> list[Anomaly]:
    """These problems as findings: a doubt is a WARN, anything else an ERROR."""
    return [
        Anomaly(
            Severity.WARN if problem.is_doubt else Severity.ERROR,
            Category.BAD_DATA,
            Scope.at(problem.place),
            Stage.RAW,
            problem.message,
        )
        for problem in problems
        if problem.place is not None
    ]


def _gone(unit: UnitOfWork, found: Sequence[Anomaly], root: str) -> list[Scope]:
    if not root:
        return []
    still = {anomaly.scope for anomaly in found}
    severities = frozenset({Severity.ERROR, Severity.WARN})
    known = (r.anomaly.scope for r in unit.anomalies(AnomalyQuery(severities=severities, open_only=True)))
    return [scope for scope in known if scope.place and scope.place.startswith(root) and scope not in still]
