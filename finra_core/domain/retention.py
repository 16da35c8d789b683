"""What protects captures, and what is left of those that were removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timezone

from attrs import frozen

from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition


@frozen(kw_only=True)
class Pin:
    """A person's word that a capture is to be kept, and why."""

    capture_id: str
    revision: int
    partition: Partition
    reason: str
    pinned_at: datetime

    @property
    def name(self) -> tuple[str, int]:
        """The capture's capture_id and revision."""
        return self.capture_id, self.revision

    def __str__(self) -> str:
        return self.capture_id if self.revision == 1 else f"{self.capture_id} r{self.revision}"


@frozen(kw_only=True)
class RemovedCapture:
    """A capture that a store no longer has. Fields as in `Capture`."""

    capture_id: str
    revision: int
    captured_at: datetime
    normalized_at: datetime | None
    content_hash: str
    row_count: int
    size_bytes: int

    @classmethod
    def of(cls, capture: Capture) -> RemovedCapture:
        """What is kept of a capture."""
        return cls(
            capture_id=capture.capture_id,
            revision=capture.revision,
            captured_at=capture.captured_at,
            normalized_at=capture.normalized_at,
            content_hash=capture.content_hash,
            row_count=capture.row_count,
            size_bytes=capture.size_bytes,
        )


@frozen(kw_only=True)
class PruneRecord:
    """That captures of a partition were removed. before: the day (UTC) from whose beginning on all is still known."""

    partition: Partition
    before: date
    pruned_at: datetime
    removed: tuple[RemovedCapture, ...]


def beginning_of(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(day, time(), timezone.utc)


def horizon(records: Sequence[PruneRecord]) -> date | None:
    """The day from which on all is known of what these records are about; None where nothing was removed."""
    return max((record.before for record in records), default=None)
