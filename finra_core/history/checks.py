"""The design document's questions about one week, answered from one view of a store."""

from __future__ import annotations

from datetime import date, datetime

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.anomalies import Anomaly, AnomalyRecord, Category, Check, Detail, Severity, Stage, settle
from finra_core.domain.clock import utc_now, utc_today
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import TRADING, Policy
from finra_core.domain.readiness import Readiness, evaluate, week_states
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.domain.weeks import week_ending_of
from finra_core.history.sealing import writing
from finra_core.ports.store import AnomalyQuery, CaptureQuery, Lock, ReadView, Store


def check_tier_completeness(week_ending: date, view: ReadView, policy: Policy = TRADING) -> bool:
    """Whether each tier that the policy needs has a capture of this week, with each half that it needs.

    week_ending: any day of the week. Raises StoreError where the store fails, as do the other functions here.
    """
    return evaluate_readiness(week_ending, view, policy=policy).all_partitions_present


def check_stage_ready(week_ending: date, tier: Tier | str, stage: Stage | str, view: ReadView) -> bool:
    """Whether the newest capture of this week and tier has completed this stage with at least one row."""
    partition = Partition(week_ending_of(week_ending), Tier(tier))
    captures = view.captures(CaptureQuery(partitions=frozenset({partition}), newest=True))
    if not captures:
        return False
    (capture,) = captures
    if Stage(stage) is Stage.RAW:
        return capture.row_count > 0
    if not capture.is_normalized:
        return False
    if Stage(stage) is Stage.NORMALIZED:
        return any(half.rows for half in capture.coverage)
    keys = view.analysis_keys([partition.week_ending])
    return any(key.inputs == (capture.number,) and key.calc_version == CALC_VERSION for key in keys)


def evaluate_readiness(
    week_ending: date, view: ReadView, *, on: date | None = None, policy: Policy = TRADING
) -> Readiness:
    """Judge a week by what is stored now. on: the day as of which tiers are due; today, UTC, if not given."""
    week = week_ending_of(week_ending)
    weeks = frozenset({week})
    states = week_states(
        weeks,
        view.captures(CaptureQuery(weeks=weeks)),
        view.analysis_keys(weeks),
        view.anomalies(AnomalyQuery(weeks=weeks, open_only=True)),
        CALC_VERSION,
    )
    return evaluate(states[week], on or utc_today(), policy)


def record_anomaly(
    store: Store,
    *,
    severity: Severity | str,
    category: Category | str,
    message: str,
    week_ending: date | None = None,
    tier: Tier | str | None = None,
    stage: Stage | str = Stage.RAW,
    details: dict[str, Detail] | None = None,
    at: datetime | None = None,
) -> AnomalyRecord:
    """Open an anomaly of your own, or renew it if it is open. A run's check of the same subject may resolve it.

    week_ending: any day of the week, None for what is about no week. at: now if not given.
    """
    week = None if week_ending is None else week_ending_of(week_ending)
    scope = Scope(week, None if tier is None else Tier(tier).value)
    anomaly = Anomaly(Severity(severity), Category(category), scope, Stage(stage), message, details or {})
    seen = at or utc_now()
    with writing(store, Scope(), lambda: seen) as unit:
        unit.hold(Lock.ANOMALIES)
        known = unit.anomalies(AnomalyQuery(fingerprints=frozenset({anomaly.fingerprint})))
        # The check looks for this finding alone, so it resolves nothing.
        (record,) = settle([Check(scope, anomaly.stage, (anomaly,))], known, seen)
        unit.put_anomalies([record])
    return record
