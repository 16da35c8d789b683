"""A FINRA that public clients are pointed at: several weeks, every partition restated, more than one page in some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_simulator import World
from finra_simulator.rows import FIELDS, MICROS, Row

NOW = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
WORLD = World(seed=5, symbols=(300, 60, 6_200), first_week=date(2026, 3, 6), restatement_rate=1.0)
CREDENTIALS = {"client": "secret"}
PAGE = 5_000
"""FINRA's largest page, in rows."""

Record = dict[str, Any]


def published(tier: Tier, at: datetime = NOW) -> list[Partition]:
    """The tier's partitions, oldest first."""
    partitions = [partition for partition in WORLD.published(at) if partition.tier is tier]
    return sorted(partitions, key=lambda partition: partition.week_ending)


def newest(tier: Tier) -> Partition:
    return published(tier)[-1]


def totals(tier: Tier, kind: str, symbol: str | None = None, at: datetime = NOW) -> list[Row]:
    """The *_SMBL rows of one summary type over all weeks; of one symbol, where it is given."""
    rows = [row for partition in published(tier, at) for row in WORLD.control_rows(partition, at)]
    return [row for row in rows if row.summary_type == kind and symbol in (None, row.symbol)]


def all_cuts(partition: Partition, at: datetime = NOW) -> list[Row]:
    """Everything that FINRA has in a partition."""
    return [*WORLD.rows(partition, at), *WORLD.control_rows(partition, at), *WORLD.venue_rows(partition, at)]


def shares(row: Row) -> Decimal:
    return Decimal(row.shares_micros) / MICROS


def true(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    """All 17 fields of each row, as `sent` gives those of a JSON record; notionals as the floats that FINRA sends."""
    return Counter(map(_fields, rows))


def _fields(row: Row) -> tuple[Any, ...]:
    dollars = float(Decimal(row.notional_micros) / MICROS)
    values = dict(zip(FIELDS, row, strict=True)) | {
        "totalWeeklyShareQuantity": shares(row),
        "totalNotionalSum": dollars,
    }
    return tuple(value.isoformat() if isinstance(value, date) else value for value in values.values())


def sent(records: Iterable[Mapping[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(
        tuple(float(record[name]) if name == "totalNotionalSum" else record[name] for name in FIELDS)
        for record in records
    )
