"""What a verification finds wrong is a CRITICAL finding of its week, until a verification of the same passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime

from finra_core.domain.anomalies import Anomaly, AnomalyRecord, Category, Check, Severity, Stage
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import Tier
from finra_core.history.problems import Problem
from finra_core.history.sealing import writing
from finra_core.history.verify import Verification, VerifyRequest, checked_partitions
from finra_core.ports.store import AnomalyQuery, CaptureQuery, Lock, ReadView, Store
from finra_core.runs.judge import put_changed, read_states
from finra_core.runs.transactions import record_checks

_OF_DAMAGE = frozenset({Category.DAMAGED})


def needs_record(view: ReadView, found: Verification) -> bool:
    """Whether there is something to record: a problem, or an earlier finding that may be resolved."""
    return bool(found.problems) or bool(_open(view))


def record_damage(
    store: Store,
    request: VerifyRequest,
    found: Verification,
    at: datetime,
    policies: Sequence[Policy] = BUILT_IN,
) -> None:
    """Record what was found, resolve what no longer is, and judge the weeks concerned again, in one transaction.

    A finding about a week and tier is resolved only by a verification that checked all captures of it.

    Raises:
        StoreError: the store cannot be written.
    """
    anomalies = {anomaly.scope: anomaly for anomaly in _anomalies(found.problems)}
    with writing(store, STORE, lambda: at) as unit:
        unit.hold(Lock.ANOMALIES)
        passed = _passed(unit, request) - anomalies.keys()
        checks = [Check(scope, Stage.RAW, (anomaly,), _OF_DAMAGE) for scope, anomaly in anomalies.items()]
        checks += [Check(scope, Stage.RAW, (), _OF_DAMAGE) for scope in sorted(passed, key=str)]
        record_checks(unit, checks, at)
        weeks = _weeks((*anomalies, *passed))
        if weeks:
            unit.hold(Lock.JUDGMENTS)
            put_changed(unit, read_states(unit, weeks), policies, at.date(), at)


def _passed(view: ReadView, request: VerifyRequest) -> frozenset[Scope]:
    """The subjects of open findings that this verification looked at as a whole."""
    whole = {Scope.partition(partition) for partition in checked_partitions(request, view.captures(CaptureQuery()))}
    weeks = {scope.week_ending for scope in whole}
    found = {record.anomaly.scope for record in _open(view)}
    return frozenset(
        scope for scope in found if scope in whole or (scope.tier is None and scope.week_ending in {None, *weeks})
    )


def _open(view: ReadView) -> list[AnomalyRecord]:
    records = view.anomalies(AnomalyQuery(severities=frozenset({Severity.CRITICAL}), open_only=True))
    return [record for record in records if record.anomaly.category is Category.DAMAGED]


def _anomalies(problems: Sequence[Problem]) -> list[Anomaly]:
    """One for each subject: it names the first of its problems, and counts all by kind."""
    by_scope: dict[Scope, list[Problem]] = {}
    for each in problems:
        by_scope.setdefault(_scope(each), []).append(each)
    return [_anomaly(scope, own) for scope, own in by_scope.items()]


def _scope(found: Problem) -> Scope:
    if found.week_ending is None:
        return STORE
    return Scope(found.week_ending, found.tier if found.tier in Tier.__members__ else None)


def _anomaly(scope: Scope, problems: Sequence[Problem]) -> Anomaly:
    more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
    counts = Counter(each.kind.value for each in problems)
    return Anomaly(
        Severity.CRITICAL,
        Category.DAMAGED,
        scope,
        Stage.RAW,
        f"finra verify: {problems[0].message}{more}",
        dict(sorted(counts.items())),
    )


def _weeks(scopes: Collection[Scope]) -> list[date]:
    return sorted({scope.week_ending for scope in scopes if scope.week_ending is not None})
