"""A file in the wrong place: rows that are another week's, and names that say another tier or day."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from files.conftest import Folder
from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_files import FileSource, open_source

OTC_NOVEMBER_14 = Partition(date(2025, 11, 14), Tier.OTC)
OTC_NOVEMBER_21 = Partition(date(2025, 11, 21), Tier.OTC)
REAL = Path(os.environ.get("FINRA_SHARED_DATA", Path(__file__).resolve().parents[2] / "../shared/data"))
with_real_files = pytest.mark.skipif(not REAL.is_dir(), reason="FINRA's real files are not on this machine")


def rows(updated: str, *, same: int, other: int = 0, week: str = "") -> list[str]:
    """So many rows that any two weeks made so share, and so many with a name of this week's."""
    names = [f"S{i:03}" for i in range(same)] + [f"{week}{i:03}" for i in range(other)]
    return [
        f"OTC|{name}|{name} Inc|OTCN OTC LINK|OTCN|{1000 + 7 * i}|{1 + i}|{updated}" for i, name in enumerate(names)
    ]


def refusal(source: FileSource, partition: Partition) -> str:
    with pytest.raises(SourceDataError) as raised:
        source.fetch(partition)
    assert raised.value.partition == partition
    return raised.value.message


def test_a_download_whose_dates_are_a_week_late_is_no_second_week(folder: Folder) -> None:
    right = folder.download("a.csv", *rows("2025-12-15", same=40))
    late = folder.download("b.csv", *rows("2025-12-22", same=40))
    source = folder.source()
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14, OTC_NOVEMBER_21}
    for partition, own, other, of in (
        (OTC_NOVEMBER_21, late, right, OTC_NOVEMBER_14),
        (OTC_NOVEMBER_14, right, late, OTC_NOVEMBER_21),
    ):
        assert refusal(source, partition) == (
            f"{own}: 40 of 40 rows stand in {other} too, which is of {of}: one of the two is misplaced, remove it"
        )
    late.unlink()
    assert source.fetch(OTC_NOVEMBER_14).documents == (right.read_bytes(),)


def test_a_file_copied_into_the_folder_of_the_next_week_is_refused(folder: Folder) -> None:
    lines = rows("2025-12-22", same=30)
    folder.download("week_ending=2025-11-21/tier=OTC/a.csv", *lines)
    copy = folder.download("week_ending=2025-11-14/tier=OTC/a.csv", *lines)
    assert f"{copy}: 30 of 30" in refusal(folder.source(), OTC_NOVEMBER_14)


@pytest.mark.parametrize(("same", "refused"), [(19, False), (20, True)])
def test_few_rows_are_not_judged(folder: Folder, same: int, refused: bool) -> None:
    for day in ("2025-12-15", "2025-12-22"):
        folder.download(f"{day}.csv", *rows(day, same=same))
    source = folder.source()
    if refused:
        assert "20 of 20" in refusal(source, OTC_NOVEMBER_14)
    else:
        assert source.fetch(OTC_NOVEMBER_14).documents


@pytest.mark.parametrize(("same", "refused"), [(49, False), (50, True)])
def test_half_of_the_rows_is_a_copy_and_less_is_chance(folder: Folder, same: int, refused: bool) -> None:
    for week, day in (("A", "2025-12-15"), ("B", "2025-12-22")):
        folder.download(f"{day}.csv", *rows(day, same=same, other=100 - same, week=week))
    source = folder.source()
    if refused:
        assert "50 of 100" in refusal(source, OTC_NOVEMBER_21)
    else:
        assert source.fetch(OTC_NOVEMBER_21).documents


def test_each_file_is_compared_by_itself(folder: Folder) -> None:
    """A misplaced non-ATS file is the smaller one: among all rows its copy would not show."""
    firms = [f"OTC|S{i:03}|S Inc|A FIRM LLC|79|{1000 + i}|{1 + i}|" for i in range(25)]
    for week, day in (("A", "2025-12-15"), ("B", "2025-12-22")):
        folder.download(f"ats-{day}.csv", *rows(day, same=0, other=200, week=week))
        folder.put(f"firms-{day}.csv", folder.document(folder.NON_ATS_HEADER, *(row + day for row in firms)))
    assert "firms-2025-12-15.csv: 25 of 25 rows" in refusal(folder.source(), OTC_NOVEMBER_14)


def test_the_date_may_stand_in_any_column(folder: Folder) -> None:
    columns = "lastUpdateDate,MPID,issueSymbolIdentifier,totalWeeklyTradeCount,totalWeeklyShareQuantity,tierDescription"
    for day in ("2025-12-15", "2025-12-22"):
        lines = [f"{day},OTCN,S{i:03},{1 + i},{1000 + 7 * i}.5,OTC" for i in range(25)]
        folder.put(f"{day}.csv", folder.document(columns, *lines))
    assert "25 of 25" in refusal(folder.source(), OTC_NOVEMBER_14)


def test_rows_that_say_their_week_are_believed(folder: Folder) -> None:
    for monday, day in (("2025-11-10", "2025-12-15"), ("2025-11-17", "2025-12-22")):
        lines = [f"{monday},OTCE,ATS_W_SMBL_FIRM,S{i:03},S,OTCN,,{1000 + 7 * i},{1 + i},{day}" for i in range(25)]
        folder.put(f"{monday}.csv", folder.document(folder.API_HEADER, *lines))
    source = folder.source()
    assert source.fetch(OTC_NOVEMBER_14).documents
    assert source.fetch(OTC_NOVEMBER_21).documents


def test_other_tiers_and_farther_weeks_are_no_neighbors(folder: Folder) -> None:
    folder.download("a.csv", *rows("2025-12-15", same=25))
    folder.download("c.csv", *rows("2025-12-29", same=25))
    folder.download("t1.csv", *(row.replace("OTC|S", "NMS Tier 1|S") for row in rows("2025-12-08", same=25)))
    assert folder.source().fetch(OTC_NOVEMBER_14).documents


def test_a_neighbor_that_cannot_be_read_is_its_own_partition_s_failure(folder: Folder) -> None:
    folder.download("week_ending=2025-11-14/tier=OTC/a.csv", *rows("2025-12-15", same=25))
    folder.put("week_ending=2025-11-21/tier=OTC/a.csv", b"no data")
    assert folder.source().fetch(OTC_NOVEMBER_14).documents


@with_real_files
def test_real_neighbors_are_two_weeks_and_a_real_week_dated_a_week_late_is_not(folder: Folder) -> None:
    content = (REAL / "finra_otc_weekly_otc_20251215.csv").read_bytes()
    folder.put("finra_otc_weekly_otc_20251215.csv", content)
    folder.put("finra_otc_weekly_otc_20251222.csv", (REAL / "finra_otc_weekly_otc_20251222.csv").read_bytes())
    source = folder.source()
    assert source.list_partitions().doubts == ()
    assert source.fetch(OTC_NOVEMBER_21).documents
    folder.put("finra_otc_weekly_otc_20251222.csv", content.replace(b"|2025-12-15", b"|2025-12-22"))
    assert "5,328 of 5,328 rows" in refusal(source, OTC_NOVEMBER_21)


# Names -----------------------------------------------------------------------------------------------


def doubts(folder: Folder, name: str, rows: Sequence[str] = ()) -> list[str]:
    path = folder.download(name, *rows)
    found = folder.source().list_partitions().doubts
    assert {doubt.place for doubt in found} <= {str(path)}
    return [re.sub(rf"^{re.escape(str(path))}: ", "", doubt.message) for doubt in found]


@pytest.mark.parametrize(
    "name",
    [
        "finra_otc_weekly_otc_20251215.csv",  # as in the wild: domain, tier, publication day
        "OTC_ats_2025-11-10.txt",  # the Monday
        "otc-week-ending-20251114.csv",
        "otc_20251110-20251116.csv",
        "OTCE downloaded 2026.01.31.csv",
        "otc transparency.csv",
        "finra_otc.csv",
        "a.csv",
        "t1t2.csv",
        "20251399.csv",
        "account 12345678.csv",
    ],
)
def test_a_name_that_agrees_or_says_nothing_is_no_doubt(folder: Folder, name: str) -> None:
    assert doubts(folder, name) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("finra_otc_weekly_nms_tier1_20251215.csv", "NMS_TIER_1"),
        ("T2.csv", "NMS_TIER_2"),
        ("weeklySummary_2025-11-10_T1.csv", "NMS_TIER_1"),
        ("NMS Tier 2 (ATS).txt", "NMS_TIER_2"),
        ("otc_20251208.csv", "2025-12-08"),  # FINRA had not published it yet
        ("otc_2025-11-07.csv", "2025-11-07"),
        ("finra_nms_tier_1_2025-11-07.csv", "NMS_TIER_1 and 2025-11-07"),
    ],
)
def test_a_name_that_says_another_tier_or_an_impossible_day_is_told(folder: Folder, name: str, said: str) -> None:
    assert doubts(folder, name) == [
        f"its name says {said}, its rows are of 2025-11-14 / OTC: rename it if they are right"
    ]


@pytest.mark.parametrize("name", ["finra_otc_weekly_otc_20251215.csv", "OTC_ats.txt", "otce.csv"])
def test_nms_rows_in_a_file_named_otc_are_told(folder: Folder, name: str) -> None:
    row = folder.row("AAPL", tier="NMS Tier 1", updated="2025-12-01")
    (message,) = doubts(folder, name, [row])
    assert message.startswith("its name says OTC, its rows are of 2025-11-14 / NMS_TIER_1")


def test_the_subject_s_name_is_no_tier(folder: Folder) -> None:
    row = folder.row("AAPL", tier="NMS Tier 1", updated="2025-12-01")
    assert doubts(folder, "finra_otc_weekly_20251201.csv", [row]) == []


def test_a_doubted_file_is_on_offer(folder: Folder) -> None:
    folder.download("T2.csv")
    source = folder.source()
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14}
    assert source.fetch(OTC_NOVEMBER_14).documents


# Places and versions ---------------------------------------------------------------------------------


def test_a_problem_has_its_place_within_the_source_s(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.put("deep/broken.csv", b"no data\n")
    monkeypatch.chdir(folder.path)
    source = open_source("file:deep", {})
    (problem,) = source.list_partitions().problems
    assert problem.place == str(path)
    assert source.info.root == f"{folder.path / 'deep'}/"


def test_a_payload_s_version_is_the_newest_date_of_all_files_and_speaks_for_no_content(folder: Folder) -> None:
    folder.download("a.csv", folder.row(), folder.row("ABCD", updated="2025-12-17"))
    firms = [folder.firm_row(), folder.firm_row("ABCD").replace("2025-12-15", "soon")]
    folder.put("b.csv", folder.document(folder.NON_ATS_HEADER, *firms))
    source = folder.source()
    version = source.fetch(OTC_NOVEMBER_14).version
    assert version is not None
    assert (version.last_update_date, version.is_comparable) == (date(2025, 12, 17), False)
    assert source.probe(OTC_NOVEMBER_14) is None


def test_without_any_date_there_is_no_version(folder: Folder) -> None:
    folder.download("week_ending=2025-11-14/tier=OTC/a.csv", folder.row(updated="never"))
    assert folder.source().fetch(OTC_NOVEMBER_14).version is None
