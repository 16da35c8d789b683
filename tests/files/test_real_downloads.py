"""FINRA's own downloads: the right weeks, every row, and the same totals as any other reader finds."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from finra_core.domain.partitions import Partition
from finra_core.domain.records import MICROS
from finra_core.domain.tiers import Tier
from finra_core.weekly_summary.parsing import parse_content
from finra_files import FileSource, open_source

SHARED_DATA = Path(os.environ.get("FINRA_SHARED_DATA", Path(__file__).resolve().parents[2] / "../shared/data"))
NOVEMBER_14 = Partition(date(2025, 11, 14), Tier.OTC)
NOVEMBER_21 = Partition(date(2025, 11, 21), Tier.OTC)
DOWNLOADS = {
    NOVEMBER_14: ("finra_otc_weekly_otc_20251215.csv", 5328),
    NOVEMBER_21: ("finra_otc_weekly_otc_20251222.csv", 5192),
}

pytestmark = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="FINRA's real files are not on this machine")
each_download = pytest.mark.parametrize("partition", DOWNLOADS, ids=str)


@pytest.fixture
def source() -> FileSource:
    return open_source(SHARED_DATA.resolve().as_uri(), {})


def test_the_week_is_the_one_that_finra_published_on_the_files_dates(source: FileSource) -> None:
    listing = source.list_partitions()
    assert listing.partitions == {NOVEMBER_14, NOVEMBER_21}
    assert listing.problems == ()


@each_download
def test_every_row_becomes_a_record(source: FileSource, partition: Partition) -> None:
    parsed = parse_content(source.fetch(partition).documents, partition)
    assert (len(parsed.records), parsed.rejects, parsed.control_rows) == (DOWNLOADS[partition][1], (), 0)


@each_download
def test_the_payload_is_the_file_byte_for_byte_and_names_it(source: FileSource, partition: Partition) -> None:
    path = SHARED_DATA.resolve() / DOWNLOADS[partition][0]
    payload = source.fetch(partition)
    assert payload.documents == (path.read_bytes(),)
    assert payload.source_url == path.as_uri()


@each_download
def test_shares_and_trades_of_each_ats_are_those_that_a_csv_reader_finds(
    source: FileSource, partition: Partition
) -> None:
    expected: defaultdict[str, tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
    with (SHARED_DATA / DOWNLOADS[partition][0]).open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            shares, trades = expected[line["MPID"]]
            expected[line["MPID"]] = (
                shares + Decimal(line["totalWeeklyShareQuantity"]),
                trades + int(line["totalWeeklyTradeCount"]),
            )
    actual: defaultdict[str, tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
    records = parse_content(source.fetch(partition).documents, partition).records
    for _security, (_kind, mpid, _crd, _name), micros, count, _updated in records.rows():
        shares, trades = actual[mpid]
        actual[mpid] = (shares + Decimal(micros) / MICROS, trades + count)
    assert len(expected) == 9
    assert actual == expected
