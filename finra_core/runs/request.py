"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import Enum

from attrs import Attribute, field, frozen

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import week_ending_of

DEFAULT_LOOKBACK = 6
"""FINRA's restatements seen so far came up to 11 days after publication; six weeks leave room for later ones."""

MAX_LOOKBACK = 2_000
"""Weeks. FINRA publishes this data since 2014; far more is a slip of the finger that would plan for minutes."""


class Mode(str, Enum):
    """Whether to do it or only to say what would be done."""

    RUN = "run"
    DRY_RUN = "dry-run"


class Order(str, Enum):
    """All partitions stage by stage, or week by week through all stages."""

    PHASED = "phased"
    CHAINED = "chained"


class Window(str, Enum):
    """What the look-back counts: each tier's weeks that FINRA was due to publish, or calendar weeks."""

    DUE = "due"
    CALENDAR = "calendar"


def _week_endings(days: Iterable[date]) -> tuple[date, ...]:
    return tuple(sorted({week_ending_of(day) for day in days}, reverse=True))


def _in_tier_order(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    asked = frozenset(tiers)
    return tuple(tier for tier in TIERS if tier in asked)


@frozen(kw_only=True)
class RunRequest:
    """One run's parameters; the defaults are a scheduled run's.

    lookback_weeks: None means 6 on a live feed and all there is in an archive. weeks: any dates, each for
    the week that holds it; they override lookback_weeks. run_date: the date in capture_ids and the day as
    of which weeks are due; None means today, UTC. workers: how many partitions are fetched at once.

    Raises:
        ConfigurationError: a value is out of its range.
    """

    lookback_weeks: int | None = field(default=None)
    weeks: tuple[date, ...] = field(default=(), converter=_week_endings)
    tiers: tuple[Tier, ...] = field(default=TIERS, converter=_in_tier_order)
    mode: Mode = field(default=Mode.RUN, converter=Mode)
    force: bool = False
    reason: str | None = None
    verify: bool = False
    order: Order = field(default=Order.PHASED, converter=Order)
    window: Window = field(default=Window.DUE, converter=Window)
    run_date: date | None = None
    workers: int = field(default=4)

    @lookback_weeks.validator
    def _at_least_one_week(self, _attribute: Attribute[int | None], value: int | None) -> None:
        if value is not None and value < 1:
            raise ConfigurationError(f"lookback_weeks is {value}: look back at least 1 week")
        if value is not None and value > MAX_LOOKBACK:
            raise ConfigurationError(f"lookback_weeks is {value}: {MAX_LOOKBACK:,} is more than FINRA ever published")

    @tiers.validator
    def _at_least_one_tier(self, _attribute: Attribute[tuple[Tier, ...]], value: tuple[Tier, ...]) -> None:
        if not value:
            raise ConfigurationError("no tier asked for: give at least one")

    @workers.validator
    def _at_least_one_worker(self, _attribute: Attribute[int], value: int) -> None:
        if value < 1:
            raise ConfigurationError(f"workers is {value}: at least 1 is needed")

    @property
    def forced(self) -> str | None:
        """The reason of a forced restatement, None where none is forced."""
        return (self.reason or "restatement") if self.force else None
