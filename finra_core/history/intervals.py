"""From when until when something was what the store said: half-open intervals, as in the SQL views with a history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from attrs import frozen

from finra_core.domain.analytics import Analysis
from finra_core.domain.readiness import Judgment

V = TypeVar("V")


@frozen
class Interval(Generic[V]):
    """A value, and when it was the one that held. known_to: the first instant at which it no longer did, None now."""

    value: V
    known_from: datetime
    known_to: datetime | None

    def holds(self, at: datetime | None) -> bool:
        """Whether it held at this instant; None means whether it holds now."""
        if at is None:
            return self.known_to is None
        return self.known_from <= at and (self.known_to is None or at < self.known_to)


def analyses_in_force(analyses: Sequence[Analysis]) -> list[Interval[Analysis]]:
    """The analytics that were ever the newest of their tier, by when they were computed. analyses: all of one week's.

    The newest are those of the newest captures, then of the newest calculation, then those stored last. They hold until
    the first that are newer are computed. Where newer ones were there already, they never held.
    """
    found = []
    ranked = [((max(a.inputs), a.calc_version, place), a) for place, a in enumerate(analyses)]
    for rank, analysis in ranked:
        ends = [other.computed_at for higher, other in ranked if other.tier == analysis.tier and higher > rank]
        end = min(ends, default=None)
        if end is None or end > analysis.computed_at:
            found.append(Interval(analysis, analysis.computed_at, end))
    return sorted(found, key=lambda each: each.known_from)


def judgments_in_force(judgments: Iterable[Judgment]) -> list[Interval[Judgment]]:
    """The judgments that ever held, by use, oldest first.

    judgments: all of one week, the latest put of each use first. One that another followed at its very instant never
    held.
    """
    found = []
    ends: dict[str, datetime] = {}
    for judgment in judgments:
        use = judgment.readiness.ready_for
        end = ends.get(use)
        if end is None or end > judgment.judged_at:
            found.append(Interval(judgment, judgment.judged_at, end))
        ends[use] = judgment.judged_at
    return sorted(found, key=lambda each: (each.value.readiness.ready_for, each.known_from))
