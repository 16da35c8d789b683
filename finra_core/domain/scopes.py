"""What a finding or a unit of work is about: a partition, a week, a place in a source, or the store."""

from __future__ import annotations

import json
from datetime import date

from attrs import frozen

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import ALL_TIERS


@frozen
class Scope:
    """One subject. Two scopes with equal fields are the same subject.

    week_ending: a Friday, None where it is about no week. tier: a tier's name, ALL for what aggregates over a week's
    three tiers, None for the week as a whole. place: where in a source, for what names no week. With all three None it
    is the store as a whole.
    """

    week_ending: date | None = None
    tier: str | None = None
    place: str | None = None

    @classmethod
    def partition(cls, partition: Partition) -> Scope:
        """One week of one tier."""
        return cls(partition.week_ending, partition.tier.value)

    @classmethod
    def week(cls, week_ending: date) -> Scope:
        """A week as a whole, as readiness judges it."""
        return cls(week_ending)

    @classmethod
    def across_tiers(cls, week_ending: date) -> Scope:
        """What aggregates over a week's three tiers."""
        return cls(week_ending, ALL_TIERS)

    @classmethod
    def at(cls, place: str) -> Scope:
        """A place in a source that names no partition, such as a file."""
        return cls(place=place)

    @property
    def key(self) -> str:
        """The JSON object that the documented tables call partition_key: the fields that are set, in this order."""
        week = None if self.week_ending is None else self.week_ending.isoformat()
        named = {"week_ending": week, "tier": self.tier, "place": self.place}
        return json.dumps({name: value for name, value in named.items() if value is not None})

    def __str__(self) -> str:
        parts = (self.week_ending and self.week_ending.isoformat(), self.tier, self.place)
        return " / ".join(part for part in parts if part) or "store"


STORE = Scope()
"""The store as a whole: the ledger of runs, and findings about no week."""
