"""A partition: one week of one tier, the unit in which FINRA publishes and restates."""

from __future__ import annotations

from datetime import date

from attrs import field, frozen
from attrs.validators import instance_of

from finra_core.domain.tiers import ALL_TIERS, Tier
from finra_core.domain.weeks import FRIDAY, week_start_of

DOMAIN = "finra.otc_transparency"


@frozen(order=False)
class Partition:
    """One week of one tier. `week_ending` is a Friday."""

    week_ending: date = field()
    tier: Tier = field(validator=instance_of(Tier))

    @week_ending.validator
    def _is_friday(self, _attribute: object, value: date) -> None:
        if value.weekday() != FRIDAY:
            raise ValueError(f"week_ending {value} is not a Friday")

    @property
    def week_start(self) -> date:
        """FINRA's weekStartDate, a Monday."""
        return week_start_of(self.week_ending)

    @property
    def key(self) -> str:
        """The manifest's partition_key: a JSON object with week_ending and tier."""
        return partition_key(self.week_ending, self.tier.value)

    def __str__(self) -> str:
        return f"{self.week_ending} / {self.tier}"


def partition_key(week_ending: date, tier: str | None = None) -> str:
    """The JSON text that names a week, or a week and a tier, in the store's tables."""
    if tier is None:
        return f'{{"week_ending": "{week_ending.isoformat()}"}}'
    return f'{{"week_ending": "{week_ending.isoformat()}", "tier": "{tier}"}}'


def week_key(week_ending: date) -> str:
    """The partition_key of a whole week, as readiness uses it."""
    return partition_key(week_ending)


def cross_tier_key(week_ending: date) -> str:
    """The partition_key of what aggregates over a week's three tiers."""
    return partition_key(week_ending, ALL_TIERS)
