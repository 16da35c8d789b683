"""What changed between two captures of a partition: its rows, and the symbols that moved to or from another tier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from attrs import frozen

from finra_core.domain.captures import Capture
from finra_core.domain.changes import ChangeKind, RowChange
from finra_core.domain.records import Record
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.store import CaptureQuery, ReadView


class DiffKind(str, Enum):
    """What happened to a row.

    CHANGED: its shares or trades. RENAMED: nothing but the name of its issue or venue, and perhaps its date. REDATED:
    nothing but its lastUpdateDate.
    """

    ADDED = "added"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    RENAMED = "renamed"
    REDATED = "redated"

    def __str__(self) -> str:
        return self.value


@frozen
class RowDiff:
    """One row that differs. before: None where it was added; after: None where it was withdrawn."""

    kind: DiffKind
    before: Record | None
    after: Record | None

    @property
    def newest(self) -> Record:
        """The row as it is now, or as it last was."""
        record = self.after or self.before
        if record is None:
            raise ValueError("a difference has a record before or after")
        return record

    @property
    def shares_delta(self) -> int:
        """By how many micro-shares its volume grew; negative where it shrank."""
        return shares_delta(self)

    @property
    def trades_delta(self) -> int:
        """By how many trades it grew."""
        return (self.after.trades if self.after else 0) - (self.before.trades if self.before else 0)

    @property
    def percent(self) -> float | None:
        """By how many percent its volume grew; None where it was added."""
        return 100 * self.shares_delta / self.before.shares_micros if self.before else None


@frozen(kw_only=True)
class Summary:
    """How many rows differ, by kind. shares_before, shares_after: the partition's micro-shares."""

    added: int
    withdrawn: int
    changed: int
    renamed: int
    redated: int
    shares_before: int
    shares_after: int


@frozen
class MovedSymbol:
    """A symbol that left one tier and came to another between the two captures."""

    symbol: str
    before: Tier
    after: Tier


@frozen(kw_only=True)
class Diff:
    """Two captures of one partition. rows: those that differ, by security and venue."""

    before: Capture
    after: Capture
    rows: tuple[RowDiff, ...]
    summary: Summary
    moved: tuple[MovedSymbol, ...]


def shares_delta(change: RowChange | RowDiff) -> int:
    """By how many micro-shares a row's volume grew; negative where it shrank."""
    before = change.before.shares_micros if change.before else 0
    after = change.after.shares_micros if change.after else 0
    return after - before


def diff(view: ReadView, before: Capture, after: Capture) -> Diff:
    """What changed from one capture to another of the same partition; either may be the earlier one.

    Raises:
        StoreError: they are captures of two partitions, or one has no records.
    """
    changes = view.changes(before, after)
    rows = tuple(row_diffs(changes))
    kinds = [row.kind for row in rows]
    summary = Summary(
        added=kinds.count(DiffKind.ADDED),
        withdrawn=kinds.count(DiffKind.WITHDRAWN),
        changed=kinds.count(DiffKind.CHANGED),
        renamed=kinds.count(DiffKind.RENAMED),
        redated=kinds.count(DiffKind.REDATED),
        shares_before=_shares(before),
        shares_after=_shares(after),
    )
    return Diff(before=before, after=after, rows=rows, summary=summary, moved=_moved(view, before, after, changes))


def row_diffs(changes: Iterable[RowChange]) -> list[RowDiff]:
    """The changes with their kinds, by security and venue.

    A row is known by the name of its issue too, so an issue's new name makes of its rows some that are withdrawn and
    some that are added. Where two of these agree in all else, they are one that was renamed.
    """
    kept: list[RowDiff] = []
    withdrawn: dict[tuple[object, ...], list[Record]] = {}
    added: list[Record] = []
    for change in changes:
        if change.before is None and change.after is not None:
            added.append(change.after)
        elif change.after is None and change.before is not None:
            withdrawn.setdefault(_without_names(change.before), []).append(change.before)
        else:
            kept.append(RowDiff(_kind(change), change.before, change.after))
    for record in added:
        same = withdrawn.get(_without_names(record))
        kept.append(RowDiff(DiffKind.RENAMED, same.pop(0), record) if same else RowDiff(DiffKind.ADDED, None, record))
    kept += [RowDiff(DiffKind.WITHDRAWN, record, None) for records in withdrawn.values() for record in records]
    return sorted(kept, key=lambda row: (row.newest.security, row.newest.venue))


def _kind(change: RowChange) -> DiffKind:
    before, after = change.before, change.after
    if before is None or after is None or (before.shares_micros, before.trades) != (after.shares_micros, after.trades):
        return DiffKind.CHANGED
    return DiffKind.REDATED if before.venue == after.venue else DiffKind.RENAMED


def _without_names(record: Record) -> tuple[object, ...]:
    security, venue = record.security, record.venue
    place = security.symbol, security.product_type, venue.venue_type, venue.mpid, venue.crd
    return *place, record.shares_micros, record.trades


def _shares(capture: Capture) -> int:
    return sum(half.shares_micros for half in capture.coverage)


def _moved(view: ReadView, before: Capture, after: Capture, changes: Sequence[RowChange]) -> tuple[MovedSymbol, ...]:
    """Symbols that one of the captures alone has, and another tier the other way round.

    Of the other tiers these are the captures that were known with each of the two, so no later capture changes the
    answer. Thousands of symbols stand in two tiers of a week for good: those have not moved.
    """
    if all(change.kind is ChangeKind.CHANGED for change in changes):
        return ()
    old, new = view.symbols(before), view.symbols(after)
    gone, come = old - new, new - old
    if not gone and not come:
        return ()
    own, week = before.partition.tier, before.partition.week_ending
    of_week = view.captures(CaptureQuery(weeks=frozenset({week}), normalized=True))
    moved = []
    for tier in TIERS:
        if tier is not own:
            captures = [capture for capture in of_week if capture.partition.tier is tier]
            there_before, there_after = (_symbols_with(view, captures, side) for side in (before, after))
            moved += [MovedSymbol(symbol, own, tier) for symbol in gone & (there_after - there_before)]
            moved += [MovedSymbol(symbol, tier, own) for symbol in come & (there_before - there_after)]
    return tuple(sorted(moved, key=lambda each: (each.symbol, TIERS.index(each.after))))


def _symbols_with(view: ReadView, captures: Sequence[Capture], side: Capture) -> frozenset[str]:
    """The symbols of the newest of another tier's captures that was known when this one was, or is of the same run."""
    found = [c for c in captures if c.run_id == side.run_id or (side.normalized_at and c.is_known(side.normalized_at))]
    return view.symbols(found[-1]) if found else frozenset()
