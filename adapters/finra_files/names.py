"""Where a file's name contradicts what it holds. A name is its owner's, so that is worth a word and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import Tier
from finra_files.identity import latest_date

_DATE = re.compile(r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?!\d)")
_TIERS = {
    Tier.NMS_TIER_1: re.compile(r"(?:_|^)(?:nms_?)?(?:tier_?1|t1)(?:_|$)"),
    Tier.NMS_TIER_2: re.compile(r"(?:_|^)(?:nms_?)?(?:tier_?2|t2)(?:_|$)"),
    # FINRA calls the whole subject OTC transparency, whatever the tier.
    Tier.OTC: re.compile(r"(?:_|^)(?<!finra_)otce?(?!_transparency)(?:_|$)"),
}


def contradictions(path: Path, partition: Partition) -> Iterator[str]:
    """What a file's name says that its partition is not: a tier, a day."""
    words = re.sub(r"[^a-z0-9]+", "_", path.name.lower())
    named = {tier for tier, pattern in _TIERS.items() if pattern.search(words)}
    if len(named) > 1:
        named.discard(Tier.OTC)
    if len(named) == 1 and partition.tier not in named:
        yield str(min(named))
    days = list(_days(path.name))
    if days and not any(_is_possible(day, partition) for day in days):
        yield str(days[0])


def _days(name: str) -> Iterator[date]:
    days = (latest_date(["-".join(digits)]) for digits in _DATE.findall(name))
    return (day for day in days if day is not None)


def _is_possible(day: date, partition: Partition) -> bool:
    """A day of the week itself, or one on which the file can have been downloaded."""
    sunday = partition.week_ending + timedelta(days=2)
    return partition.week_start <= day <= sunday or day >= publication_date(partition)
