"""What changed between the records of two captures of one partition, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from attrs import frozen

from finra_core.domain.records import Record, Security, Venue, venue_identity


class ChangeKind(str, Enum):
    """What happened to a row. A row is known by its security and its `venue_identity`."""

    ADDED = "added"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"

    def __str__(self) -> str:
        return self.value


@frozen
class RowChange:
    """One row that differs. before: None where it was added; after: None where it was withdrawn.

    A row counts as CHANGED too if only its date or its venue's name differs.
    """

    kind: ChangeKind
    before: Record | None
    after: Record | None

    @property
    def key(self) -> tuple[Security, Venue]:
        """The security and the venue without its name."""
        record = self.after or self.before
        if record is None:
            raise ValueError("a change has a record before or after")
        return record.security, venue_identity(record.venue)


def compare_records(before: Iterable[Record], after: Iterable[Record]) -> list[RowChange]:
    """The rows that differ, by security and venue. The caller may leave out rows that are equal on both sides."""
    old, new = _by_key(before), _by_key(after)
    changes = []
    for key in sorted(old.keys() | new.keys()):
        was, is_now = old.get(key), new.get(key)
        if was != is_now:
            changes.append(RowChange(_kind(was, is_now), was, is_now))
    return changes


def _by_key(records: Iterable[Record]) -> dict[tuple[Security, Venue], Record]:
    return {(record.security, venue_identity(record.venue)): record for record in records}


def _kind(was: Record | None, is_now: Record | None) -> ChangeKind:
    if was is None:
        return ChangeKind.ADDED
    return ChangeKind.WITHDRAWN if is_now is None else ChangeKind.CHANGED
