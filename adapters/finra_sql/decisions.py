"""What runs decided about partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select

from finra_core.domain.partitions import Partition
from finra_core.domain.revision import Action, Decision, Evidence, Rule
from finra_core.domain.tiers import Tier
from finra_core.ports.store import DecisionQuery, DecisionRecord
from finra_sql.json_values import from_plain, to_plain
from finra_sql.schema import decisions
from finra_sql.session import Session


def put(session: Session, records: Sequence[DecisionRecord]) -> None:
    """Add decisions."""
    if records:
        session.execute(insert(decisions), [_columns(record) for record in records])


def read(session: Session, query: DecisionQuery) -> list[DecisionRecord]:
    """The decisions that a query asks for, latest first."""
    wanted = []
    if query.run_id is not None:
        wanted.append(decisions.c.run_id == query.run_id)
    if query.partition is not None:
        wanted.append(decisions.c.week_ending == query.partition.week_ending)
        wanted.append(decisions.c.tier == query.partition.tier.value)
    if query.weeks is not None:
        wanted.append(session.dialect.among(decisions.c.week_ending, query.weeks))
    latest_first = (decisions.c.decided_at.desc(), decisions.c.decision_no.desc())
    if query.newest:
        place = func.row_number().over(partition_by=(decisions.c.week_ending, decisions.c.tier), order_by=latest_first)
        placed = select(decisions.c.decision_no, place.label("place")).where(*wanted).subquery()
        wanted = [decisions.c.decision_no.in_(select(placed.c.decision_no).where(placed.c.place == 1))]
    rows = session.execute(select(decisions).where(*wanted).order_by(*latest_first).limit(query.limit))
    return [_from_row(row) for row in rows]


def _columns(record: DecisionRecord) -> dict[str, object]:
    return {
        "run_id": record.run_id,
        "week_ending": record.partition.week_ending,
        "tier": record.partition.tier.value,
        "action": record.decision.action.value,
        "rule": record.decision.rule.value,
        "reason": record.reason,
        "evidence": to_plain(record.decision.evidence),
        "decided_at": record.decided_at,
    }


def _from_row(row: Row[Any]) -> DecisionRecord:
    return DecisionRecord(
        run_id=row.run_id,
        partition=Partition(row.week_ending, Tier(row.tier)),
        decision=Decision(Action(row.action), Rule(row.rule), from_plain(row.evidence, Evidence)),
        reason=row.reason,
        decided_at=row.decided_at,
    )
