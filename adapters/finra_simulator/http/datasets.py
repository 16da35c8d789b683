"""The datasets of FINRA's group otcMarket that the simulator serves: their fields, partitions and records."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol
from zlib import crc32

from attrs import field, frozen

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import week_ending_of
from finra_simulator.aggregates import NOT_APPLICABLE, market_totals
from finra_simulator.eastern import eastern_day
from finra_simulator.rows import FIELDS, MICROS, Row
from finra_simulator.text import notional, shares_text
from finra_simulator.world import World

Record = tuple[Any, ...]
Key = tuple[Any, ...]
State = tuple[int, ...]

_NMS_WEEK, _NMS = date(2023, 11, 6), "NMS"
"""The one week in which the live API has a fifth tierIdentifier, beside the normal ones."""
_HISTORIC_AFTER = timedelta(weeks=52)
_WHOLE_NUMBERS = frozenset({"totalWeeklyTradeCount", "firmCRDNumber"})
_dumps = lru_cache(maxsize=65536)(json.dumps)


@frozen
class Field:
    """A field: its place in the records, how filters compare it, and its text in CSV (null is empty).

    scale: what a filter's number is multiplied with to be compared.
    """

    name: str
    place: int
    kind: str
    text: Callable[[Record], str] = field(eq=False)
    scale: int = 1

    def json(self, record: Record) -> str:
        """The value as JSON."""
        if record[self.place] is None:
            return "null"
        return self.text(record) if self.kind == "Number" else _dumps(self.text(record))


class Dataset(Protocol):
    """A table in partitions. Records are tuples, in no useful order."""

    @property
    def name(self) -> str:
        """As in the URL."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """In the order of the records."""

    @property
    def partition_fields(self) -> tuple[str, ...]:
        """The names of the fields that make a key."""

    @property
    def sortable(self) -> bool:
        """Whether it can be sorted at all."""

    def __hash__(self) -> int:
        """Equal datasets have equal contents."""

    def keys(self, at: datetime) -> list[Key]:
        """The partitions at this instant, oldest first: one value for each of the partition fields."""

    def state(self, key: Key, at: datetime) -> State:
        """What tells the partition's contents at different instants apart."""

    def last_change(self, key: Key, at: datetime) -> date:
        """A day after which no record of the partition says that it was updated, as of this instant."""

    def records(self, key: Key, state: State) -> Sequence[Record]:
        """The partition's records in this state."""


def _plain(name: str, place: int, kind: str) -> Field:
    return Field(name, place, kind, lambda record: "" if record[place] is None else str(record[place]))


def _summary_field(name: str, place: int, *, noise: bool) -> Field:
    if name == "totalWeeklyShareQuantity":
        text = shares_text(noise=noise)
        return Field(name, place, "Number", lambda record: text(record[place]), MICROS)
    if name == "totalNotionalSum":
        monday = FIELDS.index("weekStartDate")
        return Field(name, place, "Number", lambda record: notional(record[place], record[monday]), MICROS)
    if name.endswith("Date"):
        return _plain(name, place, "Date")
    return _plain(name, place, "Number" if name in _WHOLE_NUMBERS else "String")


_SUMMARY_FIELDS = {
    noise: tuple(_summary_field(name, place, noise=noise) for place, name in enumerate(FIELDS))
    for noise in (False, True)
}
"""By whether shares are printed as sums of doubles."""
_HISTORIC_FIELDS = {
    noise: (
        *fields,
        _plain("historicalWeek", len(FIELDS), "Date"),
        _plain("historicalMonth", len(FIELDS) + 1, "Date"),
    )
    for noise, fields in _SUMMARY_FIELDS.items()
}


@frozen
class WeeklySummary:
    """All eight cuts of every week and tier; market-wide rows are in the tier NA."""

    world: World

    name = "weeklySummary"
    partition_fields = ("weekStartDate", "tierIdentifier")
    sortable = True

    @property
    def fields(self) -> tuple[Field, ...]:
        """FINRA's 17."""
        return _SUMMARY_FIELDS[self.world.noise_in_numbers]

    def keys(self, at: datetime) -> list[Key]:
        """Weeks by their Monday, and FINRA's tier codes."""
        return [key for key in _keys(self.world.published(at)) if self._is_recent(key, at)]

    def state(self, key: Key, at: datetime) -> State:
        """The restatements so far of each tier that the partition is made of."""
        return tuple(self.world.changes_until(partition, at) for partition in _sources(key))

    def last_change(self, key: Key, at: datetime) -> date:
        """The newest restatement's day, or the publication's."""
        changes = zip(_sources(key), self.state(key, at), strict=True)
        return max(eastern_day(self.world.change_instants(partition)[count]) for partition, count in changes)

    def records(self, key: Key, state: State) -> Sequence[Record]:
        """Rows of weeklySummary."""
        return _summary_rows(self.world, key, state)

    def _is_recent(self, key: Key, at: datetime) -> bool:
        return True


@frozen
class WeeklySummaryHistoric(WeeklySummary):
    """Weeks that began over a year ago, with the Monday of their week and the first of its month."""

    name = "weeklySummaryHistoric"
    sortable = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """FINRA's 17 and two more."""
        return _HISTORIC_FIELDS[self.world.noise_in_numbers]

    def records(self, key: Key, state: State) -> Sequence[Record]:
        """Rows of weeklySummary with the two echo fields."""
        week = key[0]
        return [(*row, week, week.replace(day=1)) for row in _summary_rows(self.world, key, state)]

    def _is_recent(self, key: Key, at: datetime) -> bool:
        return bool(key[0] < at.date() - _HISTORIC_AFTER)


@frozen
class WeeklyDownloadDetails:
    """One row for each summary type, tier and week. Only the fields that are known for certain."""

    world: World

    name = "weeklyDownloadDetails"
    fields = (
        _plain("summaryTypeCode", 0, "String"),
        _plain("tierIdentifier", 1, "String"),
        _plain("weekStartDate", 2, "Date"),
    )
    partition_fields = ("summaryTypeCode", "tierIdentifier")
    sortable = True

    def keys(self, at: datetime) -> list[Key]:
        """Summary types and FINRA's tier codes."""
        codes = {code for _week, code in _keys(self.world.published(at))}
        return sorted((kind, code) for code in codes for kind in _summary_types(code))

    def state(self, key: Key, at: datetime) -> State:
        """The published Mondays of the tier."""
        return tuple(week.toordinal() for week, code in _keys(self.world.published(at)) if code == key[1])

    def last_change(self, key: Key, at: datetime) -> date:
        """Not known: its records do not say it."""
        return date.max

    def records(self, key: Key, state: State) -> Sequence[Record]:
        """The weeks."""
        weeks = [(*key, date.fromordinal(week)) for week in state]
        return sorted(weeks, key=lambda record: crc32(str(record).encode()))


def _summary_types(code: str) -> list[str]:
    cuts = ["VOL_STATS"] if code == NOT_APPLICABLE else ["SMBL", "FIRM", "SMBL_FIRM"]
    return [f"{venues}_W_{cut}" for venues in ("ATS", "OTC") for cut in cuts]


def _keys(published: frozenset[Partition]) -> list[Key]:
    keys = {(partition.week_start, partition.tier.finra_code) for partition in published}
    weeks = {week for week, _code in keys}
    keys |= {(week, NOT_APPLICABLE) for week in weeks if all((week, tier.finra_code) in keys for tier in TIERS)}
    if (_NMS_WEEK, Tier.NMS_TIER_1.finra_code) in keys:
        keys.add((_NMS_WEEK, _NMS))
    return sorted(keys)


def _sources(key: Key) -> list[Partition]:
    """The partitions of the world that this partition of the API is made of."""
    week, code = key
    tier = Tier.NMS_TIER_1 if code == _NMS else Tier.from_finra_code(code)
    return [Partition(week_ending_of(week), each) for each in ([tier] if tier else TIERS)]


@lru_cache(maxsize=16)
def _summary_rows(world: World, key: Key, state: State) -> tuple[Row, ...]:
    parts = [(p, world.change_instants(p)[changes]) for p, changes in zip(_sources(key), state, strict=True)]
    controls = [row for part in parts for row in world.control_rows(*part)]
    if key[1] == NOT_APPLICABLE:
        rows = market_totals(controls)
    else:
        rows = [*world.rows(*parts[0]), *controls, *world.venue_rows(*parts[0])]
    if key[1] == _NMS:
        rows = [row._replace(tier_identifier=_NMS) for row in rows]
    return tuple(sorted(rows, key=_no_useful_order))


def _no_useful_order(row: Row) -> int:
    return crc32(f"{row.symbol}|{row.mpid}|{row.crd}|{row.summary_type}|{row.product_type}|{row.issue_name}".encode())
