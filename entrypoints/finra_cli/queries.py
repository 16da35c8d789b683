"""The commands that only read: each gives rows, and the names of the columns worth a person's eye."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.anomalies import Severity
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import TierState
from finra_core.domain.tiers import TIERS, parse_tiers
from finra_core.domain.timestamps import utc_text
from finra_core.domain.weeks import parse_weeks
from finra_core.ports import Store

Rows = list[dict[str, object]]


def status(store: Store, _options: argparse.Namespace) -> Rows:
    """A row per week: how far each tier has come."""
    states = store.week_states(store.weeks(), CALC_VERSION)
    ready = {readiness.week_ending: readiness.is_ready for readiness in store.readiness()}
    return [
        {
            "week_ending": str(week),
            **{tier.value: _progress(states[week].tiers.get(tier)) for tier in TIERS},
            "ready": ready.get(week, False),
        }
        for week in sorted(states, reverse=True)
    ]


def readiness(store: Store, _options: argparse.Namespace) -> Rows:
    """A row per judged week."""
    return [
        {
            "week_ending": str(row.week_ending),
            "ready_for": row.ready_for,
            "is_ready": row.is_ready,
            "all_partitions_present": row.all_partitions_present,
            "all_stages_complete": row.all_stages_complete,
            "no_critical_anomalies": row.no_critical_anomalies,
            "no_rejected_rows": row.no_rejected_rows,
            "blocking_issues": list(row.blocking_issues),
            "why_not": "; ".join(row.blocking_issues) or None,
        }
        for row in store.readiness()
    ]


def anomalies(store: Store, options: argparse.Namespace) -> Rows:
    """A row per anomaly that is at least so severe."""
    severities = list(Severity)  # worst first
    shown = severities[: severities.index(Severity(options.severity)) + 1]
    return [
        {
            "severity": record.anomaly.severity.value,
            "category": record.anomaly.category.value,
            "stage": record.anomaly.stage.value,
            "partition_key": record.anomaly.partition_key,
            "concerns": " / ".join(map(str, json.loads(record.anomaly.partition_key).values())),
            "message": record.anomaly.message,
            "details": dict(record.anomaly.details),
            "first_seen": utc_text(record.first_seen),
            "last_seen": utc_text(record.last_seen),
            "occurrences": record.occurrences,
            "resolved_at": utc_text(record.resolved_at) if record.resolved_at else None,
            "fingerprint": record.fingerprint,
        }
        for record in store.anomalies(include_resolved=options.all)
        if record.anomaly.severity in shown
    ]


def captures(store: Store, options: argparse.Namespace) -> Rows:
    """A row per capture."""
    weeks = parse_weeks(options.weeks) if options.weeks is not None else None
    tiers = parse_tiers(options.tiers) if options.tiers is not None else TIERS
    asked = None if weeks is None else [Partition(week, tier) for week in weeks for tier in tiers]
    return [_capture(capture) for capture in store.captures(asked) if capture.partition.tier in tiers]


def _capture(capture: Capture) -> dict[str, object]:
    return {
        "capture_id": capture.capture_id,
        "revision": capture.revision,
        "week_ending": str(capture.partition.week_ending),
        "tier": capture.partition.tier.value,
        "captured_at": utc_text(capture.captured_at),
        "rows": capture.row_count,
        "source_version": str(capture.version) if capture.version else None,
        "content_hash": capture.content_hash,
        "reason": capture.reason,
        "source_url": capture.source_url,
    }


def _progress(state: TierState | None) -> str | None:
    if state is None:
        return None
    if state.normalized is None or state.normalized.number != state.newest.number:
        return "raw"
    return "analyzed" if state.analyzed else "normalized"


QUERIES: dict[str, tuple[Callable[[Store, argparse.Namespace], Rows], Sequence[str]]] = {
    "status": (status, ("week_ending", *(tier.value for tier in TIERS), "ready")),
    "readiness": (readiness, ("week_ending", "ready_for", "is_ready", "why_not")),
    "anomalies": (anomalies, ("last_seen", "severity", "category", "concerns", "occurrences", "message")),
    "captures": (captures, ("capture_id", "revision", "captured_at", "rows", "reason")),
}
"""The command's name: its rows, and the columns that its text form shows."""
