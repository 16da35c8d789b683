"""Captures made by hand, for the tests of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone

from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Half, Tier

WEEK = date(2025, 12, 26)
NOON = datetime(2026, 2, 3, 12, tzinfo=timezone.utc)
OTC = Partition(WEEK, Tier.OTC)


def covering(*halves: Half, rows: int = 100) -> tuple[HalfCoverage, ...]:
    """What a capture covers that has as many rows in each of these halves, and none in the others."""
    return tuple(
        HalfCoverage(half=half, rows=count, venues=count, symbols=count, shares_micros=count)
        for half, count in ((half, rows if half in halves else 0) for half in Half)
    )


def a_capture(
    number: int = 1,
    partition: Partition = OTC,
    *,
    normalized: bool = False,
    revision: int = 1,
    capture_id: str | None = None,
    captured_at: datetime | None = None,
    verified_at: datetime = NOON,
    content_hash: str = "0" * 64,
    version: SourceVersion | None = None,
    rejected_rows: int = 0,
    halves: Sequence[Half] = tuple(Half),
) -> Capture:
    """The capture of this number, taken so many minutes after noon; with records if it is normalized."""
    at = captured_at or NOON + timedelta(minutes=number)
    return Capture(
        number=number,
        capture_id=capture_id or f"finra.otc_transparency:{partition.tier}:{partition.week_ending}:20260203",
        revision=revision,
        partition=partition,
        captured_at=at,
        content_hash=content_hash,
        version=version,
        row_count=1,
        size_bytes=1,
        source_url="file:///week.csv",
        run_id="run",
        reason="first",
        verified_at=verified_at,
        checked_at=verified_at,
        normalized_at=at if normalized else None,
        rejected_rows=rejected_rows if normalized else None,
        coverage=covering(*halves) if normalized else (),
    )
