"""Judgments on weeks, and the states that they are judged by."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, Row, select, update

from finra_core.domain.captures import Capture
from finra_core.domain.partitions import DOMAIN, week_key
from finra_core.domain.readiness import Readiness, TierState, WeekState
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier
from finra_sql import anomalies
from finra_sql.analytics import inputs_text
from finra_sql.captures import from_row
from finra_sql.schema import analyses, captures, data_readiness
from finra_sql.upsert import upsert

_Analyzed = frozenset[tuple[date, str, str]]
"""Week ending, tier and inputs of the analytics of one version."""

_KEY = ("domain", "partition_key", "ready_for")

# Not updated_at: users may set it in SQL of their own, in a form of their own.
_JUDGEMENT = [column for column in data_readiness.c if column is not data_readiness.c.updated_at]


def put(connection: Connection, judgments: Sequence[Readiness], at: datetime) -> None:
    """See `Transaction.put_readiness`."""
    # Writers that take rows in one order cannot wait for each other in a circle.
    for judged in sorted(judgments, key=lambda each: (each.week_ending, each.ready_for)):
        key = {"domain": DOMAIN, "partition_key": week_key(judged.week_ending), "ready_for": judged.ready_for}
        values: dict[str, object] = {
            "is_ready": judged.is_ready,
            "all_partitions_present": judged.all_partitions_present,
            "all_stages_complete": judged.all_stages_complete,
            "no_critical_anomalies": judged.no_critical_anomalies,
            "no_rejected_rows": judged.no_rejected_rows,
            "blocking_issues": list(judged.blocking_issues),
            "updated_at": at,
        }
        upsert(connection, data_readiness, _KEY, {**key, **values}, values)


def withdraw(connection: Connection, week_ending: date, issue: str, at: datetime) -> None:
    """See `Transaction.withdraw_readiness`."""
    of_week = (data_readiness.c.domain == DOMAIN) & (data_readiness.c.partition_key == week_key(week_ending))
    judged = select(*_JUDGEMENT).where(of_week).order_by(data_readiness.c.ready_for).with_for_update()
    for row in connection.execute(judged).all():
        issues = list(dict.fromkeys((*row.blocking_issues, issue)))
        connection.execute(
            update(data_readiness)
            .where(data_readiness.c.readiness_no == row.readiness_no)
            .values(is_ready=False, all_stages_complete=False, blocking_issues=issues, updated_at=at)
        )


def read(connection: Connection, weeks: Collection[date] | None) -> list[Readiness]:
    """See `Store.readiness`. Keys are JSON of one form, so their order is that of the weeks."""
    query = select(*_JUDGEMENT).where(data_readiness.c.domain == DOMAIN)
    if weeks is not None:
        query = query.where(data_readiness.c.partition_key.in_({week_key(week) for week in weeks}))
    order = (data_readiness.c.partition_key.desc(), data_readiness.c.ready_for)
    return [_from_row(row) for row in connection.execute(query.order_by(*order))]


def week_states(connection: Connection, weeks: Collection[date], calc_version: int) -> dict[date, WeekState]:
    """See `Store.week_states`."""
    analyzed = _analyzed(connection, weeks, calc_version)
    criticals = anomalies.open_criticals(connection)
    of_weeks = select(captures).where(captures.c.week_ending.in_(set(weeks))).order_by(captures.c.capture_no)
    rows: dict[date, list[Row[tuple[object, ...]]]] = {week: [] for week in weeks}
    for row in connection.execute(of_weeks):
        rows[row.week_ending].append(row)
    return {week: _week_state(week, rows[week], analyzed, criticals[week.isoformat()]) for week in weeks}


def _week_state(week: date, rows: Iterable[Row[tuple[object, ...]]], analyzed: _Analyzed, criticals: int) -> WeekState:
    by_tier: dict[Tier, list[Row[tuple[object, ...]]]] = {}
    for row in rows:
        by_tier.setdefault(Tier(row.tier), []).append(row)
    tiers = {tier: _tier_state(by_tier[tier], analyzed) for tier in TIERS if tier in by_tier}
    state = WeekState(week_ending=week, tiers=tiers, cross_tier_analyzed=False, open_criticals=criticals)
    inputs = state.cross_tier_inputs()
    if inputs is None:
        return state
    across = (week, ALL_TIERS, inputs_text([capture.number for capture in inputs])) in analyzed
    return WeekState(week_ending=week, tiers=tiers, cross_tier_analyzed=across, open_criticals=criticals)


def _tier_state(rows: Sequence[Row[tuple[object, ...]]], analyzed: _Analyzed) -> TierState:
    """`rows`: the captures of one partition, oldest first."""
    normalized = [row for row in rows if row.normalized_at is not None]
    if not normalized:
        return TierState(newest=from_row(rows[-1]), normalized=None, rejected_rows=0, analyzed=False)
    with_records: Capture = from_row(normalized[-1])
    partition = with_records.partition
    return TierState(
        newest=with_records if rows[-1] is normalized[-1] else from_row(rows[-1]),
        normalized=with_records,
        rejected_rows=normalized[-1].rejected_rows,
        analyzed=(partition.week_ending, partition.tier.value, inputs_text([with_records.number])) in analyzed,
    )


def _analyzed(connection: Connection, weeks: Collection[date], calc_version: int) -> _Analyzed:
    query = select(analyses.c.week_ending, analyses.c.tier, analyses.c.inputs).where(
        analyses.c.week_ending.in_(set(weeks)), analyses.c.calc_version == calc_version
    )
    return frozenset(tuple(row) for row in connection.execute(query))


def _from_row(row: Row[tuple[object, ...]]) -> Readiness:
    return Readiness(
        week_ending=date.fromisoformat(json.loads(row.partition_key)["week_ending"]),
        ready_for=row.ready_for,
        is_ready=row.is_ready,
        all_partitions_present=row.all_partitions_present,
        all_stages_complete=row.all_stages_complete,
        no_critical_anomalies=row.no_critical_anomalies,
        no_rejected_rows=row.no_rejected_rows,
        blocking_issues=tuple(row.blocking_issues),
    )
