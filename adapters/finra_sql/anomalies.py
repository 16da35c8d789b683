"""Anomalies, one row for each fingerprint."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select

from finra_core.domain.anomalies import Acknowledgment, Anomaly, AnomalyRecord, Category, Severity, Stage
from finra_core.domain.partitions import DOMAIN
from finra_core.domain.scopes import Scope
from finra_core.ports.store import AnomalyQuery
from finra_sql.schema import anomalies
from finra_sql.session import Session


def put(session: Session, records: Sequence[AnomalyRecord]) -> None:
    """Store anomalies, each in place of the one with its fingerprint."""
    if records:
        # Writers that take rows in one order cannot wait for each other in a circle.
        rows = [_columns(record) for record in sorted(records, key=lambda record: record.fingerprint)]
        session.dialect.upsert(session.connection, anomalies, ("fingerprint",), rows)


def read(session: Session, query: AnomalyQuery) -> list[AnomalyRecord]:
    """The anomalies that a query asks for, of those that its weeks, fingerprints and openness let through."""
    wanted = []
    if query.scopes is not None:
        wanted.append(_in_weeks(session, {scope.week_ending for scope in query.scopes}))
    if query.weeks is not None:
        wanted.append(_in_weeks(session, query.weeks))
    if query.fingerprints is not None:
        wanted.append(session.dialect.among(anomalies.c.fingerprint, query.fingerprints))
    if query.severities is not None:
        wanted.append(anomalies.c.severity.in_({severity.value for severity in query.severities}))
    if query.open_only:
        wanted.append(anomalies.c.resolved_at.is_(None))
    return query.select(_from_row(row) for row in session.execute(select(anomalies).where(*wanted)))


def _in_weeks(session: Session, weeks: Collection[date | None]) -> ColumnElement[bool]:
    named = session.dialect.among(anomalies.c.week_ending, {week for week in weeks if week is not None})
    return or_(named, anomalies.c.week_ending.is_(None)) if None in weeks else named


def _columns(record: AnomalyRecord) -> dict[str, object]:
    anomaly, scope, given = record.anomaly, record.anomaly.scope, record.acknowledged
    return {
        "fingerprint": record.fingerprint,
        "domain": DOMAIN,
        "severity": anomaly.severity.value,
        "category": anomaly.category.value,
        "partition_key": json.loads(scope.key),
        "week_ending": scope.week_ending,
        "tier": scope.tier,
        "place": scope.place,
        "stage": anomaly.stage.value,
        "message": anomaly.message,
        "details_json": dict(anomaly.details),
        "first_seen": record.first_seen,
        "last_seen": record.last_seen,
        "occurrences": record.occurrences,
        "resolved_at": record.resolved_at,
        "acknowledged_reason": given.reason if given else None,
        "acknowledged_at": given.at if given else None,
        "acknowledged_until": given.until if given else None,
    }


def _from_row(row: Row[Any]) -> AnomalyRecord:
    acknowledged = None
    if row.acknowledged_at is not None:
        acknowledged = Acknowledgment(row.acknowledged_reason, row.acknowledged_at, row.acknowledged_until)
    return AnomalyRecord(
        fingerprint=row.fingerprint,
        anomaly=Anomaly(
            severity=Severity(row.severity),
            category=Category(row.category),
            scope=Scope(row.week_ending, row.tier, row.place),
            stage=Stage(row.stage),
            message=row.message,
            details=row.details_json,
        ),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        occurrences=row.occurrences,
        resolved_at=row.resolved_at,
        acknowledged=acknowledged,
    )
