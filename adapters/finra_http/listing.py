"""FINRA's list of the partitions that weeklySummary holds."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import date

from finra_core.domain.errors import SourceDataError, SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.domain.weeks import week_ending_of
from finra_core.ports import Listing
from finra_http.faults import FaultError, one_line
from finra_http.replies import iso_date, json_object
from finra_http.transport import Reply

logger = logging.getLogger(__name__)

_MONDAY = 0
_WEEK_FIELD, _TIER_FIELD = "weekStartDate", "tierIdentifier"


def read_listing(reply: Reply) -> Listing:
    """The partitions of the three tiers; FINRA lists others too (NA, NMS), which are counted in the log.

    Raises:
        FaultError: the answer is no list of partitions.
    """
    answer = json_object(reply)
    if answer is None:
        return Listing(frozenset())
    partitions: set[Partition] = set()
    problems: list[SourceError] = []
    others: Counter[str] = Counter()
    for week, code in _entries(answer):
        tier = Tier.from_finra_code(code)
        if tier is None:
            others[one_line(code)[:20]] += 1
        elif (monday := _monday(week)) is not None:
            partitions.add(Partition(week_ending_of(monday), tier))
        else:
            problems.append(SourceDataError(f"the API lists a week of {tier} that starts on no Monday: {week[:40]!r}"))
    if others:
        logger.debug("API lists %d partitions outside the three tiers: %s", others.total(), dict(others))
    return Listing(frozenset(partitions), tuple(problems))


def _entries(answer: dict[str, object]) -> Iterator[tuple[str, str]]:
    """(weekStartDate, tierIdentifier) of each partition, wherever `partitionFields` puts them."""
    names, available = answer.get("partitionFields"), answer.get("availablePartitions")
    if not isinstance(names, list) or not isinstance(available, list):
        raise FaultError("JSON without partitionFields and availablePartitions")
    if sorted(map(str, names)) != sorted([_WEEK_FIELD, _TIER_FIELD]):
        raise FaultError("partitions by other fields than weekStartDate and tierIdentifier")
    for entry in available:
        values = entry.get("partitions") if isinstance(entry, dict) else None
        if not isinstance(values, list) or len(values) != len(names):
            raise FaultError("a partition without its two values")
        found = dict(zip(names, map(str, values), strict=True))
        yield found[_WEEK_FIELD], found[_TIER_FIELD]


def _monday(text: str) -> date | None:
    day = iso_date(text)
    return day if day is not None and day.weekday() == _MONDAY else None
