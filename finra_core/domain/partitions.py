"""A partition: one week of one tier, the unit in which FINRA publishes and restates."""

from __future__ import annotations

from datetime import date

from attrs import field, frozen
from attrs.validators import instance_of

from finra_core.domain.tiers import Tier
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

    def __str__(self) -> str:
        return f"{self.week_ending} / {self.tier}"
