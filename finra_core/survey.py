"""What a document's rows say of themselves as a whole, at a small part of the cost of reading them."""

from __future__ import annotations

from itertools import repeat

from attrs import frozen

from finra_core.content import split_rows
from finra_core.errors import SourceDataError
from finra_core.records import ATS_RECORD, NON_ATS_RECORD
from finra_core.tables import check_lengths, first_line, is_quoted, read_header, read_tables


@frozen(eq=False)
class Survey:
    """A document's columns, not read before they are asked for.

    names: the columns. row_count: the lines after the header that are not blank. is_plain: all rows have all
    fields, without quotes.
    """

    names: tuple[str, ...]
    row_count: int
    is_plain: bool
    _content: bytes
    _rows: list[bytes]
    _delimiter: str

    def distinct(self, name: str) -> set[str]:
        """The values in a column, over the rows with all their fields; none where there is no such column."""
        if name not in self.names:
            return set()
        if not self.is_plain:
            return set().union(*(table.columns[name] for table in read_tables(self._content)))
        before, after = self.names.index(name), len(self.names) - self.names.index(name)
        delimiter = self._delimiter.encode()
        if before < after:
            cells = {row.split(delimiter, before + 1)[before] for row in self._rows}
        else:
            cells = {row.rsplit(delimiter, after)[-after] for row in self._rows}
        return {cell.decode() for cell in cells}


def survey(content: bytes) -> Survey:
    """Look over a document.

    Raises:
        SourceDataError: it is empty, has no rows, is not UTF-8 text, has a broken header or a line over MAX_LINE.
    """
    _start, header = first_line(content)
    delimiter, names = read_header(header)
    rows = split_rows(content)
    if not rows:
        raise SourceDataError("header only: the document has no rows")
    check_lengths(rows)
    # Widths are counted over all rows at once: what is right about them all need not be asked of each.
    whole = set(map(bytes.count, rows, repeat(delimiter.encode()))) == {len(names) - 1}
    is_plain = whole and not is_quoted(rows[0].decode(), delimiter)
    return Survey(names, len(rows), is_plain, content, rows, delimiter)


def distinct_summary_types(surveyed: Survey) -> set[str]:
    """The summaryTypeCodes of a document's rows, as `summary_types` tells them."""
    if "summaryTypeCode" in surveyed.names:
        return surveyed.distinct("summaryTypeCode")
    if "firmCRDNumber" not in surveyed.names:
        return {ATS_RECORD}
    mpids = surveyed.distinct("MPID") if "MPID" in surveyed.names else {""}
    return {ATS_RECORD if mpid else NON_ATS_RECORD for mpid in mpids}
