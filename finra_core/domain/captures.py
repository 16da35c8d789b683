"""A capture: what a partition contained when a run read it. No run changes or deletes one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone

from attrs import frozen

from finra_core.domain.clock import utc_today
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import ALL_TIERS, TIERS, Half, Tier

RESOLUTION = timedelta(microseconds=1)
"""The finest difference between two instants that stores keep."""


@frozen
class SourceVersion:
    """FINRA's own mark of a partition's version: its newest lastUpdateDate and its number of rows.

    row_count: None where the source does not count its rows, as with a download. Such a version says how recent a
    content is, and not whether two contents are equal.
    FINRA's lastUpdateDate is a US Eastern date, and each row has its own. A second change on the same day does not
    move it. A withdrawn row shows in the row count alone.
    """

    last_update_date: date
    row_count: int | None

    @property
    def is_comparable(self) -> bool:
        """Whether equal versions are a sign of equal contents."""
        return self.row_count is not None

    def __str__(self) -> str:
        rows = "" if self.row_count is None else f", {self.row_count:,} rows"
        return f"{self.last_update_date}{rows}"


@frozen(kw_only=True)
class NewCapture:
    """A capture to be stored; the store gives it its number. Fields as in `Capture`."""

    capture_id: str
    revision: int
    partition: Partition
    captured_at: datetime
    verified_at: datetime
    content_hash: str
    version: SourceVersion | None
    row_count: int
    run_id: str
    reason: str


@frozen(kw_only=True)
class Capture:
    """One stored capture.

    number: the store's own, growing within a partition in the order of capture.
    capture_id: `generate_capture_id`'s; revision counts from 1 the captures that share it.
    captured_at: UTC; strictly later than every earlier capture of the partition.
    content_hash: SHA-256 in hex of the content in canonical order.
    version: what the source said of its version, None where it says nothing.
    row_count: data rows in the raw payload, whatever their kind.
    verified_at: when the last fetch that found this content began; at first, the fetch that made the capture. A
        change after that instant may not be in it.
    checked_at: when the source was last seen to have this content still, by its version or by the content itself;
        never before verified_at.
    normalized_at: when its records were stored, None while it has none.
    rejected_rows: rows of the payload that are no records, None while it has none.
    coverage: what its records cover, ATS half first; empty while it has none.
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
    checked_at: datetime
    normalized_at: datetime | None = None
    rejected_rows: int | None = None
    coverage: tuple[HalfCoverage, ...] = ()

    @property
    def is_normalized(self) -> bool:
        """Whether it has records."""
        return self.normalized_at is not None

    def is_known(self, at: datetime) -> bool:
        """Whether its records were visible at this instant."""
        return self.normalized_at is not None and self.normalized_at <= at

    @property
    def halves(self) -> tuple[Half, ...]:
        """The halves of the tier that it has records of."""
        return tuple(half.half for half in self.coverage if half.rows)

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


def next_revision(captures: Iterable[Capture], capture_id: str) -> int:
    """One more than the newest revision among the captures that share this capture_id; 1 for the first."""
    return max((capture.revision for capture in captures if capture.capture_id == capture_id), default=0) + 1


def newest(captures: Iterable[Capture]) -> Capture | None:
    """The capture with the highest number."""
    return max(captures, key=lambda capture: capture.number, default=None)


def capture_order(capture: Capture) -> tuple[date, int, int]:
    """The sort key of captures: by week, tier and number."""
    return capture.partition.week_ending, TIERS.index(capture.partition.tier), capture.number


def by_partition(captures: Iterable[Capture]) -> dict[Partition, list[Capture]]:
    """Captures by partition; partitions by week and tier, the captures of each oldest first."""
    found: dict[Partition, list[Capture]] = {}
    for capture in sorted(captures, key=capture_order):
        found.setdefault(capture.partition, []).append(capture)
    return found


def unnormalized(captures: Sequence[Capture]) -> list[Capture]:
    """Those of one partition's captures that wait for records, oldest first.

    A capture that is older than one with records is superseded. It waits for nothing.
    """
    done = max((capture.number for capture in captures if capture.is_normalized), default=0)
    return sorted((c for c in captures if c.number > done), key=lambda capture: capture.number)


def next_captured_at(now: datetime, previous: Capture | None) -> datetime:
    """The time to record for a new capture: now, but later than the previous one even if the clock went back."""
    if previous is None or now > previous.captured_at:
        return now.astimezone(timezone.utc)
    return previous.captured_at + RESOLUTION
