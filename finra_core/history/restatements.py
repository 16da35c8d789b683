"""The ledger of restatements: what FINRA changed after a partition's first capture, how late, and how much."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timezone
from itertools import pairwise

from attrs import frozen

from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.changes import ChangeKind, RowChange
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.diff import shares_delta
from finra_core.history.pruned import history_begins
from finra_core.ports.store import CaptureQuery, ReadView, RestatementQuery


@frozen(kw_only=True)
class Restatement:
    """One capture that changed rows of the capture before it. changes: those rows, by security and venue.

    known_from: when its records became visible. days_late: days from FINRA's publication day to the newest
    lastUpdateDate that changed or added rows moved to, or, where none moved on, to the capture.
    """

    partition: Partition
    before: Capture
    after: Capture
    known_from: datetime
    days_late: int
    changes: tuple[RowChange, ...]

    def count(self, kind: ChangeKind) -> int:
        """How many of its rows are of this kind."""
        return sum(change.kind is kind for change in self.changes)

    @property
    def shares_delta(self) -> int:
        """By how many micro-shares the partition's volume grew."""
        return sum(map(shares_delta, self.changes))

    @property
    def shares_moved(self) -> int:
        """The sum of all rows' changes, whichever way they went, in micro-shares."""
        return sum(abs(shares_delta(change)) for change in self.changes)


@frozen(kw_only=True)
class Figures:
    """How often, how late, how large. partitions: those looked at; restated: those restated at least once.

    median_days_late and max_days_late are None where there is no restatement. shares_delta, shares_moved and
    largest_shares_moved: micro-shares over all restatements, and of the one that moved most.
    """

    partitions: int
    restated: int
    restatements: int
    changed: int
    added: int
    withdrawn: int
    median_days_late: float | None
    max_days_late: int | None
    shares_delta: int
    shares_moved: int
    largest_shares_moved: int


@frozen(kw_only=True)
class Ledger:
    """Restatements, latest known first, and the figures over them.

    begins: where captures were pruned, the first day of which all is known; None where none were, or where only later
    days were asked for. Before it, several restatements may stand as one, or not at all.
    """

    restatements: tuple[Restatement, ...]
    figures: Figures
    begins: date | None


def restatements(
    view: ReadView,
    *,
    since: date | None = None,
    symbol: str | None = None,
    tiers: Collection[Tier] = TIERS,
    weeks: Collection[date] | None = None,
) -> list[Restatement]:
    """Every restatement that changed a row, latest known first.

    since: only those that became visible on this UTC day or later. symbol: only those that changed a row of this
    symbol, with those rows alone; symbols are compared as FINRA writes them. Of weeks that were pruned, it knows what
    changed after the oldest capture that is left: `pruned.history_begins` says since when that is all.
    """
    return list(ledger(view, since=since, symbol=symbol, tiers=tiers, weeks=weeks).restatements)


def ledger(
    view: ReadView,
    *,
    since: date | None = None,
    symbol: str | None = None,
    tiers: Collection[Tier] = TIERS,
    weeks: Collection[date] | None = None,
) -> Ledger:
    """The same with its figures."""
    only = None if weeks is None else frozenset(weeks)
    captures = view.captures(CaptureQuery(weeks=only, normalized=True))
    looked_at = {partition: own for partition, own in by_partition(captures).items() if partition.tier in tiers}
    query = RestatementQuery(
        weeks=only,
        tiers=None if len(frozenset(tiers)) == len(TIERS) else frozenset(tiers),
        known_since=None if since is None else datetime.combine(since, time(), timezone.utc),
        symbol=symbol,
    )
    changed = view.restatements(query)
    entries = [
        _entry(before, after, after.normalized_at, tuple(changed[after.number]))
        for own in looked_at.values()
        for before, after in pairwise(own)
        if after.number in changed and after.normalized_at is not None
    ]
    entries.sort(key=lambda each: (each.known_from, each.after.number), reverse=True)
    begins = history_begins(view, weeks=weeks, tiers=tiers)
    return Ledger(
        restatements=tuple(entries),
        figures=_figures(entries, len(looked_at)),
        begins=None if begins is None or (since is not None and since >= begins) else begins,
    )


def _entry(before: Capture, after: Capture, known_from: datetime, changes: tuple[RowChange, ...]) -> Restatement:
    return Restatement(
        partition=after.partition,
        before=before,
        after=after,
        known_from=known_from,
        days_late=(_dated(changes, after) - publication_date(after.partition)).days,
        changes=changes,
    )


def _dated(changes: Collection[RowChange], after: Capture) -> date:
    """The newest date that rows moved to. Rows that were taken back to what they had been bear an older one again."""
    published = publication_date(after.partition).isoformat()
    moved_to = [
        change.after.last_update_date
        for change in changes
        if change.after
        and change.after.last_update_date > (change.before.last_update_date if change.before else published)
    ]
    return date.fromisoformat(max(moved_to)) if moved_to else after.captured_at.date()


def _figures(entries: Sequence[Restatement], partitions: int) -> Figures:
    late = sorted(each.days_late for each in entries)
    return Figures(
        partitions=partitions,
        restated=len({each.partition for each in entries}),
        restatements=len(entries),
        changed=sum(each.count(ChangeKind.CHANGED) for each in entries),
        added=sum(each.count(ChangeKind.ADDED) for each in entries),
        withdrawn=sum(each.count(ChangeKind.WITHDRAWN) for each in entries),
        median_days_late=(late[(len(late) - 1) // 2] + late[len(late) // 2]) / 2 if late else None,
        max_days_late=late[-1] if late else None,
        shares_delta=sum(each.shares_delta for each in entries),
        shares_moved=sum(each.shares_moved for each in entries),
        largest_shares_moved=max((each.shares_moved for each in entries), default=0),
    )
