"""How FINRA changes what it has published: rows corrected, rows that come late, rows withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from random import Random

from attrs import field, frozen

from finra_core.domain.partitions import Partition
from finra_simulator.chance import below, stream
from finra_simulator.eastern import eastern_day
from finra_simulator.rows import MICROS, Row, row_key
from finra_simulator.trading import Book

_MAX_DAYS_AFTER = 28  # and at most two more where that is a weekend
_LATE_FROM, _LATE_DAYS = 32, 333
"""Late restatements come this many days after the publication, and within so many more: within a year."""
_MAX_DAYS_BETWEEN_HALVES = 7
_SECOND_CHANCE = 0.25
_SATURDAY = 5


@frozen
class Restatement:
    """A change of a published partition at the instant `at`.

    changed, added, withdrawn: rows. Changed and added rows bear the US Eastern day of `at` as their
    lastUpdateDate; with `silent` changed rows keep theirs. With `restores` the content becomes what it was
    before the restatement that precedes this one, and the counts mean nothing.
    """

    partition: Partition
    at: datetime
    changed: int = 3
    added: int = 0
    withdrawn: int = 0
    silent: bool = field(default=False, kw_only=True)
    restores: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.silent and (self.added or self.withdrawn):
            raise ValueError("a silent restatement only changes rows: added and withdrawn rows would show")


@frozen
class LateHalf:
    """The partition's non-ATS half is published at the instant `until`, days after its ATS half."""

    partition: Partition
    until: datetime


def drawn_restatements(seed: int, partition: Partition, published: date, rate: float) -> list[Restatement]:
    """None, or with the chance `rate` one or two, on weekdays 1 to 30 days after the publication."""
    chance = stream(seed, partition.week_ending, partition.tier, "restatements")
    if chance.random() >= rate:
        return []
    count = 2 if chance.random() < _SECOND_CHANCE else 1
    return [_drawn(partition, _weekday(published, 1, _MAX_DAYS_AFTER, chance), chance) for _ in range(count)]


def drawn_late_restatements(seed: int, partition: Partition, published: date, rate: float) -> list[Restatement]:
    """None, or with the chance `rate` one, on a weekday over a month and up to a year after the publication."""
    chance = stream(seed, partition.week_ending, partition.tier, "late restatements")
    if chance.random() >= rate:
        return []
    return [_drawn(partition, _weekday(published, _LATE_FROM, _LATE_DAYS, chance), chance)]


def drawn_late_half(seed: int, partition: Partition, published: date, rate: float) -> LateHalf | None:
    """None, or with the chance `rate` the non-ATS half on a weekday 1 to 9 days after the publication."""
    chance = stream(seed, partition.week_ending, partition.tier, "late half")
    if chance.random() >= rate:
        return None
    return LateHalf(partition, _at(_weekday(published, 1, _MAX_DAYS_BETWEEN_HALVES, chance), chance))


def restate(rows: Sequence[Row], book: Book, restatement: Restatement, chance: Random) -> list[Row]:
    """The partition's rows after this restatement, by row key.

    Raises:
        ValueError: the partition has not so many rows to change and withdraw, or no pair left to add.
    """
    touched = _distinct(len(rows), restatement.changed + restatement.withdrawn, chance)
    changed = set(touched[: restatement.changed])
    withdrawn = set(touched[restatement.changed :])
    today = eastern_day(restatement.at)
    updated = None if restatement.silent else today
    kept = [
        _corrected(row, updated, chance) if i in changed else row for i, row in enumerate(rows) if i not in withdrawn
    ]
    # A withdrawn row does not come back in the same breath: only what no row had before is added.
    kept += _late_rows(book, {row_key(row) for row in rows}, restatement.added, today, chance)
    return sorted(kept, key=row_key)


def publish_half(rows: Sequence[Row], half: Sequence[Row], at: datetime) -> list[Row]:
    """The partition's rows once this half is there too, first published at this instant; by row key."""
    today, there = eastern_day(at), {row_key(row) for row in rows}
    new = [
        row._replace(last_update_date=today, initial_published_date=today) for row in half if row_key(row) not in there
    ]
    return sorted([*rows, *new], key=row_key)


def _drawn(partition: Partition, day: date, chance: Random) -> Restatement:
    return Restatement(partition, _at(day, chance), 1 + below(chance, 5), below(chance, 3), below(chance, 2))


def _weekday(published: date, first: int, days: int, chance: Random) -> date:
    """A weekday from `first` days after the publication on, within so many days, or the Monday after them."""
    day = published + timedelta(days=first + below(chance, days))
    return day + timedelta(days=7 - day.weekday()) if day.weekday() >= _SATURDAY else day


def _at(day: date, chance: Random) -> datetime:
    return datetime.combine(day, time(12 + below(chance, 10), below(chance, 60)), timezone.utc)


def _distinct(count: int, wanted: int, chance: Random) -> list[int]:
    if wanted > count:
        raise ValueError(f"{wanted} rows to change and withdraw, the partition has {count}")
    found: dict[int, None] = {}
    while len(found) < wanted:
        found[below(chance, count)] = None
    return list(found)


def _corrected(row: Row, updated: date | None, chance: Random) -> Row:
    """A firm reported more shares and trades than it had at first."""
    more = 1 + below(chance, 900)
    row = row._replace(
        shares_micros=row.shares_micros + more * MICROS,
        notional_micros=row.notional_micros + more * (row.notional_micros * MICROS // row.shares_micros),
        trades=row.trades + 1 + more // 100,
    )
    return row if updated is None else row._replace(last_update_date=updated, last_reported_date=updated)


def _late_rows(book: Book, taken: set[tuple[object, ...]], count: int, today: date, chance: Random) -> list[Row]:
    late: list[Row] = []
    start = below(chance, book.pairs)
    for step in range(book.pairs):
        if len(late) == count:
            return late
        row = book.row(*book.pair((start + step) % book.pairs), chance)
        if row_key(row) not in taken:
            late.append(row._replace(last_update_date=today, last_reported_date=today))
    if len(late) < count:
        raise ValueError(f"{count} rows to add to {book.partition}, only {len(late)} pairs are free")
    return late
