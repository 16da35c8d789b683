"""What `finra anomalies` shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, Toned
from finra_core.domain.anomalies import AnomalyRecord, Category, Severity, Stage

_TONES = {Severity.CRITICAL: Tone.BAD, Severity.ERROR: Tone.BAD, Severity.WARN: Tone.WAITING, Severity.INFO: Tone.ASIDE}


@frozen(kw_only=True)
class AnomalyRow:
    """A finding. occurrences: how many runs found it; resolved_at: null while it is open."""

    severity: Severity
    category: Category
    stage: Stage
    partition_key: str
    concerns: str
    message: str
    details: Mapping[str, object]
    first_seen: datetime
    last_seen: datetime
    occurrences: int
    resolved_at: datetime | None
    fingerprint: str


@frozen(kw_only=True)
class Anomalies:
    """The findings, latest seen first."""

    anomalies: tuple[AnomalyRow, ...]


def anomalies_of(records: Iterable[AnomalyRecord], least: Severity) -> Anomalies:
    """Those that are at least so severe."""
    severities = list(Severity)  # worst first
    shown = severities[: severities.index(least) + 1]
    return Anomalies(anomalies=tuple(_row(record) for record in records if record.anomaly.severity in shown))


def _row(record: AnomalyRecord) -> AnomalyRow:
    anomaly = record.anomaly
    return AnomalyRow(
        severity=anomaly.severity,
        category=anomaly.category,
        stage=anomaly.stage,
        partition_key=anomaly.partition_key,
        concerns=" / ".join(map(str, json.loads(anomaly.partition_key).values())),
        message=anomaly.message,
        details=anomaly.details,
        first_seen=record.first_seen,
        last_seen=record.last_seen,
        occurrences=record.occurrences,
        resolved_at=record.resolved_at,
        fingerprint=record.fingerprint,
    )


def anomalies_page(found: Anomalies, url: str, least: Severity) -> Page:
    """A row for each."""
    page = Page()
    if found.anomalies:
        page.table(("last_seen", "severity", "concerns", "seen", "message"), [_cells(row) for row in found.anomalies])
    else:
        page.line(f"{url} has no anomaly to show: none is open that is {least} or worse.")
    return page


def _cells(row: AnomalyRow) -> list[Cell]:
    resolved = "" if row.resolved_at is None else f" (resolved {row.resolved_at:%Y-%m-%d})"
    return [
        f"{row.last_seen:%Y-%m-%d}",
        Toned(row.severity.value, Tone.ASIDE if resolved else _TONES[row.severity]),
        row.concerns,
        row.occurrences,
        f"{row.message}{resolved}",
    ]
