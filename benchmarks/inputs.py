"""FINRA's files for every work: made once by the simulator, kept for the next time."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_simulator import Restatement, World, write_files

FIRST_WEEK = date(2025, 8, 22)
"""The first of the weeks of the large partitions, while shares were still whole numbers."""
FRACTIONAL_WEEK = date(2026, 2, 27)
"""The first week with fractions of shares."""
BACKFILL_WEEK = date(2022, 8, 19)
"""The first of the many weeks of small partitions, which end before the large ones begin."""
PUBLISHED = datetime(2026, 6, 1, tzinfo=timezone.utc)
"""By then all weeks used here are published."""
RESTATED = datetime(2026, 6, 2, 15, tzinfo=timezone.utc)
RESTATED_ROWS = 3


@frozen(kw_only=True)
class Size:
    """How large the works are. symbols: of each tier, for a partition of about `rows` rows.

    memory_weeks: of the runs whose memory is compared; backfill_runs: in how many runs the backfill is made.
    """

    name: str
    rows: int
    symbols: tuple[int, int, int]
    weeks: int
    memory_weeks: tuple[int, int, int]
    backfill_symbols: tuple[int, int, int]
    backfill_weeks: int
    backfill_runs: int
    rounds: int


FULL = Size(
    name="full", rows=50_000, symbols=(2_194, 5_826, 15_183), weeks=6, memory_weeks=(2, 6, 12),
    backfill_symbols=(88, 233, 607), backfill_weeks=156, backfill_runs=12, rounds=5,
)  # fmt: skip
SMALL = Size(
    name="small", rows=400, symbols=(18, 47, 121), weeks=2, memory_weeks=(1, 2, 3),
    backfill_symbols=(3, 7, 18), backfill_weeks=8, backfill_runs=2, rounds=1,
)  # fmt: skip
SIZES = {size.name: size for size in (SMALL, FULL)}


@frozen
class Inputs:
    """Folders of files in the hive layout, by what they are for; each is made when it is first asked for."""

    folder: Path
    size: Size

    @property
    def weeks(self) -> list[date]:
        """The week endings of the first ingest, oldest first."""
        return _weeks(FIRST_WEEK, self.size.weeks)

    def world(self) -> World:
        """The FINRA of the first ingest: nothing is restated."""
        return World(symbols=self.size.symbols, first_week=FIRST_WEEK, restatement_rate=0.0)

    def first(self) -> Path:
        """The weeks of the first ingest."""
        return self._made("first", self.world(), self.weeks)

    def fractional(self) -> Path:
        """As many weeks with fractions of shares."""
        world = World(symbols=self.size.symbols, first_week=FRACTIONAL_WEEK, restatement_rate=0.0)
        return self._made("fractional", world, _weeks(FRACTIONAL_WEEK, self.size.weeks))

    def many(self, weeks: int) -> Path:
        """So many weeks of large partitions."""
        return self._made(f"weeks-{weeks}", self.world(), _weeks(FIRST_WEEK, weeks))

    def backfill(self) -> Path:
        """The many weeks of small partitions."""
        world = World(symbols=self.size.backfill_symbols, first_week=BACKFILL_WEEK, restatement_rate=0.0)
        return self._made("backfill", world, self.backfill_weeks)

    @property
    def backfill_weeks(self) -> list[date]:
        """Their week endings, oldest first."""
        return _weeks(BACKFILL_WEEK, self.size.backfill_weeks)

    @property
    def restated_partition(self) -> Partition:
        """The one that FINRA restates."""
        return Partition(self.weeks[-1], Tier.NMS_TIER_1)

    def before_restatement(self) -> Path:
        """The partition alone, as first published."""
        return self._one("before", self.world())

    def after_restatement(self) -> Path:
        """The partition with three of its rows changed."""
        partition = self.restated_partition
        event = Restatement(partition, RESTATED, changed=RESTATED_ROWS)
        world = World(symbols=self.size.symbols, first_week=FIRST_WEEK, restatement_rate=0.0, events=(event,))
        return self._one("after", world)

    def _one(self, name: str, world: World) -> Path:
        return self._filled(name, world, [self.restated_partition])

    def _made(self, name: str, world: World, weeks: Sequence[date]) -> Path:
        return self._filled(name, world, [Partition(week, tier) for week in weeks for tier in TIERS])

    def _filled(self, name: str, world: World, partitions: Sequence[Partition]) -> Path:
        # Files that an older version made of something else are not taken for these.
        content = sha256(repr((world, partitions)).encode()).hexdigest()[:8]
        made = self.folder / f"{name}-{content}"
        if not made.exists():
            unfinished = self.folder / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            write_files(world, unfinished, partitions, RESTATED + timedelta(days=1), "hive")
            unfinished.rename(made)
        return made


def _weeks(first: date, count: int) -> list[date]:
    return [first + timedelta(weeks=i) for i in range(count)]
