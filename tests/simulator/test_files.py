"""The simulated files, read back with the csv module alone."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS
from finra_simulator import World, write_files
from finra_simulator.files import Layout
from finra_simulator.rows import MICROS

AT = datetime(2026, 5, 1, tzinfo=timezone.utc)
WEEK = date(2026, 3, 6)  # fractional shares, and published on 2026-03-23 and 2026-04-06
PARTITIONS = [Partition(WEEK, tier) for tier in TIERS]
WORLD = World(seed=2, symbols=30, restatement_rate=1)
REAL_HEADER = (
    "tierDescription|issueSymbolIdentifier|issueName|marketParticipantName|MPID"
    "|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"
)

Record = tuple[str, str, str, str, str, int, str, str]


def read(path: Path, delimiter: str) -> list[dict[str, str]]:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    with path.open(newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file, delimiter=delimiter, quoting=quoting, strict=True))
    assert all(None not in row and None not in row.values() for row in rows)
    return rows


def records(rows: Iterable[dict[str, str]]) -> list[Record]:
    """What every layout holds of a row."""
    return sorted(
        (
            row["issueSymbolIdentifier"],
            row["issueName"],
            row["marketParticipantName"],
            row.get("MPID", ""),
            row.get("firmCRDNumber", ""),
            int(Decimal(row["totalWeeklyShareQuantity"]) * MICROS),
            row["totalWeeklyTradeCount"],
            row["lastUpdateDate"],
        )
        for row in rows
    )


def truth(partition: Partition) -> list[Record]:
    return sorted(
        (
            row.symbol or "",
            row.issue_name or "",
            row.venue_name or "",
            row.mpid or "",
            str(row.crd or ""),
            row.shares_micros,
            str(row.trades),
            row.last_update_date.isoformat(),
        )
        for row in WORLD.rows(partition, AT)
    )


@pytest.mark.parametrize(("layout", "delimiter"), [("download", "|"), ("hive", "|"), ("api", ",")])
@pytest.mark.parametrize("partition", PARTITIONS, ids=str)
def test_the_files_of_a_partition_hold_all_its_rows_exactly(
    tmp_path: Path, layout: Layout, delimiter: str, partition: Partition
) -> None:
    paths = write_files(WORLD, tmp_path, [partition], AT, layout)
    assert records(row for path in paths for row in read(path, delimiter)) == truth(partition)


def test_a_download_of_ats_rows_has_the_header_of_the_real_one_and_no_week(tmp_path: Path) -> None:
    ats, non_ats = write_files(WORLD, tmp_path, PARTITIONS[2:], AT)
    lines = ats.read_text().splitlines()
    assert lines[0] == REAL_HEADER
    assert "2026-03-0" not in ats.read_text()
    assert "firmCRDNumber" in non_ats.read_text().splitlines()[0].split("|")
    assert "MPID" not in non_ats.read_text()


def test_a_download_is_named_by_its_publication_day(tmp_path: Path) -> None:
    names = [path.name for path in write_files(WORLD, tmp_path, PARTITIONS, AT)]
    assert ["20260323" in name for name in names] == [True, True, False, False, False, False]
    assert ["20260406" in name for name in names] == [False, False, True, True, True, True]


def test_a_download_comes_by_symbol_and_the_row_without_one_comes_last(tmp_path: Path) -> None:
    ats = write_files(WORLD, tmp_path, PARTITIONS[2:], AT)[0]
    symbols = [(row["issueSymbolIdentifier"], row["MPID"]) for row in read(ats, "|")]
    assert symbols[-1][0] == ""
    assert symbols[:-1] == sorted(symbols[:-1])


def test_a_hive_path_names_week_ending_and_tier(tmp_path: Path) -> None:
    paths = write_files(WORLD, tmp_path, PARTITIONS[2:], AT, "hive")
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "week_ending=2026-03-06/tier=OTC/ats.csv",
        "week_ending=2026-03-06/tier=OTC/non_ats.csv",
    ]


def test_the_apis_csv_has_all_seventeen_fields_and_quotes_what_is_not_empty(tmp_path: Path) -> None:
    (path,) = write_files(WORLD, tmp_path, PARTITIONS[:1], AT, "api")
    row = read(path, ",")[0]
    assert len(row) == 17
    assert (row["weekStartDate"], row["tierIdentifier"], row["firmCRDNumber"]) == ("2026-03-02", "T1", "")
    assert '""' not in path.read_text().splitlines()[1]


def test_what_is_not_published_is_not_written(tmp_path: Path) -> None:
    early = datetime(2026, 4, 1, tzinfo=timezone.utc)
    assert len(write_files(WORLD, tmp_path, PARTITIONS, early)) == 2


def test_each_row_of_a_download_is_unique_by_what_it_shows(tmp_path: Path) -> None:
    for path in write_files(WORLD, tmp_path, PARTITIONS, AT):
        shown = [
            tuple(value for name, value in row.items() if not name.startswith("totalWeekly")) for row in read(path, "|")
        ]
        assert len(set(shown)) == len(shown)
