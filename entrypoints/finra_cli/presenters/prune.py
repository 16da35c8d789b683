"""What `finra prune` shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from attrs import evolve, frozen

from finra_cli.output import Page, count
from finra_core.domain.captures import Capture
from finra_core.domain.retention import PruneRecord, RemovedCapture
from finra_core.domain.tiers import Tier
from finra_core.history.prune import PartitionPrune


@frozen(kw_only=True)
class PrunedPartition:
    """A partition that loses captures, or would. rows, size_bytes: of their payloads.

    kept: captures that stay. pinned: those of them that stay for their pins alone.
    """

    week_ending: date
    tier: Tier
    captures: tuple[RemovedCapture, ...]
    rows: int
    size_bytes: int
    kept: int
    pinned: int


@frozen(kw_only=True)
class Prune:
    """What is removed, or would be. before: from this day (UTC) on, every question keeps its answer.

    done: whether it was done. left_alone: partitions that keep all, because a finding on their coverage is open.
    """

    before: date
    done: bool
    captures: int
    rows: int
    size_bytes: int
    partitions: tuple[PrunedPartition, ...]
    left_alone: int


def planned_of(planned: Iterable[PartitionPrune], before: date) -> Prune:
    """The document of a plan."""
    plan = list(planned)
    partitions = [_partition(each) for each in plan if each.remove]
    return _document(before, partitions, done=False, left_alone=sum(each.is_short for each in plan))


def done_of(records: Sequence[PruneRecord], planned: Prune) -> Prune:
    """The document of what was done; the plan says what stays."""
    by_place = {(each.week_ending, each.tier): each for each in planned.partitions}
    partitions = []
    for record in records:
        own = by_place[record.partition.week_ending, record.partition.tier]
        partitions.append(_with(own, record.removed))
    return _document(planned.before, partitions, done=True, left_alone=planned.left_alone)


def _document(before: date, partitions: Sequence[PrunedPartition], *, done: bool, left_alone: int) -> Prune:
    return Prune(
        before=before,
        done=done,
        captures=sum(len(each.captures) for each in partitions),
        rows=sum(each.rows for each in partitions),
        size_bytes=sum(each.size_bytes for each in partitions),
        partitions=tuple(partitions),
        left_alone=left_alone,
    )


def _partition(planned: PartitionPrune) -> PrunedPartition:
    removed = tuple(map(RemovedCapture.of, planned.remove))
    return PrunedPartition(
        week_ending=planned.partition.week_ending,
        tier=planned.partition.tier,
        captures=removed,
        rows=_rows(planned.remove),
        size_bytes=_bytes(planned.remove),
        kept=planned.kept,
        pinned=planned.pinned,
    )


def _with(partition: PrunedPartition, removed: tuple[RemovedCapture, ...]) -> PrunedPartition:
    return evolve(partition, captures=removed, rows=_rows(removed), size_bytes=_bytes(removed))


def _rows(captures: Sequence[Capture | RemovedCapture]) -> int:
    return sum(capture.row_count for capture in captures)


def _bytes(captures: Sequence[Capture | RemovedCapture]) -> int:
    return sum(capture.size_bytes for capture in captures)


def prune_page(found: Prune, url: str, *, done: bool) -> Page:
    """A row for each partition, and what it comes to."""
    page = Page()
    if not found.captures:
        page.line(f"{url} has nothing that could go: history before {found.before} stays as it is.")
        return _left_alone(page, found)
    page.table(
        ("week_ending", "tier", "captures", "rows", "bytes", "kept", "pinned"),
        [
            (str(each.week_ending), each.tier, len(each.captures), each.rows, each.size_bytes, each.kept, each.pinned)
            for each in found.partitions
        ],
    )
    verb = "Removed" if done else "Would remove"
    amount = f"{count(found.captures, 'capture')}, {count(found.rows, 'row')}, {count(found.size_bytes, 'byte')}"
    page.line(f"{verb} {amount}")
    if done:
        page.line(f"History begins on {found.before} for these weeks")
    else:
        page.line(f"History would begin on {found.before} for these weeks; --yes does it")
    return _left_alone(page, found)


def _left_alone(page: Page, found: Prune) -> Page:
    if found.left_alone:
        page.line(f"{count(found.left_alone, 'partition')} left alone: a coverage finding is open")
    return page
