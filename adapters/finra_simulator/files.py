"""The world as files, as FINRA's site offers them, as data teams lay them out, and as the API's CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from finra_core.domain.partitions import Partition
from finra_simulator.rows import ATS_SYMBOL_FIRM, FIELDS, Row
from finra_simulator.text import delimited
from finra_simulator.world import World

Layout = Literal["download", "hive", "api"]

_BEFORE_VENUE = ("tierDescription", "issueSymbolIdentifier", "issueName", "marketParticipantName")
_QUANTITIES = ("totalWeeklyShareQuantity", "totalWeeklyTradeCount", "lastUpdateDate")
ATS_FIELDS = (*_BEFORE_VENUE, "MPID", *_QUANTITIES)
"""The header of FINRA's real ATS download."""
NON_ATS_FIELDS = (*_BEFORE_VENUE, "firmCRDNumber", "productTypeCode", *_QUANTITIES)
"""No real non-ATS download is known. Without the product type a symbol that changed tape would have two rows of one
key."""


def write_files(
    world: World, directory: Path, partitions: Iterable[Partition], at: datetime, layout: Layout = "download"
) -> list[Path]:
    """Write these partitions as they are at this instant; what is not published is left out. The files' paths.

    download: two files a partition, named by the publication day alone, and the week in no column; one while its
    non-ATS half is not published.
    hive: `week_ending=.../tier=.../ats.csv` and `non_ats.csv`, the same inside.
    api: one file of the API's CSV a partition, all 17 fields, commas, values quoted.
    """
    written = []
    for partition in sorted(partitions, key=lambda p: (p.week_ending, p.tier)):
        rows = world.rows(partition, at)
        if not rows:
            continue
        for name, content in _FILES[layout](world, partition, rows):
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)
    return written


def _download(world: World, partition: Partition, rows: list[Row]) -> Iterator[tuple[str, bytes]]:
    tier = {"T1": "nms_tier1", "T2": "nms_tier2", "OTCE": "otc"}[partition.tier.finra_code]
    day = world.publication_day(partition).strftime("%Y%m%d")
    yield from _halves(world, rows, (f"finra_ats_weekly_{tier}_{day}.csv", f"finra_non_ats_weekly_{tier}_{day}.csv"))


def _hive(world: World, partition: Partition, rows: list[Row]) -> Iterator[tuple[str, bytes]]:
    folder = f"week_ending={partition.week_ending}/tier={partition.tier}"
    yield from _halves(world, rows, (f"{folder}/ats.csv", f"{folder}/non_ats.csv"))


def _api(world: World, partition: Partition, rows: list[Row]) -> Iterator[tuple[str, bytes]]:
    name = f"weeklySummary_{partition.week_start}_{partition.tier.finra_code}.csv"
    yield name, delimited(rows, FIELDS, ",", quote=True, noise=world.noise_in_numbers)


_FILES = {"download": _download, "hive": _hive, "api": _api}


def _halves(world: World, rows: list[Row], names: tuple[str, str]) -> Iterator[tuple[str, bytes]]:
    """The ATS and the non-ATS document, as far as there are such rows; by symbol, as in FINRA's files.

    Rows without a symbol come last.
    """
    rows = sorted(rows, key=lambda row: (row.symbol is None, row.symbol or ""))
    ats = [row for row in rows if row.summary_type == ATS_SYMBOL_FIRM]
    non_ats = [row for row in rows if row.summary_type != ATS_SYMBOL_FIRM]
    for name, half, fields in zip(names, (ats, non_ats), (ATS_FIELDS, NON_ATS_FIELDS), strict=True):
        if half:
            yield name, delimited(half, fields, noise=world.noise_in_numbers)
