"""The dates by which a download is placed are those of the rows that a reading of it keeps."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core.domain.errors import SourceDataError
from finra_core.weekly_summary.delimited import read_table
from finra_files.identity import scan_update_dates

DATE_LAST = ("issueSymbolIdentifier", "MPID", "totalWeeklyShareQuantity", "totalWeeklyTradeCount", "lastUpdateDate")
DATE_FIRST = (*DATE_LAST[-1:], *DATE_LAST[:-1])

dates = st.sampled_from(["2025-12-01", "2025-12-08", "2026-01-05"])
other_cells = st.sampled_from(["", "AABB", "17", "12/01/2025", "2025-12-011", "é"])
cells = st.one_of(dates, other_cells)


@st.composite
def rows(draw: st.DrawFn, header: tuple[str, ...]) -> list[str]:
    whole = [draw(dates) if name == "lastUpdateDate" else draw(other_cells) for name in header]
    return draw(st.one_of(st.just(whole), st.lists(cells, max_size=7)))


@given(st.data(), st.sampled_from([DATE_LAST, DATE_FIRST]), st.sampled_from("|,\t"), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=200)
def test_a_row_counts_when_it_has_all_its_fields(
    data: st.DataObject, header: tuple[str, ...], delimiter: str, end: str
) -> None:
    lines = [delimiter.join(row) for row in [header, *data.draw(st.lists(rows(header), min_size=1, max_size=8))]]
    content = (end.join(lines) + data.draw(st.sampled_from(["", end]))).encode()

    try:
        kept = read_table(content).values("lastUpdateDate")
    except SourceDataError:  # only blank lines after the header
        kept = []

    assert scan_update_dates(content) == {text for text in kept if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text)}
