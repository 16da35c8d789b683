"""A capture: what a partition contained when a run read it. Captures are added, never changed or deleted."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from attrs import frozen

from finra_core.domain.clock import utc_today
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import ALL_TIERS, Tier

_RESOLUTION = timedelta(microseconds=1)


@frozen
class SourceVersion:
    """FINRA's own mark of a partition's version: its newest lastUpdateDate and its number of rows.

    lastUpdateDate is a US Eastern date and is kept per row, so neither a second change on the same
    day nor, without the row count, a withdrawn row would show.
    """

    last_update_date: date
    row_count: int

    def __str__(self) -> str:
        return f"{self.last_update_date}, {self.row_count:,} rows"


@frozen(kw_only=True)
class Capture:
    """One stored capture.

    number: the store's own, growing within a partition in the order of capture.
    capture_id: `generate_capture_id`'s; revision counts from 1 the captures that share it.
    captured_at: UTC; strictly later than every earlier capture of the partition.
    content_hash: SHA-256 in hex of the content in canonical order.
    version: what the source said of its version, None where it says nothing.
    row_count: data rows in the raw payload, whatever their kind.
    verified_at: when the last reading that found this content began, the capture's own if none since. A change
        after that instant may not be in it.
    """

    number: int
    capture_id: str
    revision: int
    partition: Partition
    captured_at: datetime
    content_hash: str
    version: SourceVersion | None
    row_count: int
    size_bytes: int
    source_url: str
    run_id: str
    reason: str
    verified_at: datetime

    def __str__(self) -> str:
        return self.capture_id if self.revision == 1 else f"{self.capture_id} r{self.revision}"


def generate_capture_id(domain: str, week_ending: date, tier: Tier | str, run_date: date | None = None) -> str:
    """`{domain}:{tier}:{week_ending}:{YYYYMMDD}`; run_date defaults to today, UTC.

    Raises:
        ConfigurationError: `tier` is neither a tier nor ALL.
    """
    name = str(tier)
    if name not in Tier.__members__ and name != ALL_TIERS:
        raise ConfigurationError(f"unknown tier {name!r}: the tiers are {', '.join(Tier.__members__)}")
    day = utc_today() if run_date is None else run_date
    # strftime("%Y") drops leading zeros of years before 1000 on some platforms.
    return f"{domain}:{name}:{week_ending.isoformat()}:{day.isoformat().replace('-', '')}"


@frozen
class CaptureId:
    """The parts of a capture_id."""

    domain: str
    week_ending: date
    tier: str
    run_date: date


def parse_capture_id(capture_id: str) -> CaptureId:
    """The inverse of `generate_capture_id`.

    Raises:
        ConfigurationError: the text is no capture_id.
    """
    try:
        domain, tier, week, day = capture_id.rsplit(":", 3)
        run_date = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        parsed = CaptureId(domain, date.fromisoformat(week), tier, run_date)
        if generate_capture_id(domain, parsed.week_ending, tier, run_date) != capture_id:
            raise ValueError
    except (ValueError, OverflowError, ConfigurationError):
        raise ConfigurationError(
            f"malformed capture_id {capture_id!r}: expected domain:tier:YYYY-MM-DD:YYYYMMDD"
        ) from None
    return parsed


def next_captured_at(now: datetime, previous: Capture | None) -> datetime:
    """The time to record for a new capture: now, but later than the previous one even if the clock went back."""
    if previous is None or now > previous.captured_at:
        return now.astimezone(timezone.utc)
    return previous.captured_at + _RESOLUTION
