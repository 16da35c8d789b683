"""Anomalies: opened, seen again, resolved and reopened by the checks of a run."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, select, update

from finra_core.domain.anomalies import Anomaly, AnomalyRecord, Category, Check, Severity, Stage
from finra_core.domain.partitions import DOMAIN
from finra_sql.schema import anomalies
from finra_sql.upsert import upsert

_WORST_FIRST = tuple(Severity)


def record_checks(connection: Connection, checks: Sequence[Check], at: datetime) -> None:
    """See `Transaction.record_checks`."""
    # Asked once for all: a run checks every week of the store, and nearly all checks neither find nor resolve anything.
    opened = _open_fingerprints(connection, {check.partition_key for check in checks})
    for check in checks:
        found = {a.fingerprint: a for a in sorted(check.found, key=_mildest_first)}
        for fingerprint, anomaly in found.items():
            _see(connection, fingerprint, anomaly, at)
            opened[anomaly.partition_key, anomaly.stage.value].add(fingerprint)
        passed = opened[check.partition_key, check.stage.value] - found.keys()
        if passed:
            _resolve(connection, passed, at)
            opened[check.partition_key, check.stage.value] -= passed


def read(connection: Connection, *, include_resolved: bool) -> list[AnomalyRecord]:
    """See `Store.anomalies`."""
    query = select(anomalies).order_by(anomalies.c.last_seen.desc(), anomalies.c.fingerprint)
    if not include_resolved:
        query = query.where(anomalies.c.resolved_at.is_(None))
    return [_from_row(row) for row in connection.execute(query)]


def open_criticals(connection: Connection) -> Counter[str]:
    """How many unresolved CRITICAL anomalies name each week ending, with or without a tier."""
    query = select(anomalies.c.partition_key).where(
        anomalies.c.severity == Severity.CRITICAL.value, anomalies.c.resolved_at.is_(None)
    )
    return Counter(json.loads(key).get("week_ending") for key in connection.execute(query).scalars())


def _see(connection: Connection, fingerprint: str, anomaly: Anomaly, at: datetime) -> None:
    seen: dict[str, object] = {
        "severity": anomaly.severity.value,
        "message": anomaly.message,
        "details_json": dict(anomaly.details),
        "last_seen": at,
        "resolved_at": None,
    }
    first_seen: dict[str, object] = {
        "fingerprint": fingerprint,
        "domain": DOMAIN,
        "category": anomaly.category.value,
        "partition_key": anomaly.partition_key,
        "stage": anomaly.stage.value,
        "first_seen": at,
        "occurrences": 1,
    }
    again = {**seen, "occurrences": anomalies.c.occurrences + 1}
    upsert(connection, anomalies, ["fingerprint"], {**first_seen, **seen}, again)


def _open_fingerprints(
    connection: Connection, partition_keys: Collection[str]
) -> defaultdict[tuple[str, str], set[str]]:
    """The open anomalies of these partition keys, by partition key and stage."""
    query = select(anomalies.c.partition_key, anomalies.c.stage, anomalies.c.fingerprint).where(
        anomalies.c.partition_key.in_(partition_keys), anomalies.c.resolved_at.is_(None)
    )
    opened: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for partition_key, stage, fingerprint in connection.execute(query):
        opened[partition_key, stage].add(fingerprint)
    return opened


def _resolve(connection: Connection, fingerprints: Collection[str], at: datetime) -> None:
    passed = update(anomalies).where(anomalies.c.fingerprint.in_(fingerprints), anomalies.c.resolved_at.is_(None))
    connection.execute(passed.values(resolved_at=at))


def _from_row(row: Row[tuple[object, ...]]) -> AnomalyRecord:
    return AnomalyRecord(
        fingerprint=row.fingerprint,
        anomaly=Anomaly(
            severity=Severity(row.severity),
            category=Category(row.category),
            partition_key=row.partition_key,
            stage=Stage(row.stage),
            message=row.message,
            details=row.details_json,
        ),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        occurrences=row.occurrences,
        resolved_at=row.resolved_at,
    )


def _mildest_first(anomaly: Anomaly) -> int:
    """Of findings with one fingerprint the worst is kept: a dictionary keeps the last."""
    return -_WORST_FIRST.index(anomaly.severity)
