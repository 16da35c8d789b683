"""Judgments on weeks: those that hold in core_data_readiness, which users may write too, all in the history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from finra_core.domain.partitions import DOMAIN
from finra_core.domain.readiness import BlockingIssue, Judgment, Readiness
from finra_core.domain.scopes import Scope
from finra_core.ports.store import JudgmentQuery
from finra_sql.json_values import from_plain, to_plain
from finra_sql.schema import data_readiness, readiness_history
from finra_sql.session import Session

_KEY = ("domain", "partition_key", "ready_for")


def put(session: Session, judgments: Sequence[Judgment]) -> None:
    """Store judgments, each in place of the one that holds."""
    if not judgments:
        return
    # Writers that take rows in one order cannot wait for each other in a circle.
    ordered = sorted(judgments, key=_week_and_use)
    current = [{**_key(each.readiness), **_columns(each.readiness), "updated_at": each.judged_at} for each in ordered]
    session.dialect.upsert(session.connection, data_readiness, _KEY, current)
    _supersede(session, ordered)
    session.execute(insert(readiness_history), _history(ordered))


def read(session: Session, query: JudgmentQuery) -> list[Judgment]:
    """The judgments that a query asks for."""
    return query.select(_read_history(session, query) if query.history else _read_current(session, query))


def _read_current(session: Session, query: JudgmentQuery) -> list[Judgment]:
    wanted = [data_readiness.c.domain == DOMAIN]
    if query.weeks is not None:
        wanted.append(data_readiness.c.partition_key.in_([_week_key(week) for week in sorted(query.weeks)]))
    if query.ready_for is not None:
        wanted.append(data_readiness.c.ready_for == query.ready_for)
    rows = session.execute(select(data_readiness).where(*wanted))
    return [_from_row(row, date.fromisoformat(row.partition_key["week_ending"]), row.updated_at) for row in rows]


def _read_history(session: Session, query: JudgmentQuery) -> list[Judgment]:
    wanted = []
    if query.weeks is not None:
        wanted.append(session.dialect.among(readiness_history.c.week_ending, query.weeks))
    if query.ready_for is not None:
        wanted.append(readiness_history.c.ready_for == query.ready_for)
    rows = session.execute(select(readiness_history).where(*wanted).order_by(readiness_history.c.judgment_no))
    return [_from_row(row, row.week_ending, row.judged_at) for row in rows]


def _week_and_use(judgment: Judgment) -> tuple[date, str]:
    return judgment.readiness.week_ending, judgment.readiness.ready_for


def _week_key(week_ending: date) -> Any:
    return json.loads(Scope.week(week_ending).key)


def _key(readiness: Readiness) -> dict[str, object]:
    return {
        "domain": DOMAIN,
        "partition_key": _week_key(readiness.week_ending),
        "ready_for": readiness.ready_for,
    }


def _columns(readiness: Readiness) -> dict[str, object]:
    return {
        "is_ready": readiness.is_ready,
        "all_partitions_present": readiness.all_partitions_present,
        "all_stages_complete": readiness.all_stages_complete,
        "no_critical_anomalies": readiness.no_critical_anomalies,
        "no_rejected_rows": readiness.no_rejected_rows,
        "no_partial_coverage": readiness.no_partial_coverage,
        "blocking_issues": [to_plain(issue) for issue in readiness.blocking_issues],
        "ready_on": readiness.ready_on,
        "captures": list(readiness.captures),
    }


def _supersede(session: Session, judgments: Sequence[Judgment]) -> None:
    """End those that hold in the history, at the time of the first that comes after them."""
    h = readiness_history.c
    holding = update(readiness_history).where(
        h.week_ending == bindparam("week"), h.ready_for == bindparam("use"), h.superseded_at.is_(None)
    )
    first = {_week_and_use(judgment): judgment.judged_at for judgment in reversed(judgments)}
    session.execute(
        holding.values(superseded_at=bindparam("at")),
        [{"week": week, "use": use, "at": at} for (week, use), at in sorted(first.items())],
    )


def _history(judgments: Sequence[Judgment]) -> list[dict[str, object]]:
    """judgments: those of one week and use in the order of their puts."""
    rows: list[dict[str, object]] = []
    after: dict[tuple[date, str], datetime] = {}
    for judgment in reversed(judgments):
        key = _week_and_use(judgment)
        rows.append(
            {
                "week_ending": key[0],
                "ready_for": key[1],
                **_columns(judgment.readiness),
                "judged_at": judgment.judged_at,
                "superseded_at": after.get(key),
            }
        )
        after[key] = judgment.judged_at
    return rows[::-1]


def _from_row(row: Row[Any], week_ending: date, judged_at: datetime) -> Judgment:
    readiness = Readiness(
        week_ending=week_ending,
        ready_for=row.ready_for,
        is_ready=row.is_ready,
        all_partitions_present=row.all_partitions_present,
        all_stages_complete=row.all_stages_complete,
        no_critical_anomalies=row.no_critical_anomalies,
        no_rejected_rows=row.no_rejected_rows,
        no_partial_coverage=row.no_partial_coverage,
        blocking_issues=tuple(from_plain(issue, BlockingIssue) for issue in row.blocking_issues),
        ready_on=row.ready_on,
        captures=tuple(row.captures),
    )
    return Judgment(readiness=readiness, judged_at=judged_at)
