"""Which week and tier a file holds. Only its folders and its columns say so; its name means nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from attrs import frozen

from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import partition_published_on, publication_date
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import week_ending_of
from finra_core.weekly_summary.delimited import read_header

ADVICE = f"put it under week_ending=YYYY-MM-DD/tier={'|'.join(TIERS)}/"
_CELL = rb'(?:"[^"\n]*(?:""[^"\n]*)*"|[^%(d)s"\n][^%(d)s\n]*|)'
_PLAIN_CELL = rb"[^%(d)s\n]*"
_DATE = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE_LENGTH = len("YYYY-MM-DD")
_Claim = TypeVar("_Claim", date, Tier)
Distinct = Callable[[str], Collection[str]]
"""The values in a column by its name, none where there is no such column."""


@frozen
class FolderClaims:
    """What the hive-style folders of a path (`week_ending=2025-11-14`, `tier=OTC`) say, None where they say nothing."""

    week_ending: date | None
    tier: Tier | None

    @property
    def partition(self) -> Partition | None:
        """The partition, where the folders name all of it."""
        if self.week_ending is None or self.tier is None:
            return None
        return Partition(self.week_ending, self.tier)


def read_folders(path: Path) -> FolderClaims:
    """The claims of the folders that hold `path`: any date of the week, a tier by its name or FINRA's code.

    Raises:
        SourceDataError: a folder names no week or no tier, or two folders contradict each other.
    """
    pairs = [folder.partition("=")[::2] for folder in path.absolute().parent.parts]
    weeks = [_week(key, unquote(value)) for key, value in pairs if key == "week_ending"]
    tiers = [_folder_tier(unquote(value)) for key, value in pairs if key == "tier"]
    return FolderClaims(
        _agreed("week", [("a folder", w) for w in weeks]), _agreed("tier", [("a folder", t) for t in tiers])
    )


def partition_of(folders: FolderClaims, distinct: Distinct, update_dates: Callable[[], Iterable[str]]) -> Partition:
    """The partition that the folders and the rows agree on.

    `update_dates` gives the lastUpdateDates of the whole file; it is called only where no folder
    and no column names the week: their earliest is the day on which FINRA published the file.

    Raises:
        SourceDataError: they contradict each other, name several partitions, or not all of one.
    """
    tier = _agreed("tier", _tier_claims(folders, distinct))
    if tier is None:
        raise SourceDataError(f"nothing names its tier: {ADVICE}")
    week = _agreed("week", _week_claims(folders, distinct))
    return Partition(week, tier) if week is not None else _published(update_dates(), tier)


def check_published(distinct: Distinct, partition: Partition) -> None:
    """Check that no row is older than the partition's publication: such rows are of an earlier week.

    Raises:
        SourceDataError: one is.
    """
    earliest = _earliest(distinct("lastUpdateDate"))
    published = publication_date(partition)
    if earliest is not None and earliest < published:
        raise SourceDataError(
            f"its folder says week ending {partition.week_ending}, which FINRA published on {published}, "
            f"but its earliest lastUpdateDate is {earliest}: put it under its own week"
        )


def scan_update_dates(content: bytes) -> set[str]:
    """The distinct lastUpdateDates of the rows with all their fields, without parsing the rest.

    Raises:
        SourceDataError: the first line is no header of FINRA's weekly data.
    """
    end = content.find(b"\n")
    header = content[: end if end >= 0 else None].decode("utf-8-sig", errors="replace").rstrip("\r")
    delimiter, names = read_header(header)
    before, after = names.index("lastUpdateDate"), len(names) - names.index("lastUpdateDate") - 1
    if after or b'"' in content:
        days = _dates_in_any_column(content, delimiter.encode(), before, after)
    else:
        days = _dates_at_line_ends(content, delimiter.encode(), before)
    return {day.decode("ascii") for day in days}


def _dates_at_line_ends(content: bytes, delimiter: bytes, before: int) -> set[bytes]:
    # FINRA's downloads end each row with the date: cutting lines off at their ends takes a quarter of a pattern's time.
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").removesuffix(b"\r")
    lines = content.split(b"\n")
    ends = {line[-_DATE_LENGTH - 1 :] for line in lines if line.count(delimiter) == before}
    return {end[1:] for end in ends if end.startswith(delimiter) and re.fullmatch(_DATE, end[1:])}


def _dates_in_any_column(content: bytes, delimiter: bytes, before: int, after: int) -> set[bytes]:
    separator = re.escape(delimiter)
    cell = (_CELL if b'"' in content else _PLAIN_CELL) % {b"d": separator}
    row = b'^(?:%b%b){%d}"?(%b)"?(?:%b%b){%d}\r?$' % (cell, separator, before, _DATE, separator, cell, after)
    return set(re.findall(row, content, re.MULTILINE))


def _tier_claims(folders: FolderClaims, distinct: Distinct) -> list[tuple[str, Tier]]:
    claims = [("its folder", folders.tier)] if folders.tier is not None else []
    readers = {"tierIdentifier": Tier.from_finra_code, "tierDescription": Tier.from_finra_description}
    for column, read in readers.items():
        for value in sorted(distinct(column)):
            tier = read(value)
            if tier is None:
                raise SourceDataError(f"{column} {value[:40]!r} is no tier with weekly volumes per venue: remove it")
            claims.append((column, tier))
    return claims


def _week_claims(folders: FolderClaims, distinct: Distinct) -> list[tuple[str, date]]:
    claims = [("its folder", folders.week_ending)] if folders.week_ending is not None else []
    column = "weekStartDate"
    return claims + [(column, _week(column, value)) for value in sorted(distinct(column))]


def _agreed(what: str, claims: list[tuple[str, _Claim]]) -> _Claim | None:
    if len({claim for _, claim in claims}) > 1:
        said = ", ".join(f"{who} says {claim}" for who, claim in claims[:4])
        raise SourceDataError(
            f"contradicts itself on its {what}: {said}: one file holds one week of one tier, split or move it"
        )
    return claims[0][1] if claims else None


def _published(update_dates: Iterable[str], tier: Tier) -> Partition:
    earliest = _earliest(update_dates)
    if earliest is None:
        raise SourceDataError(f"no row has a lastUpdateDate and nothing else names its week: {ADVICE}")
    try:
        partition = partition_published_on(earliest, tier)
    except OverflowError:
        partition = None
    if partition is None:
        raise SourceDataError(f"its earliest lastUpdateDate, {earliest}, is no publication day of {tier}: {ADVICE}")
    return partition


def latest_date(texts: Iterable[str]) -> date | None:
    """The latest of these texts that are dates."""
    return max(_dates(texts), default=None)


def _earliest(texts: Iterable[str]) -> date | None:
    return min(_dates(texts), default=None)


def _dates(texts: Iterable[str]) -> Iterator[date]:
    days = (_iso_date(text) for text in set(texts))
    return (day for day in days if day is not None)


def _folder_tier(value: str) -> Tier:
    tier = Tier.__members__.get(value) or Tier.from_finra_code(value)
    if tier is None:
        raise SourceDataError(f"its folder tier={value} names no tier: {ADVICE}")
    return tier


def _week(name: str, value: str) -> date:
    day = _iso_date(value)
    try:
        if day is None:
            raise ValueError
        week = week_ending_of(day)
        publication_date(Partition(week, Tier.OTC))
    except (ValueError, OverflowError):
        raise SourceDataError(f"{name} {value[:40]!r} is no week: {ADVICE}") from None
    return week


def _iso_date(text: str) -> date | None:
    if len(text) != _DATE_LENGTH:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
