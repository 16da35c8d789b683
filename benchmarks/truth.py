"""What the files hold, read with `csv` and `Decimal` and nothing of the product."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from attrs import frozen

Key = tuple[str, str]
"""Week ending and tier, as the folders say them."""
Row = dict[str, str]
AGGREGATE = ("", "")
"""In the place of a venue's MPID and CRD number."""


@frozen
class Totals:
    """One partition.

    shares_micros: millionths. by_venue: the same by (MPID, CRD number), one of them empty; both are in the aggregate of
    De Minimis Firms.
    """

    rows: int
    shares_micros: int
    trades: int
    by_venue: dict[tuple[str, str], int]
    size_bytes: int

    @property
    def sums(self) -> tuple[int, int, int]:
        """Rows, millionths of shares, trades."""
        return self.rows, self.shares_micros, self.trades

    @property
    def venues(self) -> int:
        """ATSs and firms."""
        return len(self.by_venue.keys() - {AGGREGATE})

    @property
    def hhi(self) -> tuple[float, float]:
        """The sum of the squared shares of the venues: without the aggregate, and with it added to the largest firm."""
        lower = sum(volume**2 for venue, volume in self.by_venue.items() if venue != AGGREGATE)
        largest = max((volume for (mpid, crd), volume in self.by_venue.items() if crd and not mpid), default=0)
        upper = lower - largest**2 + (largest + self.by_venue.get(AGGREGATE, 0)) ** 2
        return lower / self.shares_micros**2, upper / self.shares_micros**2


@lru_cache(maxsize=8)
def read_totals(folder: Path) -> dict[Key, Totals]:
    """The totals of every partition below a folder."""
    return {key: _totals(path) for key, path in partition_folders(folder).items()}


def across_tiers(totals: Mapping[Key, Totals]) -> dict[Key, Totals]:
    """The totals of every week over its tiers, as tier ALL."""
    weeks: dict[Key, Totals] = {}
    for (week, _tier), one in totals.items():
        sum_so_far = weeks.get((week, "ALL"))
        weeks[week, "ALL"] = one if sum_so_far is None else _sum(sum_so_far, one)
    return weeks


def partition_folders(folder: Path) -> dict[Key, Path]:
    """The hive-style folders that hold a partition's files, by week and tier."""
    paths = sorted(folder.glob("week_ending=*/tier=*"))
    return {(path.parent.name.partition("=")[2], path.name.partition("=")[2]): path for path in paths}


def read_rows(partition_folder: Path) -> Iterator[Row]:
    """Each row of both files by FINRA's field names."""
    for path in sorted(partition_folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE)


def micros(shares: str) -> int:
    """Millionths of a number in decimal text, exact."""
    return int(Decimal(shares).scaleb(6))


def changed_rows(before: Path, after: Path) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """The rows that only the first and only the second partition folder has."""
    old, new = (Counter(comparable(row) for row in read_rows(folder)) for folder in (before, after))
    return old - new, new - old


def comparable(row: Row) -> tuple[str, ...]:
    """A row as the store's views show it: symbol, issue, MPID, CRD, product, millionths, trades, lastUpdateDate."""
    names = ("issueSymbolIdentifier", "issueName", "MPID", "firmCRDNumber", "productTypeCode")
    identity = tuple(_crd(row) if name == "firmCRDNumber" else row.get(name) or "" for name in names)
    quantities = str(micros(row["totalWeeklyShareQuantity"])), row["totalWeeklyTradeCount"], row["lastUpdateDate"]
    return (*identity, *quantities)


def _crd(row: Row) -> str:
    """FINRA writes that there is none as a zero, or not at all."""
    return (row.get("firmCRDNumber") or "").lstrip("0")


def _sum(one: Totals, other: Totals) -> Totals:
    by_venue = Counter(one.by_venue)
    by_venue.update(other.by_venue)
    rows, shares, trades = (a + b for a, b in zip(one.sums, other.sums, strict=True))
    return Totals(rows, shares, trades, dict(by_venue), one.size_bytes + other.size_bytes)


def _totals(partition_folder: Path) -> Totals:
    by_venue: Counter[tuple[str, str]] = Counter()
    rows = trades = 0
    for row in read_rows(partition_folder):
        rows += 1
        trades += int(row["totalWeeklyTradeCount"])
        venue = row.get("MPID") or "", _crd(row)
        by_venue[venue] += micros(row["totalWeeklyShareQuantity"])
    size = sum(path.stat().st_size for path in partition_folder.glob("*.csv"))
    return Totals(rows, by_venue.total(), trades, dict(by_venue), size)
