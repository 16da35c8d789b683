"""FINRA's delimited text as columns: whole rows as they are written, other rows set aside with their reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.errors import SourceDataError
from finra_core.weekly_summary.delimited import DELIMITERS, MAX_LINE, REQUIRED, read_header, read_table, read_tables

NAMES = (
    "issueSymbolIdentifier",
    "issueName",
    "MPID",
    "totalWeeklyShareQuantity",
    "totalWeeklyTradeCount",
    "lastUpdateDate",
)
HEADER = "|".join(NAMES)
GOOD = "AABB|Asia Broadband|OTCN|6753871|171|2025-12-15"


def content(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_header_tells_its_delimiter_and_its_names(delimiter: str, quote: str) -> None:
    header = delimiter.join(f"{quote}{name}{quote}" for name in NAMES)
    assert read_header(header) == (delimiter, NAMES)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_header_without_a_column_that_every_record_needs_is_broken(name: str) -> None:
    with pytest.raises(SourceDataError, match=f"broken header: no column {name}"):
        read_header(HEADER.replace(name, "unknown"))


def test_a_header_without_any_venue_is_broken() -> None:
    with pytest.raises(SourceDataError, match="no column MPID or firmCRDNumber"):
        read_header(HEADER.replace("MPID", "venue"))


def test_a_crd_number_is_a_venue_as_good_as_an_mpid() -> None:
    assert "firmCRDNumber" in read_header(HEADER.replace("MPID", "firmCRDNumber"))[1]


def test_a_repeated_column_is_a_broken_header() -> None:
    with pytest.raises(SourceDataError, match="column MPID stands twice"):
        read_header(HEADER + "|MPID")


def test_names_are_compared_exactly() -> None:
    with pytest.raises(SourceDataError, match="no column lastUpdateDate"):
        read_header(HEADER.replace("lastUpdateDate", "lastupdatedate"))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"", "the document is empty"),
        (b"\n\n", "the document is empty"),
        (b"\xef\xbb\xbf", "the document is empty"),
        (content(), "header only"),
        (b"\n" + content(GOOD), "broken header"),
        (content(GOOD) + b"\xff\n", "not UTF-8: byte 0xff at offset"),
        (HEADER.encode("utf-16"), "not UTF-8: byte 0xff at offset 0"),
        (content(GOOD, "A\0"), "a NUL character"),
        (content(GOOD, "x" * (MAX_LINE + 1)), "a line of 1,000,001 characters"),
        (b"<html><body>Service Unavailable</body></html>", "broken header"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(document: bytes, problem: str) -> None:
    with pytest.raises(SourceDataError, match=problem):
        read_table(document)


def test_a_table_is_its_columns_with_the_lines_they_stood_on() -> None:
    table = read_table(content(GOOD, "|||1|2|"))
    assert tuple(table.columns) == NAMES
    assert table.columns["issueSymbolIdentifier"] == ["AABB", ""]
    assert table.columns["totalWeeklyTradeCount"] == ["171", "2"]
    assert (len(table), list(table.lines), table.rejects) == (2, [2, 3], [])


def test_a_column_that_is_not_there_is_empty_in_every_row() -> None:
    assert read_table(content(GOOD, GOOD)).values("productTypeCode") == ["", ""]


@pytest.mark.parametrize("row", ["AABB|Asia", GOOD + "|more", "x", GOOD.replace("Asia ", "Asia|")])
def test_a_row_of_another_width_is_set_aside_and_the_others_keep_their_lines(row: str) -> None:
    table = read_table(content(GOOD, row, "", GOOD), document=3)
    assert list(table.lines) == [2, 5]
    (reject,) = table.rejects
    assert (reject.document, reject.line, reject.text) == (3, 3, row)
    assert reject.reason == f"{row.count('|') + 1} fields where the header has 6"


@pytest.mark.parametrize("document", [content(GOOD), content(GOOD).rstrip(), content(GOOD).replace(b"\n", b"\r\n")])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_are_not_in_the_values(document: bytes, start: bytes) -> None:
    table = read_table(start + document)
    assert {name: values[0] for name, values in table.columns.items()} == dict(zip(NAMES, GOOD.split("|"), strict=True))


QUOTED = '"AABB","Asia, ""The"" Inc","OTCN","6753871","171","2025-12-15"'
COMMAS = ",".join(NAMES)


def test_quoted_values_may_hold_delimiters_and_quotes() -> None:
    table = read_table(content(QUOTED, header=COMMAS))
    assert table.columns["issueName"] == ['Asia, "The" Inc']
    assert table.rejects == []


def test_only_the_values_that_need_it_may_be_quoted() -> None:
    table = read_table(
        content("ABCD,Abc Inc,OTCX,1,1,2025-12-15", 'AABB,"Asia, Inc",OTCN,2,2,2025-12-15', header=COMMAS)
    )
    assert table.columns["issueName"] == ["Abc Inc", "Asia, Inc"]
    assert table.rejects == []


def test_a_quoted_row_cut_off_within_a_value_is_set_aside() -> None:
    table = read_table(content(QUOTED, '"AABB","Asia, In', header=COMMAS))
    assert len(table) == 1
    assert [(r.line, r.reason) for r in table.rejects] == [(3, "its quotes do not match")]


@pytest.mark.parametrize("others", [[], ["a short row"]])
@pytest.mark.parametrize("name", ['"Asia" Broadband "Inc', 'Asia "Broadband"', '"Asia"'])
def test_quotes_in_unquoted_text_are_text(name: str, others: list[str]) -> None:
    table = read_table(content(f"AABB|{name}|OTCN|1|1|2025-12-15", *others))
    assert table.columns["issueName"] == [name]


def test_an_unquoted_comma_in_a_name_sets_the_row_aside() -> None:
    table = read_table(content("AABB,Asia, Inc,OTCN,1,1,2025-12-15", header=COMMAS))
    assert (len(table), len(table.rejects)) == (0, 1)


def test_some_rows_of_a_table_keep_their_lines() -> None:
    table = read_table(content(GOOD, GOOD.replace("AABB", "ABCD"), GOOD)).only([False, True, False])
    assert (table.columns["issueSymbolIdentifier"], list(table.lines)) == (["ABCD"], [3])


@given(st.lists(st.text('A1|",\t \ré\u2028', max_size=14), max_size=12), st.booleans())
def test_every_line_that_is_not_blank_is_a_row_or_a_reject(rows: list[str], quoted: bool) -> None:
    first = "|".join(f'"{value}"' for value in GOOD.split("|")) if quoted else GOOD
    document = content(first, *rows)
    table = read_table(document)
    lines = document.decode().replace("\r\n", "\n").split("\n")
    expected = {number for number, line in enumerate(lines, start=1) if line and number > 1}
    assert sorted([*table.lines, *(reject.line for reject in table.rejects)]) == sorted(expected)


@given(
    st.lists(st.sampled_from([GOOD, "A|B", "", "|||1|2|", "Ä" * 30 + "|||1|2|"]), max_size=12),
    st.integers(0, 200),
    st.sampled_from(["\n", "\r\n"]),
)
def test_batches_of_any_size_make_the_whole_table(rows: list[str], batch_bytes: int, end: str) -> None:
    document = end.join([HEADER, GOOD, *rows, ""]).encode()
    whole, batches = read_table(document, 4), list(read_tables(document, 4, batch_bytes=batch_bytes))
    assert [line for batch in batches for line in batch.lines] == list(whole.lines)
    assert [text for batch in batches for text in batch.texts()] == list(whole.texts())
    assert [reject for batch in batches for reject in batch.rejects] == whole.rejects
    for name, column in whole.columns.items():
        assert [value for batch in batches for value in batch.columns[name]] == column


def test_a_document_is_read_in_batches_of_some_hundred_rows() -> None:
    sizes = [len(table) for table in read_tables(content(*[GOOD] * 5_000))]
    assert max(sizes) < 1_000 < sum(sizes) == 5_000
