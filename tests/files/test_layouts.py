"""Folders and columns say which week and tier a file holds; its name never does."""

from __future__ import annotations

import gzip
from datetime import date
from typing import TYPE_CHECKING

import pytest

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.weekly_summary.parsing import parse_content
from finra_files import open_source

if TYPE_CHECKING:
    from files.conftest import Folder

OTC_NOVEMBER_14 = Partition(date(2025, 11, 14), Tier.OTC)
T1_NOVEMBER_14 = Partition(date(2025, 11, 14), Tier.NMS_TIER_1)


def listed(folder: Folder) -> frozenset[Partition]:
    listing = folder.source().list_partitions()
    assert listing.problems == ()
    return listing.partitions


def records_of(folder: Folder, partition: Partition) -> int:
    source = folder.source()
    assert source.list_partitions().problems == ()
    return len(parse_content(source.fetch(partition).documents, partition).records)


@pytest.mark.parametrize("name", ["finra_2025-11-28.csv", "otc_20251222.csv", "T1_week_ending_2020-01-03.txt"])
def test_the_date_and_tier_in_a_name_mean_nothing(folder: Folder, name: str) -> None:
    folder.download(name)
    assert listed(folder) == {OTC_NOVEMBER_14}


def test_a_download_of_tier_1_is_published_three_weeks_after_its_monday(folder: Folder) -> None:
    folder.download("a.csv", folder.row(tier="NMS Tier 1", updated="2025-12-01"))
    assert listed(folder) == {T1_NOVEMBER_14}


def test_a_download_published_on_the_tuesday_after_a_holiday_is_of_the_week_before(folder: Folder) -> None:
    # FINRA's initialPublishedDate of NMS Tier 1, week of 2025-05-05: Memorial Day is 2025-05-26.
    folder.download("a.csv", folder.row(tier="NMS Tier 1", updated="2025-05-27"))
    assert listed(folder) == {Partition(date(2025, 5, 9), Tier.NMS_TIER_1)}


def test_rows_restated_later_leave_a_download_in_its_week(folder: Folder) -> None:
    folder.download(
        "a.csv", folder.row("AABB", updated="2025-12-24"), folder.row("ABCD"), folder.row("ABCE", updated="2025-12-19")
    )
    assert listed(folder) == {OTC_NOVEMBER_14}
    assert records_of(folder, OTC_NOVEMBER_14) == 3


@pytest.mark.parametrize(
    "place",
    [
        "week_ending=2025-11-14/tier=OTC",
        "tier=OTC/week_ending=2025-11-14",
        "tier=OTCE/week_ending=2025-11-10",
        "week_ending=2025-11-16/region=us/tier=OTC/part",
    ],
)
def test_folders_name_the_partition_in_any_order_and_by_any_day_of_the_week(folder: Folder, place: str) -> None:
    folder.download(f"{place}/anything.csv", folder.row(updated="2025-12-23"))
    assert listed(folder) == {OTC_NOVEMBER_14}
    assert records_of(folder, OTC_NOVEMBER_14) == 1


def test_a_folder_of_the_week_alone_leaves_the_tier_to_the_rows(folder: Folder) -> None:
    folder.download("week_ending=2025-11-14/a.csv", folder.row(updated="2025-12-17"))
    assert listed(folder) == {OTC_NOVEMBER_14}


def test_a_folder_of_the_tier_alone_leaves_the_week_to_the_rows(folder: Folder) -> None:
    tierless = folder.DOWNLOAD_HEADER.removeprefix("tierDescription|")
    folder.put("tier=OTC/a.csv", folder.document(tierless, folder.row().removeprefix("OTC|")))
    assert listed(folder) == {OTC_NOVEMBER_14}
    assert records_of(folder, OTC_NOVEMBER_14) == 1


def test_the_folder_that_was_opened_may_itself_be_the_partitions(folder: Folder) -> None:
    folder.download("week_ending=2025-11-14/tier=OTC/a.csv", folder.row(updated="2025-12-17"))
    inner = open_source(f"file:{folder.path}/week_ending=2025-11-14/tier=OTC", {})
    assert inner.list_partitions().partitions == {OTC_NOVEMBER_14}


@pytest.mark.parametrize("delimiter", [",", "|", "\t", "\x01"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_the_apis_csv_names_its_week_and_tier_in_columns(folder: Folder, delimiter: str, quote: str) -> None:
    lines = [
        line.replace(",", f"{quote}{delimiter}{quote}")
        for line in (folder.API_HEADER, folder.api_row(), folder.api_row("MSFT"))
    ]
    folder.put("a.csv", "\n".join(f"{quote}{line}{quote}" for line in lines).encode())
    assert listed(folder) == {T1_NOVEMBER_14}
    assert records_of(folder, T1_NOVEMBER_14) == 2


def test_a_quoted_download_with_delimiters_in_its_names_is_of_the_week_of_its_dates(folder: Folder) -> None:
    quoted = '"OTC","AABB","Asia, Inc, The ""First""","OTCN OTC LINK","OTCN","6753871","171","2025-12-15"'
    folder.put("a.csv", folder.document(folder.DOWNLOAD_HEADER.replace("|", ","), quoted))
    assert listed(folder) == {OTC_NOVEMBER_14}
    assert records_of(folder, OTC_NOVEMBER_14) == 1


@pytest.mark.parametrize("name", ["A.CSV", "b.Txt", "c.csv.gz", "D.TXT.GZ"])
def test_files_are_known_by_their_suffix_in_any_case_and_may_be_compressed(folder: Folder, name: str) -> None:
    content = folder.document(folder.DOWNLOAD_HEADER, folder.row())
    folder.put(f"deep/er/{name}", gzip.compress(content) if name.lower().endswith("gz") else content)
    source = folder.source()
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14}
    assert source.fetch(OTC_NOVEMBER_14).documents == (content,)


def test_hidden_files_and_other_suffixes_are_no_data(folder: Folder) -> None:
    for name in (".a.csv", ".git/a.csv", "notes.md", "a.csv.bak", "a.parquet"):
        folder.download(name)
    assert listed(folder) == frozenset()


def test_files_with_other_suffixes_are_counted_in_the_debug_log(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.put("notes.md", b"")
    folder.put("a.parquet", b"")
    caplog.set_level("DEBUG", logger="finra_files")
    folder.source().list_partitions()
    assert f"2 files with other suffixes left out in {folder.path}" in caplog.text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_end", [True, False])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_change_nothing(folder: Folder, end: str, last_end: bool, start: str) -> None:
    text = (
        start + end.join([folder.DOWNLOAD_HEADER, folder.row("AABB"), folder.row("ABCD")]) + (end if last_end else "")
    )
    folder.put("a.csv", text.encode("utf-8"))
    assert listed(folder) == {OTC_NOVEMBER_14}
    assert records_of(folder, OTC_NOVEMBER_14) == 2


def test_ats_and_non_ats_downloads_make_one_partition_in_the_order_of_their_paths(folder: Folder) -> None:
    firms = folder.document(folder.NON_ATS_HEADER, folder.firm_row())
    ats = folder.document(folder.DOWNLOAD_HEADER, folder.row())
    first, second = folder.put("a.csv", firms), folder.put("b.csv", ats)
    source = folder.source()
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14}
    payload = source.fetch(OTC_NOVEMBER_14)
    assert payload.documents == (firms, ats)
    assert payload.source_url.split() == [first.as_uri(), second.as_uri()]
    assert len(parse_content(payload.documents, OTC_NOVEMBER_14).records) == 2


def test_any_number_of_documents_keeps_the_order_of_their_paths(folder: Folder) -> None:
    kinds = ["ATS_W_SMBL", "OTC_W_FIRM", "ATS_W_SMBL_FIRM", "OTC_W_VOL_STATS", "ATS_W_FIRM", "OTC_W_SMBL"]
    contents = [folder.document(folder.API_HEADER, folder.api_row(kind=kind)) for kind in kinds]
    for i in (4, 2, 0, 5, 3, 1):
        folder.put(f"{i}/a.csv", contents[i])
    assert folder.source().fetch(T1_NOVEMBER_14).documents == tuple(contents)


def test_finras_totals_may_stand_in_a_file_of_their_own(folder: Folder) -> None:
    folder.put("a.csv", folder.document(folder.API_HEADER, folder.api_row()))
    folder.put("b.csv", folder.document(folder.API_HEADER, folder.api_row(kind="ATS_W_SMBL").replace("JPBX", "")))
    assert records_of(folder, T1_NOVEMBER_14) == 1


def test_bad_rows_of_one_kind_do_not_make_two_files_alike(folder: Folder) -> None:
    bad = folder.api_row(kind="nonsense")
    folder.put("a.csv", folder.document(folder.API_HEADER, folder.api_row(), bad))
    firms = folder.api_row(kind="OTC_W_SMBL_FIRM").replace("JPBX,", ",7")
    folder.put("b.csv", folder.document(folder.API_HEADER, firms, bad))
    assert records_of(folder, T1_NOVEMBER_14) == 2


def test_bad_rows_are_left_to_the_parser(folder: Folder) -> None:
    folder.download(
        "a.csv", "OTC|short|row", folder.row(), folder.row("ABCD").replace("171", "x"), folder.row(), folder.row("ZZZZ")
    )
    source = folder.source()
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14}
    parsed = parse_content(source.fetch(OTC_NOVEMBER_14).documents, OTC_NOVEMBER_14)
    assert (len(parsed.records), len(parsed.rejects)) == (2, 3)


def test_a_short_or_long_row_lends_no_date(folder: Folder) -> None:
    folder.download("a.csv", folder.row(), "2025-11-17", "OTC|AABB|2025-11-17", folder.row(updated="2025-11-17") + "|x")
    assert listed(folder) == {OTC_NOVEMBER_14}
    assert records_of(folder, OTC_NOVEMBER_14) == 1
