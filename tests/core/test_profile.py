"""A profile says of a document, without reading it, what reading it would say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.errors import SourceDataError
from finra_core.weekly_summary.delimited import read_table
from finra_core.weekly_summary.profile import distinct_summary_types, profile

NAMES = ("tierIdentifier", "issueSymbolIdentifier", "issueName", "MPID", "firmCRDNumber",
         "totalWeeklyShareQuantity", "totalWeeklyTradeCount", "lastUpdateDate")  # fmt: skip
HEADER = "|".join(NAMES)
CELLS = st.sampled_from(["", "A", "B", "é", "2025-12-15", 'say "it"'])


def written(cells: list[str], *, quoted: bool) -> str:
    return "|".join('"' + cell.replace('"', '""') + '"' if quoted and cell else cell for cell in cells)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    quoted = draw(st.booleans())
    widths = st.just(len(NAMES)) if draw(st.booleans()) else st.integers(1, len(NAMES) + 1)
    rows = [
        written(draw(st.lists(CELLS, min_size=n, max_size=n)), quoted=quoted)
        for n in draw(st.lists(widths, min_size=1, max_size=8))
    ]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    start = draw(st.sampled_from(["", "\ufeff"]))
    return (start + end.join([HEADER, *rows, ""])).encode()


@given(documents())
def test_the_values_of_every_column_are_those_of_the_rows_with_all_their_fields(content: bytes) -> None:
    try:
        table = read_table(content)
    except SourceDataError as error:
        with pytest.raises(SourceDataError, match=error.message.split(":")[0]):
            profile(content)
        return
    profiled = profile(content)
    assert profiled.row_count == len(table) + len(table.rejects)
    assert {name: profiled.distinct(name) for name in NAMES} == {name: set(table.columns[name]) for name in NAMES}
    assert profiled.distinct("weekStartDate") == set()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (HEADER.encode(), "header only"),
        (HEADER.encode() + b"\n\n\r\n", "header only"),
        (HEADER.encode() + b"\nA|\xff\n", "not UTF-8: byte 0xff"),
        (HEADER.encode() + b"\nA|\0\n", "NUL"),
        (b"<html>\n<body>\n", "broken header"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(SourceDataError, match=problem):
        profile(content)


def test_blank_lines_are_no_rows() -> None:
    profiled = profile(f"{HEADER}\n\nO|A|N|M||1|2|3\n\r\n".encode())
    assert (profiled.row_count, profiled.distinct("MPID")) == (1, {"M"})


def download(names: str, *rows: str) -> bytes:
    tail = "issueSymbolIdentifier|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"
    return "\n".join([f"{names}|{tail}", *(f"{row}|A|1|1|2025-12-15" for row in rows)]).encode()


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (download("MPID", "UBSA"), {"ATS_W_SMBL_FIRM"}),
        (download("firmCRDNumber", "7"), {"OTC_W_SMBL_FIRM"}),
        (download("MPID|firmCRDNumber", "UBSA|", "|7"), {"ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"}),
        (download("summaryTypeCode|MPID", "ATS_W_SMBL|", "ATS_W_SMBL_FIRM|UBSA"), {"ATS_W_SMBL", "ATS_W_SMBL_FIRM"}),
    ],
)
def test_a_documents_summary_types(content: bytes, kinds: set[str]) -> None:
    assert distinct_summary_types(profile(content)) == kinds
