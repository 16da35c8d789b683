"""What the stored history lacks, and the command that mends each gap."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import Enum

from attrs import frozen

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.anomalies import AnomalyRecord, Severity, Stage
from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import late_after, publication_date
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import DEFAULT_LOOKBACK
from finra_core.ports.store import AnomalyQuery, CaptureQuery, ReadView

_WEEK = timedelta(weeks=1)
OFFERED_WEEKS = 5 * 52
"""About how many weeks FINRA offers. The oldest one leaves its list each week."""
SOON = 4 * _WEEK
"""How long before a week leaves FINRA's list it is mentioned."""
UNVERIFIED = timedelta(days=400)
"""For how long a content need not be compared with the source's."""


class GapKind(str, Enum):
    """What a partition lacks."""

    NEVER_ASKED = "never_asked"
    LATE = "late"
    FAILED = "failed"
    NOT_NORMALIZED = "not_normalized"
    NOT_ANALYZED = "not_analyzed"
    NEVER_VERIFIED = "never_verified"
    SOON_NOT_OFFERED = "soon_not_offered"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class HistoryGap:
    """One thing that one partition lacks, and the command that mends it."""

    week_ending: date
    tier: Tier
    kind: GapKind
    message: str
    command: str


def examine(view: ReadView, at: datetime, grace_days: Mapping[Tier, int] | None = None) -> list[HistoryGap]:
    """What is missing between the oldest week stored and the newest one due, newest week first, then in tier order."""
    on = at.date()
    captures = by_partition(view.captures(CaptureQuery()))
    if not captures:
        return []
    analyzed = {key.inputs for key in view.analysis_keys() if key.calc_version == CALC_VERSION}
    errors = AnomalyQuery(severities=frozenset({Severity.ERROR, Severity.CRITICAL}), open_only=True)
    failed = _by_partition(view.anomalies(errors))
    found: list[HistoryGap] = []
    for partition in _due(min(captures, key=lambda p: p.week_ending).week_ending, on):
        own = captures.get(partition, [])
        found += _lacks(partition, own, failed.get(partition), at, (grace_days or {}).get(partition.tier), analyzed)
    return found


def _due(first: date, on: date) -> Iterator[Partition]:
    """The partitions from the week `first` on that FINRA was due to publish, newest week first."""
    week = first + (on - first).days // 7 * _WEEK
    while week >= first:
        yield from (Partition(week, tier) for tier in TIERS if publication_date(Partition(week, tier)) <= on)
        week -= _WEEK


def _by_partition(records: Collection[AnomalyRecord]) -> dict[Partition, AnomalyRecord]:
    found = {}
    for record in records:
        scope = record.anomaly.scope
        if scope.week_ending is not None and scope.tier in Tier.__members__ and record.anomaly.stage is Stage.RAW:
            found[Partition(scope.week_ending, Tier(scope.tier))] = record
    return found


def _lacks(  # noqa: PLR0917  the facts about one partition
    partition: Partition,
    captures: list[Capture],
    failed: AnomalyRecord | None,
    at: datetime,
    grace_days: int | None,
    analyzed: Collection[tuple[int, ...]],
) -> Iterator[HistoryGap]:
    fetch = f"finra run --weeks {partition.week_ending} --tiers {partition.tier}"
    if failed is not None:
        yield _gap(partition, GapKind.FAILED, failed.anomaly.message, fetch)
    elif not captures:
        kind = _absence(partition, at.date(), grace_days)
        yield _gap(partition, kind, f"no capture, though due on {publication_date(partition)}", fetch)
    if not captures:
        return
    newest = captures[-1]
    if not newest.is_normalized:
        yield _gap(partition, GapKind.NOT_NORMALIZED, f"{newest} has no records", fetch)
    elif (newest.number,) not in analyzed:
        yield _gap(partition, GapKind.NOT_ANALYZED, f"{newest} has no analytics", fetch)
    if at - newest.verified_at > UNVERIFIED:
        message = f"its content was last compared on {newest.verified_at.date()}"
        yield _gap(partition, GapKind.NEVER_VERIFIED, message, f"{fetch} --verify")


def _absence(partition: Partition, on: date, grace_days: int | None) -> GapKind:
    if partition.week_ending < on - OFFERED_WEEKS * _WEEK + SOON:
        return GapKind.SOON_NOT_OFFERED
    newest_window = late_after(partition, grace_days) + DEFAULT_LOOKBACK * _WEEK
    return GapKind.LATE if on <= newest_window else GapKind.NEVER_ASKED


def _gap(partition: Partition, kind: GapKind, message: str, command: str) -> HistoryGap:
    return HistoryGap(
        week_ending=partition.week_ending, tier=partition.tier, kind=kind, message=message, command=command
    )
