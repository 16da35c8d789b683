"""What this store knew: for each partition, the newest capture whose records were visible then.

This is the store's own clock. `source_time` goes by FINRA's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from attrs import frozen

from finra_core.domain.analytics import Analysis
from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Judgment
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier
from finra_core.history.pruned import check_has_first, check_not_pruned
from finra_core.history.vintages import Instant, Release, When
from finra_core.ports.store import CaptureQuery, JudgmentQuery, ReadView


@frozen(kw_only=True)
class AsOf:
    """What was known at an instant, or a release. captures: one for each partition, by week and tier.

    begins: when the store's knowledge begins, None where it has none. Before that instant nothing was known.
    """

    when: When
    captures: tuple[Capture, ...]
    begins: datetime | None


def as_of(
    view: ReadView,
    when: When | datetime,
    *,
    weeks: Collection[date] | None = None,
    tiers: Collection[Tier] = TIERS,
) -> AsOf:
    """What was known at this instant, or this release, of these weeks and tiers; of all, where none are given.

    No later capture changes the answer for a past instant.

    Raises:
        ConfigurationError: what was known then was pruned.
    """
    wanted = Instant.of(when) if isinstance(when, datetime) else when
    if isinstance(wanted, Instant):
        check_not_pruned(view, wanted.at, weeks=weeks, tiers=tiers)
        query = CaptureQuery(weeks=_set(weeks), known_at=wanted.at, newest=True)
        found = view.captures(query)
    else:
        found = nth_release(view, wanted.number, weeks=weeks)
    own = tuple(capture for capture in found if capture.partition.tier in tiers)
    return AsOf(when=wanted, captures=own, begins=begins(view))


def begins(view: ReadView) -> datetime | None:
    """When the first records of this store became visible; None where there are none."""
    return min((c.normalized_at for c in view.captures(CaptureQuery(normalized=True)) if c.normalized_at), default=None)


def releases(view: ReadView, partition: Partition) -> list[Capture]:
    """A partition's captures with records, the first release first."""
    return view.captures(CaptureQuery(partitions=frozenset({partition}), normalized=True))


def nth_release(view: ReadView, number: int, *, weeks: Collection[date] | None = None) -> list[Capture]:
    """The n-th release of every partition that has that many, by week and tier. 1 is the first, -1 the latest.

    Raises:
        ConfigurationError: the number is 0; or it counts from the first release, and releases were pruned.
    """
    number = Release(number).number
    if number > 0:
        check_has_first(view, weeks=weeks)
    own = by_partition(view.captures(CaptureQuery(weeks=_set(weeks), normalized=True)))
    place = number - 1 if number > 0 else number
    return [found[place] for found in own.values() if -len(found) <= place < len(found)]


def judgments_as_of(view: ReadView, at: datetime, *, weeks: Collection[date] | None = None) -> list[Judgment]:
    """The judgments that held at this instant, newest week first, then by use."""
    held: dict[tuple[date, str], Judgment] = {}
    for judgment in view.judgments(JudgmentQuery(weeks=_set(weeks), history=True)):  # of a week and use, latest first
        if judgment.judged_at <= at:
            held.setdefault((judgment.readiness.week_ending, judgment.readiness.ready_for), judgment)
    return list(held.values())


def analyses_as_of(view: ReadView, known: AsOf, *, tiers: Collection[str] = (*TIERS, ALL_TIERS)) -> list[Analysis]:
    """The analytics that were there at the instant, or that rest on this release alone; by week and tier.

    known: what was known then. An analysis says itself on which captures it rests. Just after a restatement, until the
    new capture was analyzed, that was the capture before it.
    """
    weeks = {capture.partition.week_ending for capture in known.captures}
    numbers = {capture.number for capture in known.captures}
    best: dict[tuple[date, str], Analysis] = {}
    for analysis in view.analyses(weeks) if weeks else ():
        key = analysis.week_ending, analysis.tier
        is_known = _is_known(analysis, known.when, numbers)
        if is_known and analysis.tier in tiers and (key not in best or _rank(analysis) >= _rank(best[key])):
            best[key] = analysis
    return [best[key] for key in sorted(best, key=_place)]


def _is_known(analysis: Analysis, when: When, numbers: Collection[int]) -> bool:
    if isinstance(when, Instant):
        return analysis.computed_at <= when.at
    return set(analysis.inputs) <= set(numbers)


def _rank(analysis: Analysis) -> tuple[int, int]:
    """What `..._latest` goes by: the newest capture, then the newest way to calculate."""
    return max(analysis.inputs), analysis.calc_version


def _place(key: tuple[date, str]) -> tuple[date, int]:
    return key[0], [*TIERS, ALL_TIERS].index(key[1])


def _set(weeks: Iterable[date] | None) -> frozenset[date] | None:
    return None if weeks is None else frozenset(weeks)
