"""What a document says of itself as a whole, at a small part of the cost of reading its rows."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Sequence
from itertools import repeat
from operator import itemgetter

from attrs import Factory, frozen

from finra_core.domain.errors import SourceDataError
from finra_core.weekly_summary.delimited import check_lengths, first_line, is_quoted, read_header, read_tables
from finra_core.weekly_summary.summary_types import ATS_RECORD, NON_ATS_RECORD

_HASHED_AT_ONCE = 1_000


@frozen(eq=False)
class Profile:
    """A document, of which a column is read only when it is asked for.

    names: the columns. row_count: the lines after the header that are not blank. is_plain: whether all rows have all
    fields, without quotes.
    """

    names: tuple[str, ...]
    row_count: int
    is_plain: bool
    _content: bytes
    _lines: list[bytes]
    _delimiter: str
    _seen: dict[str, set[str]] = Factory(dict)

    def distinct(self, name: str) -> set[str]:
        """The distinct values of a column, over rows that have all fields; none where there is no such column."""
        if name not in self.names:
            return set()
        if name not in self._seen:  # a source asks, and the core asks again
            self._seen[name] = self._distinct(name)
        return self._seen[name]

    def _distinct(self, name: str) -> set[str]:
        if not self.is_plain:
            return set().union(*(table.columns[name] for table in read_tables(self._content)))
        delimiter, rows = self._delimiter.encode(), self._lines[1:]
        before = self.names.index(name)
        after = len(self.names) - before
        if before == 0:
            cells = _first_cells(rows, delimiter)
        elif after == 1:
            cells = _last_cells(rows, delimiter)
        elif before < after:
            cells = {row.split(delimiter, before + 1)[before] for row in rows}
        else:
            cells = {row.rsplit(delimiter, after)[-after] for row in rows}
        return {cell.decode() for cell in cells}

    def canonical_hash(self) -> str:
        """The hash of the document in canonical order, as `hash_lines` makes it."""
        return hash_lines(self._lines)


# Tiers and dates are as long in every row, where cutting so much off takes half the time of looking for a delimiter.


def _first_cells(rows: Sequence[bytes], delimiter: bytes) -> set[bytes]:
    width = rows[0].index(delimiter)
    heads = set(map(itemgetter(slice(width + 1)), rows))
    if all(head.find(delimiter) == width for head in heads):
        return {head[:-1] for head in heads}
    return {row.split(delimiter, 1)[0] for row in rows}


def _last_cells(rows: Sequence[bytes], delimiter: bytes) -> set[bytes]:
    width = len(rows[0]) - rows[0].rindex(delimiter)
    tails = set(map(itemgetter(slice(-width, None)), rows))
    if all(tail.rfind(delimiter) == 0 for tail in tails):
        return {tail[1:] for tail in tails}
    return {row.rsplit(delimiter, 1)[1] for row in rows}


def profile(content: bytes) -> Profile:
    """Look over a document.

    Raises:
        SourceDataError: it is empty, has no rows, is not UTF-8 text, has a broken header or a line over MAX_LINE.
    """
    _start, header = first_line(content)
    delimiter, names = read_header(header)
    lines = split_lines(content)
    if len(lines) == 1:
        raise SourceDataError("header only: the document has no rows")
    check_lengths(lines)
    # All rows are counted at once: what is true of all of them need not be asked of each.
    whole = set(map(bytes.count, lines, repeat(delimiter.encode()))) == {len(names) - 1}
    is_plain = whole and not is_quoted(lines[1].decode(), delimiter)
    return Profile(names, len(lines) - 1, is_plain, content, lines, delimiter)


def distinct_summary_types(profiled: Profile) -> set[str]:
    """The distinct summaryTypeCodes of a document's rows, by the rules of `summary_types`."""
    if "summaryTypeCode" in profiled.names:
        return profiled.distinct("summaryTypeCode")
    if "firmCRDNumber" not in profiled.names:
        return {ATS_RECORD}
    mpids = profiled.distinct("MPID") if "MPID" in profiled.names else {""}
    return {ATS_RECORD if mpid else NON_ATS_RECORD for mpid in mpids}


def split_lines(document: bytes) -> list[bytes]:
    """A document's lines without their ends: the header and the rows. Blank lines are left out."""
    document = document.removeprefix(codecs.BOM_UTF8)
    if b"\r" in document:
        document = document.replace(b"\r\n", b"\n")
    lines = document.removesuffix(b"\n").split(b"\n")
    return list(filter(None, lines)) if b"" in lines else lines


def hash_lines(lines: list[bytes]) -> str:
    """SHA-256, 64 hex digits, of a document in canonical order.

    That is the header line and then the other lines sorted bytewise, each ended by one LF.
    """
    ordered = [*lines[:1], *sorted(lines[1:])]
    digest = hashlib.sha256()
    for start in range(0, len(ordered), _HASHED_AT_ONCE):
        digest.update(b"\n".join(ordered[start : start + _HASHED_AT_ONCE]) + b"\n")
    return digest.hexdigest()
