"""Hand-made partitions, captures and records for the suites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone

from attrs import evolve

from finra_core.domain.analytics import CALC_VERSION, Analysis, analyze, volumes_of
from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.partitions import Partition
from finra_core.domain.records import MICROS, Records, SecurityKey, VenueKey
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports import NewCapture, RowChanges, Store
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload

Row = tuple[SecurityKey, VenueKey, int, int, str]
"""A record: security, venue, micro-shares, trades, last update date."""

WEEK = date(2025, 12, 26)
NEXT_WEEK = date(2026, 1, 2)
T1 = Partition(WEEK, Tier.NMS_TIER_1)
T2 = Partition(WEEK, Tier.NMS_TIER_2)
OTC = Partition(WEEK, Tier.OTC)
START = datetime(2026, 1, 20, 12, 0, 0, 123456, tzinfo=timezone.utc)
RUN_DATE = START.date()

AAPL: SecurityKey = ("AAPL", "Apple Inc. Common Stock", "UTP")
IBM: SecurityKey = ("IBM", "International Business Machines Corporation Common Stock", "CTS")
UBSA: VenueKey = ("ATS", "UBSA", "", "UBSA UBS ATS")
CITADEL: VenueKey = ("NON_ATS", "", "116797", "CITADEL SECURITIES LLC")


READING = timedelta(seconds=30)
"""How long before it was stored a capture's reading began."""


def at(minutes: int) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


def new_capture(
    partition: Partition = T1,
    minute: int = 0,
    *,
    capture_id: str | None = None,
    version: SourceVersion | None = None,
) -> NewCapture:
    """A capture made so many minutes after the start, with an identifier of its own unless one is given."""
    return NewCapture(
        capture_id=capture_id or f"{partition.tier}:{partition.week_ending}:{minute}",
        partition=partition,
        captured_at=at(minute),
        verified_at=at(minute) - READING,
        content_hash=f"{minute:064x}",
        version=version,
        row_count=2,
        run_id="run-1",
        reason="No prior capture found (first ingest)",
    )


def payload(*documents: bytes) -> Payload:
    """These documents, or one small one."""
    return Payload(documents or (b"MPID|issueSymbolIdentifier\nUBSA|AAPL\n",), "https://api.finra.org/data")


def row(
    security: SecurityKey = AAPL, venue: VenueKey = UBSA, shares: int = 100, trades: int = 1, day: str = "2026-01-12"
) -> Row:
    """A record of whole shares."""
    return security, venue, shares * MICROS, trades, day


def records(rows: Iterable[Row]) -> Records:
    """These records, in this order."""
    return Records.of(rows)


def add_capture(store: Store, partition: Partition = T1, minute: int = 0) -> Capture:
    """Add a capture in a transaction of its own."""
    with store.transaction(partition.key) as transaction:
        return transaction.add_capture(new_capture(partition, minute), payload())


def add_records(
    store: Store, capture: Capture, rows: Iterable[Row], rejects: Sequence[Reject] = (), minute: int = 0
) -> RowChanges | None:
    """Add a capture's records in a transaction of their own."""
    with store.transaction(capture.partition.key) as transaction:
        return transaction.add_records(capture, records(rows), rejects, at(minute))


def add_normalized(
    store: Store, partition: Partition = T1, minute: int = 0, rows: Iterable[Row] | None = None
) -> Capture:
    """Add a capture with records, one unless they are given."""
    capture = add_capture(store, partition, minute)
    add_records(store, capture, [row()] if rows is None else rows)
    return capture


def analysis_of(
    store: Store, captures: Sequence[Capture], *, minute: int = 0, calc_version: int = CALC_VERSION
) -> Analysis:
    """The analytics of these captures."""
    own = Records.of(row for capture in captures for row in store.records(capture).rows())
    analysis = analyze(captures, volumes_of(own), RUN_DATE, at(minute))
    return evolve(analysis, calc_version=calc_version)


def add_analysis(store: Store, captures: Sequence[Capture], *, calc_version: int = CALC_VERSION) -> bool:
    """Add the analytics of these captures in a transaction of their own."""
    analysis = analysis_of(store, captures, calc_version=calc_version)
    with store.transaction() as transaction:
        return transaction.add_analysis(analysis)


def add_whole_week(store: Store, week: date = WEEK) -> list[Capture]:
    """One normalized capture of each tier, in tier order."""
    return [add_normalized(store, Partition(week, tier), minute) for minute, tier in enumerate(TIERS)]
