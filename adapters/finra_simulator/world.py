"""A deterministic FINRA: what it has published at any instant, as a function of a few numbers and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import get_args

from attrs import field, frozen
from attrs.validators import and_, ge, in_, le

from finra_core.domain.captures import SourceVersion
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import TIERS
from finra_core.domain.weeks import week_ending_of
from finra_simulator.aggregates import symbol_totals, venue_totals
from finra_simulator.chance import stream
from finra_simulator.eastern import eastern_day
from finra_simulator.restating import (
    LateHalf,
    Restatement,
    drawn_late_half,
    drawn_late_restatements,
    drawn_restatements,
    publish_half,
    restate,
)
from finra_simulator.rows import ATS_SYMBOL_FIRM, Row
from finra_simulator.trading import DeMinimis, Market, first_rows, open_book
from finra_simulator.venues import MAX_ATS

_PUBLICATION_TIME = time(11, tzinfo=timezone.utc)
"""06:00 US Eastern in winter, 07:00 in summer: FINRA says not earlier than 06:00."""


@frozen
class Delay:
    """The partition is published at the instant `until`, not when it is due."""

    partition: Partition
    until: datetime


Event = Delay | LateHalf | Restatement
Change = LateHalf | Restatement


_CHANCE = and_(ge(0.0), le(1.0))


def _events(events: Iterable[Event]) -> tuple[Event, ...]:
    return tuple(events)


def _per_tier(symbols: int | tuple[int, int, int]) -> tuple[int, int, int]:
    return (symbols, symbols, symbols) if isinstance(symbols, int) else symbols


@frozen(cache_hash=True)
class World:
    """All that FINRA publishes, from the week of `first_week` on, without end.

    symbols: securities in each tier in processing order, or one number for all; a security has about
    20 rows a week in tier 1, 8 in tier 2, 3 in OTC. ats, firms: how many venues there are.
    first_week: any day of the first week. restatement_rate: the chance that a partition is
    restated at all within a month, beside what `events` script. late_restatement_rate: that it is restated once
    more, up to a year after its publication. late_half_rate: that its non-ATS half is published days after its
    ATS half. de_minimis: whether and how there are rows of FINRA's aggregate of small firms: with the CRD number
    null or 0, or none. noise_in_numbers: shares are printed as sums of doubles, 32497.333333000002 for 32497.333333.
    delimiters_in_names: the issue names of a few securities hold `|`, quotes or both, so that FINRA's text without
    quotes around its values cannot be told apart.
    """

    seed: int = 1
    symbols: tuple[int, int, int] = field(default=(200, 400, 300), converter=_per_tier)
    ats: int = field(default=30, validator=and_(ge(1), le(MAX_ATS)))
    firms: int = field(default=25, validator=ge(1))
    first_week: date = field(default=date(2025, 1, 3), converter=week_ending_of)
    restatement_rate: float = field(default=0.2, validator=_CHANCE)
    events: tuple[Event, ...] = field(default=(), converter=_events)
    delimiters_in_names: bool = False
    de_minimis: DeMinimis = field(default="null", validator=in_(get_args(DeMinimis)))
    late_half_rate: float = field(default=0.0, validator=_CHANCE)
    late_restatement_rate: float = field(default=0.0, validator=_CHANCE)
    noise_in_numbers: bool = False

    @symbols.validator
    def _has_symbols(self, _attribute: object, value: tuple[int, int, int]) -> None:
        if len(value) != len(TIERS) or min(value) < 1:
            raise ValueError(f"symbols is {value}: give one positive number for each of the {len(TIERS)} tiers")

    @property
    def market(self) -> Market:
        """Its securities and venues."""
        return Market(self.seed, self.symbols, self.ats, self.firms, self.delimiters_in_names, self.de_minimis)

    def published(self, at: datetime) -> frozenset[Partition]:
        """The partitions that can be read at this instant."""
        weeks = range(max(0, (at.date() - self.first_week).days // 7 + 1))
        partitions = (Partition(self.first_week + timedelta(weeks=i), tier) for i in weeks for tier in TIERS)
        return frozenset(partition for partition in partitions if self.publication_instant(partition) <= at)

    def publication_instant(self, partition: Partition) -> datetime:
        """When the partition appears; its week must not lie before the world's first."""
        delays = [e.until for e in self.events if isinstance(e, Delay) and e.partition == partition]
        due = datetime.combine(publication_date(partition), _PUBLICATION_TIME)
        return max([due, *delays])

    def restatements(self, partition: Partition) -> tuple[Restatement, ...]:
        """Scripted and drawn ones, in the order in which they happen.

        Raises:
            ValueError: one is scripted before the publication.
        """
        return tuple(change for change in self.changes(partition) if isinstance(change, Restatement))

    def changes(self, partition: Partition) -> tuple[Change, ...]:
        """What changes the partition after its publication: restatements, and the half that came late.

        Raises:
            ValueError: one is scripted before the publication.
        """
        return _changes(self, partition)

    def change_instants(self, partition: Partition) -> tuple[datetime, ...]:
        """When the content of this partition changes, its publication first."""
        return (self.publication_instant(partition), *map(_instant, self.changes(partition)))

    def changes_until(self, partition: Partition, at: datetime) -> int:
        """How many changes have happened by this instant; -1 where the partition is not published."""
        if partition.week_ending < self.first_week:
            return -1
        return sum(instant <= at for instant in self.change_instants(partition)) - 1

    def rows(self, partition: Partition, at: datetime) -> list[Row]:
        """The rows of both *_SMBL_FIRM types at this instant, by row key; none before the publication."""
        return list(self._rows(partition, at))

    def control_rows(self, partition: Partition, at: datetime) -> list[Row]:
        """The *_SMBL rows: the same volume, summed over the venues."""
        book = open_book(self.market, partition, self.publication_day(partition))
        return symbol_totals(self._rows(partition, at), book)

    def venue_rows(self, partition: Partition, at: datetime) -> list[Row]:
        """The *_W_FIRM rows: the same volume, summed over the symbols."""
        return venue_totals(self._rows(partition, at))

    def version(self, partition: Partition, at: datetime) -> SourceVersion | None:
        """Newest lastUpdateDate and number of rows over the two *_SMBL_FIRM types; None before the publication."""
        changes = self.changes_until(partition, at)
        return _version(self, partition, changes) if changes >= 0 else None

    def publication_day(self, partition: Partition) -> date:
        """FINRA's initialPublishedDate."""
        return eastern_day(self.publication_instant(partition))

    def _rows(self, partition: Partition, at: datetime) -> tuple[Row, ...]:
        changes = self.changes_until(partition, at)
        return _rows_after(self, partition, changes) if changes >= 0 else ()


def _instant(change: Change) -> datetime:
    return change.until if isinstance(change, LateHalf) else change.at


@lru_cache(maxsize=4096)
def _changes(world: World, partition: Partition) -> tuple[Change, ...]:
    scripted = [e for e in world.events if isinstance(e, LateHalf | Restatement) and e.partition == partition]
    published = world.publication_instant(partition)
    early = [change for change in scripted if _instant(change) <= published]
    if early:
        raise ValueError(f"{partition} is restated at {_instant(early[0])} but published at {published}")
    late = next((change for change in scripted if isinstance(change, LateHalf)), None)
    if late is None:
        late = drawn_late_half(world.seed, partition, eastern_day(published), world.late_half_rate)
    # What is drawn changes the whole partition: a small half has not so many rows.
    whole = eastern_day(late.until if late else published)
    drawn = [
        *drawn_restatements(world.seed, partition, whole, world.restatement_rate),
        *drawn_late_restatements(world.seed, partition, whole, world.late_restatement_rate),
    ]
    changes: dict[Change, None] = dict.fromkeys([*scripted, *drawn, *([late] if late else [])])
    return tuple(sorted(changes, key=_instant))


@lru_cache(maxsize=8)
def _rows_after(world: World, partition: Partition, changes: int) -> tuple[Row, ...]:
    """The rows once so many changes have happened."""
    published = world.publication_day(partition)
    if changes == 0:
        rows = first_rows(world.market, partition, published)
        is_whole = not any(isinstance(change, LateHalf) for change in world.changes(partition))
        return tuple(row for row in rows if is_whole or row.summary_type == ATS_SYMBOL_FIRM)
    change = world.changes(partition)[changes - 1]
    before = _rows_after(world, partition, changes - 1)
    if isinstance(change, LateHalf):
        half = [r for r in first_rows(world.market, partition, published) if r.summary_type != ATS_SYMBOL_FIRM]
        return tuple(publish_half(before, half, change.until))
    if change.restores:
        return _rows_after(world, partition, max(changes - 2, 0))
    chance = stream(world.seed, partition.week_ending, partition.tier, "restatement", changes)
    return tuple(restate(before, open_book(world.market, partition, published), change, chance))


@lru_cache(maxsize=65536)
def _version(world: World, partition: Partition, changes: int) -> SourceVersion:
    rows = _rows_after(world, partition, changes)
    return SourceVersion(max(row.last_update_date for row in rows), len(rows))
