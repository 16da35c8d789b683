"""The ledger of restatements: what FINRA changed after a partition's first capture, how late, and how much."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from itertools import pairwise

from attrs import frozen

from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.changes import RowChange
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.diff import shares_delta
from finra_core.ports.store import CaptureQuery, ReadView


@frozen(kw_only=True)
class Restatement:
    """One capture that changed rows of the capture before it.

    known_from: when its records became visible. days_late: days from FINRA's publication day to the newest
    lastUpdateDate among the changed rows, or, where rows were only withdrawn, to the capture.
    """

    partition: Partition
    before: Capture
    after: Capture
    known_from: datetime
    days_late: int
    changes: tuple[RowChange, ...]

    @property
    def shares_delta(self) -> int:
        """By how many micro-shares the partition's volume grew."""
        return sum(map(shares_delta, self.changes))

    @property
    def shares_moved(self) -> int:
        """The sum of all rows' changes, whichever way they went, in micro-shares."""
        return sum(abs(shares_delta(change)) for change in self.changes)


def restatements(
    view: ReadView, *, since: date | None = None, symbol: str | None = None, tiers: Collection[Tier] = TIERS
) -> list[Restatement]:
    """Every restatement that changed a row, latest known first.

    since: only those that became visible on this UTC day or later. symbol: only those that changed a row of this
    symbol, with those rows alone; symbols are compared as FINRA writes them. Of weeks that were pruned, it knows what
    changed after the oldest capture that is left: `pruned.history_begins` says since when that is all.
    """
    found = []
    for partition, captures in by_partition(view.captures(CaptureQuery(normalized=True))).items():
        if partition.tier in tiers:
            for before, after in pairwise(captures):
                entry = _entry(view, before, after, since, symbol)
                if entry is not None:
                    found.append(entry)
    return sorted(found, key=lambda each: (each.known_from, each.after.number), reverse=True)


def _entry(
    view: ReadView, before: Capture, after: Capture, since: date | None, symbol: str | None
) -> Restatement | None:
    known_from = after.normalized_at
    if known_from is None or (since is not None and known_from.date() < since):
        return None
    changes = tuple(c for c in view.changes(before, after) if symbol is None or c.key[0].symbol == symbol)
    if not changes:
        return None
    return Restatement(
        partition=after.partition,
        before=before,
        after=after,
        known_from=known_from,
        days_late=(_dated(changes, after) - publication_date(after.partition)).days,
        changes=changes,
    )


def _dated(changes: Collection[RowChange], after: Capture) -> date:
    days = [date.fromisoformat(change.after.last_update_date) for change in changes if change.after]
    return max(days, default=after.captured_at.date())
