"""What `finra anomalies` shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, Toned
from finra_core.domain.anomalies import Acknowledgment, AnomalyRecord, Category, Severity, Stage
from finra_core.domain.scopes import Scope

_TONES = {Severity.CRITICAL: Tone.BAD, Severity.ERROR: Tone.BAD, Severity.WARN: Tone.WAITING, Severity.INFO: Tone.ASIDE}


@frozen(kw_only=True)
class AnomalyRow:
    """A finding. week_ending, tier, place: what it is about, null where it is not about that; all null: the store.

    occurrences: how many checks found it. resolved_at: null while it is open. acknowledged: null where nobody did.
    """

    severity: Severity
    category: Category
    stage: Stage
    week_ending: date | None
    tier: str | None
    place: str | None
    message: str
    details: Mapping[str, str | int | float | bool | None]
    first_seen: datetime
    last_seen: datetime
    occurrences: int
    resolved_at: datetime | None
    acknowledged: Acknowledgment | None
    fingerprint: str


@frozen(kw_only=True)
class Anomalies:
    """The findings, latest seen first."""

    anomalies: tuple[AnomalyRow, ...]


def as_bad_as(least: Severity) -> frozenset[Severity]:
    """This severity and the worse ones."""
    worst_first = list(Severity)
    return frozenset(worst_first[: worst_first.index(least) + 1])


def anomalies_of(records: Iterable[AnomalyRecord]) -> Anomalies:
    """The document."""
    return Anomalies(anomalies=tuple(map(_row, records)))


def _row(record: AnomalyRecord) -> AnomalyRow:
    anomaly = record.anomaly
    return AnomalyRow(
        severity=anomaly.severity,
        category=anomaly.category,
        stage=anomaly.stage,
        week_ending=anomaly.scope.week_ending,
        tier=anomaly.scope.tier,
        place=anomaly.scope.place,
        message=anomaly.message,
        details=anomaly.details,
        first_seen=record.first_seen,
        last_seen=record.last_seen,
        occurrences=record.occurrences,
        resolved_at=record.resolved_at,
        acknowledged=record.acknowledged,
        fingerprint=record.fingerprint,
    )


def anomalies_page(found: Anomalies, url: str, least: Severity) -> Page:
    """A row for each."""
    page = Page()
    if found.anomalies:
        page.table(
            ("last_seen", "severity", "about", "fingerprint", "message"), [_cells(row) for row in found.anomalies]
        )
    else:
        page.line(f"{url} has no anomaly to show: none is open that is {least} or worse.")
    return page


def acknowledged_page(found: Anomalies) -> Page:
    """What is acknowledged now."""
    page = Page()
    for row in found.anomalies:
        page.line(f"Acknowledged: {_about(row)}: {row.message}{_state(row)}")
    return page


def _cells(row: AnomalyRow) -> list[Cell]:
    settled = row.resolved_at is not None or row.acknowledged is not None
    return [
        f"{row.last_seen:%Y-%m-%d}",
        Toned(row.severity.value, Tone.ASIDE if settled else _TONES[row.severity]),
        _about(row),
        row.fingerprint[:8],
        f"{row.message}{_state(row)}",
    ]


def _about(row: AnomalyRow) -> str:
    return str(Scope(row.week_ending, row.tier, row.place))


def _state(row: AnomalyRow) -> str:
    if row.resolved_at is not None:
        return f" (resolved {row.resolved_at:%Y-%m-%d})"
    if row.acknowledged is None:
        return ""
    until = f" until {row.acknowledged.until}" if row.acknowledged.until else ""
    return f" (acknowledged{until}: {row.acknowledged.reason})"
