"""A bad file is an error of its own partition, or where that is not known, a problem of the listing that names it."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from finra_core.domain.errors import SourceDataError, SourceError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.weekly_summary.delimited import MAX_LINE
from finra_files import FileSource

if TYPE_CHECKING:
    from files.conftest import Folder

OTC_NOVEMBER_14 = Partition(date(2025, 11, 14), Tier.OTC)
OTC_NOVEMBER_21 = Partition(date(2025, 11, 21), Tier.OTC)
T1_NOVEMBER_14 = Partition(date(2025, 11, 14), Tier.NMS_TIER_1)
HEADER = (
    b"tierDescription|issueSymbolIdentifier|issueName|marketParticipantName|MPID|"
    b"totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate\n"
)
GOOD = HEADER + b"OTC|AABB|Asia Broadband Inc Common Stock|OTCN OTC LINK NQB IDQS|OTCN|6753871|171|2025-12-15\n"
PLACE = "week_ending=2025-11-14/tier=OTC"


def problem_of(folder: Folder) -> str:
    """The one problem of a folder that has one other, good file."""
    folder.download("good.csv", folder.row(updated="2025-12-22"))
    listing = folder.source().list_partitions()
    assert listing.partitions == {OTC_NOVEMBER_21}
    (problem,) = listing.problems
    assert type(problem) is SourceDataError
    assert "\n" not in problem.message
    return problem.message


def failure_of(folder: Folder, partition: Partition, kind: type[SourceError] = SourceDataError) -> str:
    """What fetching the partition raises, though it is listed."""
    source = folder.source()
    listing = source.list_partitions()
    assert partition in listing.partitions
    assert listing.problems == ()
    return fetch_failure(source, partition, kind)


def fetch_failure(source: FileSource, partition: Partition, kind: type[SourceError] = SourceDataError) -> str:
    with pytest.raises(SourceError) as caught:
        source.fetch(partition)
    assert type(caught.value) is kind
    assert caught.value.partition == partition
    assert "\n" not in caught.value.message
    return caught.value.message


def as_bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "broken header": (as_bytes(b"<html>|<body>\n503|Service Unavailable\n"), "broken header"),
    "repeated column": (as_bytes(GOOD.replace(b"issueName", b"MPID")), "MPID stands twice"),
    "header only": (as_bytes(HEADER), "header only"),
    "empty": (as_bytes(b""), "is empty"),
    "blank": (as_bytes(b"\n\r\n\n"), "is empty"),
    "not UTF-8": (as_bytes(GOOD.replace(b"Asia", b"\xe4sia")), "not UTF-8: byte 0xe4"),
    "no line end": (as_bytes(b"x" * 70_000), "no line end in its first 64 KiB"),
    "no second line end": (as_bytes(GOOD[:-1] + b"x" * 70_000), "no whole row in its first 64 KiB"),
    "no usable row": (
        as_bytes(HEADER + b"OTC|AABB"),
        "no usable row; the first, line 2, has 2 fields",
    ),
    "folder": (Path.mkdir, "a folder"),
    "pipe": (os.mkfifo, "no regular file"),
}


@pytest.mark.parametrize(("make", "problem"), BAD.values(), ids=BAD)
def test_a_bad_file_that_names_no_partition_is_a_problem_of_the_listing(
    folder: Folder, make: Callable[[Path], object], problem: str
) -> None:
    make(folder.path / "bad.csv")
    message = problem_of(folder)
    assert str(folder.path / "bad.csv") in message
    assert problem in message


@pytest.mark.parametrize(("make", "problem"), BAD.values(), ids=BAD)
def test_a_bad_file_in_its_partitions_folder_fails_that_partition_alone(
    folder: Folder, make: Callable[[Path], object], problem: str
) -> None:
    folder.download("good.csv", folder.row(updated="2025-12-22"))
    (folder.path / PLACE).mkdir(parents=True)
    make(folder.path / PLACE / "bad.csv")
    message = failure_of(folder, OTC_NOVEMBER_14)
    assert str(folder.path / PLACE / "bad.csv") in message
    assert problem in message
    assert folder.source().fetch(OTC_NOVEMBER_21).documents


def test_a_broken_gzip_file_is_named(folder: Folder) -> None:
    folder.put("not.csv.gz", GOOD)
    message = problem_of(folder)
    assert "not.csv.gz" in message
    assert "broken gzip file" in message


def test_a_gzip_file_cut_short_is_named(folder: Folder) -> None:
    folder.put(f"{PLACE}/cut.csv.gz", gzip.compress(GOOD * 100)[:-20])
    message = failure_of(folder, OTC_NOVEMBER_14)
    assert "cut.csv.gz" in message
    assert "broken gzip file" in message


def test_a_line_beyond_the_longest_that_finra_could_write_is_no_data(folder: Folder) -> None:
    folder.download("a.csv", folder.row(), "x" * (MAX_LINE + 1))
    message = failure_of(folder, OTC_NOVEMBER_14)
    assert "a.csv" in message
    assert "a line of 1,000,001 characters" in message


def test_rows_that_are_not_utf_8_fail_the_partition_that_the_columns_name(folder: Folder) -> None:
    rows = [folder.row() for _ in range(1_000)]
    folder.put("a.csv", folder.document(folder.DOWNLOAD_HEADER, *rows) + b"OTC|\xff\n")
    message = failure_of(folder, OTC_NOVEMBER_14)
    assert "a.csv" in message
    assert "not UTF-8" in message


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_over_the_limit_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch, compressed: bool) -> None:
    monkeypatch.setattr(FileSource, "MAX_FILE_BYTES", 100)
    name = "big.csv.gz" if compressed else "big.csv"
    folder.put(f"{PLACE}/{name}", gzip.compress(GOOD) if compressed else GOOD)
    message = failure_of(folder, OTC_NOVEMBER_14)
    assert name in message
    assert "over 100 bytes" in message


def test_a_file_of_just_the_limit_is_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileSource, "MAX_FILE_BYTES", len(GOOD))
    folder.put("a.csv", GOOD)
    assert folder.source().fetch(OTC_NOVEMBER_14).documents == (GOOD,)


def test_a_download_over_the_limit_is_not_scanned_for_its_week(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileSource, "MAX_FILE_BYTES", len(GOOD))
    folder.download("big.csv", folder.row(), folder.row("ABCD"))
    message = problem_of(folder)
    assert "big.csv" in message
    assert f"over {len(GOOD)} bytes" in message


def test_a_file_whose_columns_name_its_week_is_listed_by_its_head_alone(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSource, "MAX_FILE_BYTES", 0)
    folder.put("big.csv", folder.document(folder.API_HEADER, folder.api_row()))
    assert "big.csv: over 0 bytes" in failure_of(folder, T1_NOVEMBER_14)


def test_a_dangling_link_is_a_problem_that_names_it(folder: Folder) -> None:
    (folder.path / "link.csv").symlink_to(folder.path / "gone.csv")
    message = problem_of(folder)
    assert "link.csv" in message
    assert "cannot be read (No such file or directory)" in message


def test_a_dangling_link_in_its_partitions_folder_fails_it_for_now(folder: Folder) -> None:
    (folder.path / PLACE).mkdir(parents=True)
    (folder.path / PLACE / "link.csv").symlink_to(folder.path / "gone.csv")
    message = failure_of(folder, OTC_NOVEMBER_14, SourceUnavailableError)
    assert "link.csv" in message


def test_a_link_to_a_file_is_read_and_a_folder_that_holds_itself_is_read_once(folder: Folder) -> None:
    target = folder.download("real/a.data")
    (folder.path / "link.csv").symlink_to(target)
    (folder.path / "real" / "loop").symlink_to(folder.path)
    listing = folder.source().list_partitions()
    assert listing.partitions == {OTC_NOVEMBER_14}
    assert listing.problems == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_file_fails_its_partition_for_now(folder: Folder) -> None:
    folder.download(f"{PLACE}/secret.csv").chmod(0)
    message = failure_of(folder, OTC_NOVEMBER_14, SourceUnavailableError)
    assert "secret.csv" in message
    assert "Permission denied" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_folder_is_a_problem_that_names_it(folder: Folder) -> None:
    folder.download("secret/a.csv").parent.chmod(0)
    message = problem_of(folder)
    (folder.path / "secret").chmod(0o700)
    assert f"{folder.path / 'secret'}: cannot be read as a folder (Permission denied)" in message


def test_a_partition_whose_file_vanished_since_the_listing_is_there_no_longer(folder: Folder) -> None:
    path = folder.download("a.csv")
    source = folder.source()
    source.list_partitions()
    path.unlink()
    assert f"no file under {folder.path} holds 2025-11-14 / OTC" in fetch_failure(source, OTC_NOVEMBER_14)


def test_a_file_that_vanishes_while_it_is_fetched_fails_its_partition_for_now(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.download("a.csv")
    source = folder.source()
    monkeypatch.setattr("finra_files.source._paths", lambda *_: [path])
    path.unlink()
    assert str(path) in fetch_failure(source, OTC_NOVEMBER_14, SourceUnavailableError)


def test_a_file_that_changes_its_week_while_it_is_fetched_is_no_longer_its_partition(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.download("a.csv", folder.row(updated="2025-12-22"))
    source = folder.source()
    monkeypatch.setattr("finra_files.source._paths", lambda *_: [path])
    message = fetch_failure(source, OTC_NOVEMBER_14)
    assert "a.csv: now holds 2025-11-21 / OTC, no longer 2025-11-14 / OTC" in message


def test_a_partition_that_no_file_holds_is_an_error(folder: Folder) -> None:
    folder.download("a.csv")
    assert "holds 2025-11-14 / NMS_TIER_1" in fetch_failure(folder.source(), T1_NOVEMBER_14)


@pytest.mark.parametrize("updated", ["2025-12-16", "2025-12-19", "0001-01-01"])
def test_an_earliest_date_on_which_finra_publishes_nothing_is_no_guess_at_the_week(
    folder: Folder, updated: str
) -> None:
    folder.download("late.csv", folder.row("AABB", updated=updated), folder.row("ABCD", updated="2025-12-29"))
    message = problem_of(folder)
    assert "late.csv" in message
    assert f"earliest lastUpdateDate, {updated}, is no publication day of OTC" in message
    assert "put it under week_ending=YYYY-MM-DD/tier=NMS_TIER_1|NMS_TIER_2|OTC/" in message


def test_rows_without_a_date_name_no_week(folder: Folder) -> None:
    folder.download("undated.csv", folder.row(updated="12/15/2025"), folder.row(updated="2025-02-30"))
    message = problem_of(folder)
    assert "undated.csv" in message
    assert "nothing else names its week: put it under" in message


def test_a_tier_that_nothing_names_is_no_guess(folder: Folder) -> None:
    tierless = folder.document(
        folder.DOWNLOAD_HEADER.removeprefix("tierDescription|"), folder.row().removeprefix("OTC|")
    )
    folder.put("tierless.csv", tierless)
    message = problem_of(folder)
    assert "tierless.csv: nothing names its tier: put it under" in message


@pytest.mark.parametrize("tier", ["NMS", "NA", "OTC", ""])
def test_a_tier_identifier_of_no_tier_is_an_error(folder: Folder, tier: str) -> None:
    folder.put("a.csv", folder.document(folder.API_HEADER, folder.api_row(tier=tier)))
    message = problem_of(folder)
    assert f"a.csv: tierIdentifier {tier!r} is no tier" in message


@pytest.mark.parametrize(
    "place", ["week_ending=2025-13-01", "week_ending=20251114", "week_ending=", "week_ending=9999-12-31", "tier=otc"]
)
def test_a_folder_that_names_no_week_or_tier_is_an_error(folder: Folder, place: str) -> None:
    folder.download(f"{place}/a.csv")
    message = problem_of(folder)
    assert f"{place}/a.csv" in message
    assert place.partition("=")[2] in message


@pytest.mark.parametrize("monday", ["10.11.2025", "2025-11-31", ""])
def test_a_week_start_that_is_no_date_is_an_error(folder: Folder, monday: str) -> None:
    folder.put("a.csv", folder.document(folder.API_HEADER, folder.api_row(monday=monday)))
    message = problem_of(folder)
    assert f"a.csv: weekStartDate {monday!r} is no week" in message


def test_a_folder_and_a_column_that_name_different_tiers_are_an_error(folder: Folder) -> None:
    folder.put(f"{PLACE}/a.csv", folder.document(folder.API_HEADER, folder.api_row(tier="T1")))
    message = failure_of(folder, OTC_NOVEMBER_14)
    assert "a.csv: contradicts itself on its tier: its folder says OTC, tierIdentifier says NMS_TIER_1" in message


def test_a_folder_and_a_column_that_name_different_weeks_are_an_error(folder: Folder) -> None:
    folder.put("week_ending=2025-11-21/a.csv", folder.document(folder.API_HEADER, folder.api_row()))
    message = problem_of(folder)
    assert "contradicts itself on its week: its folder says 2025-11-21, weekStartDate says 2025-11-14" in message


def test_two_folders_that_name_different_weeks_are_an_error(folder: Folder) -> None:
    folder.download("week_ending=2025-11-21/week_ending=2025-11-14/tier=OTC/a.csv")
    assert "contradicts itself on its week" in problem_of(folder)


def test_two_columns_that_name_different_tiers_are_an_error(folder: Folder) -> None:
    folder.put("a.csv", folder.document("tierDescription," + folder.API_HEADER, "OTC," + folder.api_row()))
    message = problem_of(folder)
    assert "tierIdentifier says NMS_TIER_1, tierDescription says OTC" in message


@pytest.mark.parametrize("other", [{"tier": "T2"}, {"monday": "2025-11-17"}])
def test_a_file_with_several_tiers_or_weeks_is_an_error(folder: Folder, other: dict[str, str]) -> None:
    folder.put("a.csv", folder.document(folder.API_HEADER, folder.api_row(), folder.api_row("MSFT", **other)))
    message = failure_of(folder, T1_NOVEMBER_14)
    assert "a.csv: contradicts itself" in message
    assert "one file holds one week of one tier" in message


def test_a_folder_of_a_week_that_finra_published_after_the_files_dates_is_an_error(folder: Folder) -> None:
    folder.download("week_ending=2025-11-21/tier=OTC/a.csv", folder.row(updated="2025-12-15"))
    message = failure_of(folder, OTC_NOVEMBER_21)
    assert "a.csv" in message
    assert "published on 2025-12-22, but its earliest lastUpdateDate is 2025-12-15" in message


def test_two_files_with_rows_of_one_kind_fail_their_partition_and_are_both_named(folder: Folder) -> None:
    folder.download("one.csv")
    folder.download("two.csv", folder.row("ABCD"))
    folder.put("firms.csv", folder.document(folder.NON_ATS_HEADER, folder.firm_row()))
    message = failure_of(folder, OTC_NOVEMBER_14)
    assert str(folder.path / "one.csv") in message
    assert str(folder.path / "two.csv") in message
    assert "both hold ATS_W_SMBL_FIRM rows" in message
    assert "firms.csv" not in message


def test_a_name_that_would_break_the_line_is_written_as_an_escape(folder: Folder) -> None:
    folder.put("two\nlines.csv", b"")
    assert "two\\nlines.csv: the document is empty" in problem_of(folder)
