"""What a store can say of itself beyond its views: for those who check that it is sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from attrs import frozen

from finra_core.ports.store import RowCounts

Fact = str | int | list[int] | None


@frozen(kw_only=True)
class StageRow:
    """A row of the manifest. subject: its partition_key. metadata: what it says besides."""

    domain: str
    subject: Mapping[str, str]
    stage: str
    capture_id: str
    revision: int
    row_count: int
    captured_at: datetime
    metadata: Mapping[str, Fact]


@frozen(kw_only=True)
class Fault:
    """Something that is wrong in how a store keeps things. Where it is about no week or capture, these are None."""

    kind: str
    message: str
    week_ending: date | None = None
    tier: str | None = None
    capture_id: str | None = None


@frozen
class Integrity:
    """What a database's own check of itself found. notes: what it could not check, and what would change that."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable
class StoreAudit(Protocol):
    """A `ReadView` that also shows how things are kept. Methods raise StoreError where the store cannot be read."""

    def integrity(self) -> Integrity:
        """Have the database check itself: pages, indexes and constraints, as far as it can from here."""

    def faults(self) -> Iterable[Fault]:
        """Rows that belong to nothing, values kept twice that differ, versions of a row that overlap, and the like."""

    def manifest(self) -> Iterable[StageRow]:
        """All rows of the manifest, in no order."""

    def row_counts(self) -> Mapping[int, RowCounts]:
        """By capture number, how many row versions began with it, ended with it, and live on through it."""
