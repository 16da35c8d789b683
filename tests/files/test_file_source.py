"""Opening a source by URL, and that how a file is laid out makes no difference to its records."""

from __future__ import annotations

import csv
import io
import pickle
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import ConfigurationError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports.source import Source, SourceKind, Usage
from finra_core.weekly_summary.parsing import parse_content
from finra_files import open_source

if TYPE_CHECKING:
    from files.conftest import Folder

OTC_NOVEMBER_14 = Partition(date(2025, 11, 14), Tier.OTC)


@pytest.mark.parametrize("prefix", ["file:", "file://", "file://localhost"])
def test_a_folder_is_opened_by_its_url(folder: Folder, prefix: str) -> None:
    folder.download("a.csv")
    source: Source = open_source(f"{prefix}{folder.path}", {})
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14}
    source.close()


def test_a_relative_folder_is_opened_from_where_the_process_is(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.download("data/a.csv")
    monkeypatch.chdir(folder.path)
    source = open_source("file:data", {})
    assert source.fetch(OTC_NOVEMBER_14).source_url == (folder.path / "data" / "a.csv").as_uri()


def test_percent_signs_in_a_url_are_decoded(folder: Folder) -> None:
    folder.download("a folder, 100% ours/a.csv")
    source = open_source(f"file:{quote(str(folder.path))}/a%20folder%2C%20100%25%20ours", {})
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14}


def test_one_file_is_a_source_whatever_its_name(folder: Folder) -> None:
    path = folder.download("otc.dat")
    folder.download("other.csv", folder.row(updated="2025-12-22"))
    assert open_source(path.as_uri(), {}).list_partitions().partitions == {OTC_NOVEMBER_14}


@pytest.mark.parametrize("url", ["file:", "file://", "file://server/share", "file:/no/such/folder", "file:a%00b"])
def test_a_url_that_leads_nowhere_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_source(url, {})
    assert "\n" not in caught.value.message


def test_the_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"cannot read {tmp_path}/gone .No such file or directory."):
        open_source(f"file:{tmp_path}/gone", {})


def test_a_tilde_is_a_name_like_any_other(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    monkeypatch.setenv("HOME", str(folder.path))
    with pytest.raises(ConfigurationError, match="cannot read ~"):
        open_source("file:~", {})


def test_a_folder_gone_since_it_was_opened_is_unavailable_as_a_whole(folder: Folder) -> None:
    inner = folder.path / "inner"
    inner.mkdir()
    source = open_source(f"file:{inner}", {})
    inner.rmdir()
    with pytest.raises(SourceUnavailableError, match="cannot be read"):
        source.list_partitions()


def test_a_new_listing_shows_what_has_come(folder: Folder) -> None:
    source = folder.source()
    assert source.list_partitions().partitions == frozenset()
    content = folder.download("a.csv").read_bytes()
    assert source.list_partitions().partitions == {OTC_NOVEMBER_14}
    assert source.fetch(OTC_NOVEMBER_14).documents == (content,)


def test_files_are_an_archive_that_costs_nothing_and_cannot_be_probed(folder: Folder) -> None:
    folder.download("a.csv")
    source = folder.source()
    assert (source.info.label, source.info.kind) == ("files", SourceKind.ARCHIVE)
    assert source.probe(OTC_NOVEMBER_14) is None
    assert source.restated_since(date(2000, 1, 1), date(2030, 1, 4)) is None
    assert source.fetch(OTC_NOVEMBER_14).version == SourceVersion(date(2025, 12, 15), None)
    assert source.estimate(None) == source.usage() == Usage()


def test_a_fetch_takes_files_that_came_after_the_listing(folder: Folder) -> None:
    folder.download("a.csv")
    source = folder.source()
    source.list_partitions()
    folder.put("b.csv", folder.document(folder.NON_ATS_HEADER, folder.firm_row()))
    assert len(source.fetch(OTC_NOVEMBER_14).documents) == 2


def test_a_fetch_takes_a_file_that_now_holds_the_partition(folder: Folder) -> None:
    path = folder.download("a.csv", folder.row(updated="2025-12-22"))
    source = folder.source()
    assert source.list_partitions().partitions == {Partition(date(2025, 11, 21), Tier.OTC)}
    content = path.read_bytes().replace(b"2025-12-22", b"2025-12-15")
    path.write_bytes(content)
    assert source.fetch(OTC_NOVEMBER_14).documents == (content,)


def test_a_reopened_source_is_equal_and_told_apart_by_its_instance(folder: Folder) -> None:
    folder.download("a.csv")
    with folder.source() as source:
        again = source.reopener(same_machine=True, processes=2)
        with pickle.loads(pickle.dumps(again))() as other:
            assert other.fetch(OTC_NOVEMBER_14) == source.fetch(OTC_NOVEMBER_14)
            assert other.info.instance != source.info.instance


Row = dict[str, str]
ATS_COLUMNS = ("tierDescription", "issueSymbolIdentifier", "issueName", "marketParticipantName", "MPID")
FIRM_COLUMNS = (*ATS_COLUMNS[:-1], "firmCRDNumber")
VALUE_COLUMNS = ("totalWeeklyShareQuantity", "totalWeeklyTradeCount", "lastUpdateDate")
Layout = tuple[str, Literal[0, 1, 2, 3]]
LAYOUTS: list[Layout] = [(",", csv.QUOTE_ALL), (",", csv.QUOTE_MINIMAL), ("|", csv.QUOTE_NONE), ("\t", csv.QUOTE_NONE)]
names = st.text("AZaz0 .,&'$-é", min_size=1, max_size=12)
rows_of_a_venue = st.fixed_dictionaries(
    {
        "issueSymbolIdentifier": st.text("ABab.$", max_size=4),
        "issueName": names,
        "id": st.sampled_from(["1", "22", "333"]),
        "totalWeeklyShareQuantity": st.decimals(0, 10**9, places=6).map(str),
        "totalWeeklyTradeCount": st.integers(1, 10**6).map(str),
        "lastUpdateDate": st.sampled_from(["2025-12-15", "2025-12-17"]),
    }
)
many_rows = st.lists(
    rows_of_a_venue, min_size=1, max_size=12, unique_by=lambda r: (r["issueSymbolIdentifier"], r["issueName"], r["id"])
)


def completed(row: Row, identifier: str) -> Row:
    return row | {"tierDescription": "OTC", "marketParticipantName": f"V{row['id']}", identifier: row["id"]}


def records(row: Row, kind: str, mpid: str, crd: str) -> tuple[object, ...]:
    """A record as the port of records defines it, made from the row by other means."""
    whole, _, fraction = row["totalWeeklyShareQuantity"].partition(".")
    security = (row["issueSymbolIdentifier"], row["issueName"], "")
    micros = int(whole + fraction.ljust(6, "0"))
    venue = (kind, mpid, crd, f"V{row['id']}")
    return (security, venue, micros, int(row["totalWeeklyTradeCount"]), row["lastUpdateDate"])


@settings(max_examples=60, deadline=None)
@given(ats=many_rows, firms=many_rows, data=st.data())
def test_delimiters_quotes_and_the_order_of_rows_columns_and_files_make_no_difference(
    ats: list[Row], firms: list[Row], data: st.DataObject
) -> None:
    expected = Counter(records(row, "ATS", row["id"], "") for row in ats)
    expected.update(records(row, "NON_ATS", "", row["id"]) for row in firms)
    file_names = data.draw(st.permutations(["a.csv", "b.txt"]))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "tier=OTC", "week_ending=2025-11-14")
        place.mkdir(parents=True)
        for file_name, columns, rows in zip(file_names, (ATS_COLUMNS, FIRM_COLUMNS), (ats, firms), strict=True):
            delimiter, quoting = data.draw(st.sampled_from(LAYOUTS))
            file = io.StringIO()
            order = data.draw(st.permutations(columns + VALUE_COLUMNS))
            end = data.draw(st.sampled_from(["\n", "\r\n"]))
            writer = csv.DictWriter(
                file,
                order,
                extrasaction="ignore",
                delimiter=delimiter,
                quoting=quoting,
                quotechar='"',
                lineterminator=end,
            )
            writer.writeheader()
            writer.writerows(completed(row, columns[-1]) for row in data.draw(st.permutations(rows)))
            (place / file_name).write_bytes(file.getvalue().encode())
        source = open_source(f"file:{name}", {})
        parsed = parse_content(source.fetch(OTC_NOVEMBER_14).documents, OTC_NOVEMBER_14)
    assert parsed.rejects == ()
    assert Counter(parsed.records.rows()) == expected


@settings(max_examples=40, deadline=None)
@given(rows=many_rows, layout=st.sampled_from(LAYOUTS), data=st.data())
def test_the_week_of_a_download_is_found_in_any_layout(rows: list[Row], layout: Layout, data: st.DataObject) -> None:
    rows[0]["lastUpdateDate"] = "2025-12-15"
    file = io.StringIO()
    order = data.draw(st.permutations(ATS_COLUMNS + VALUE_COLUMNS))
    writer = csv.DictWriter(
        file, order, extrasaction="ignore", delimiter=layout[0], quoting=layout[1], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(completed(row, "MPID") for row in data.draw(st.permutations(rows)))
    with tempfile.TemporaryDirectory() as name:
        Path(name, "a.csv").write_bytes(file.getvalue().encode())
        listing = open_source(f"file:{name}", {}).list_partitions()
    assert listing.partitions == {OTC_NOVEMBER_14}
    assert listing.problems == ()
