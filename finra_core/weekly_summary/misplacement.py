"""Whether a document's rows are another week's: a download names no week, so a file in the wrong place looks right.

Real neighboring weeks of a tier share 0.6 % of their rows. Rows are compared as they are written, without their
lastUpdateDate, and of a large document a sample is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from finra_core.weekly_summary.delimited import first_line, is_quoted, read_header
from finra_core.weekly_summary.profile import split_lines

COPIED_SHARE = 0.5
"""If this share of the rows is equal, that is no chance."""
MIN_ROWS = 20
"""Fewer rows are not judged."""
_ALL_UP_TO = 2_000
"""Up to so many rows all are compared. Of more, those whose last number ends in two certain digits."""
_ENDING = b"37"
_CENTURY = b"20"
_AFTER_DATE = (b"\n", b"\r", b'"', b"")
_LEAST_SAMPLE = 10
"""A document in which that ending is rarer is compared whole."""


@frozen
class Sketch:
    """A document's rows as numbers: within a process, equal rows have equal numbers.

    rows: how many there are. sample: the numbers of the rows that were chosen by their content, so that copies choose
    alike. all: the numbers of all rows, None where they are so many that the sample is enough.
    """

    rows: int
    sample: frozenset[int]
    all: frozenset[int] | None


@frozen
class Copy:
    """`shared` of a document's `rows` rows are in another document too; an estimate where a sample was compared."""

    rows: int
    shared: int
    is_exact: bool

    def __str__(self) -> str:
        about = "" if self.is_exact else "about "
        return f"{about}{self.shared:,} of {self.rows:,} rows"


def says_week(document: bytes) -> bool:
    """Whether a document says of each row which week it is of.

    Raises:
        SourceDataError: it is no FINRA data.
    """
    return "weekStartDate" in read_header(first_line(document)[1])[1]


def sketch(document: bytes) -> Sketch | None:
    """A document's rows; None where each row names its week.

    Raises:
        SourceDataError: it is no FINRA data.
    """
    start, header = first_line(document)
    delimiter, names = read_header(header)
    if "weekStartDate" in names:
        return None
    place = names.index("lastUpdateDate")
    # Where FINRA has it last, the rows that make the sample can be searched for.
    sample = frozenset(map(hash, _chosen(document, start, delimiter))) if place == len(names) - 1 else frozenset()
    rows = document.count(b"\n", start) + (not document.endswith(b"\n"))
    if rows > _ALL_UP_TO and len(sample) >= _LEAST_SAMPLE:
        return Sketch(rows, sample, None)
    lines = split_lines(document)[1:]
    return Sketch(len(lines), sample, frozenset(map(hash, _without_cell(lines, delimiter.encode(), place))))


def find_copy(own: Sketch, other: Sketch) -> Copy | None:
    """How much of one document is a copy of the other; None where they differ as two weeks do."""
    if own.rows < MIN_ROWS:
        return None
    if own.all is not None and other.all is not None:
        return _copy(own.rows, own.all, other.all, is_exact=True)
    if len(own.sample) < _LEAST_SAMPLE:
        return None
    return _copy(own.rows, own.sample, other.sample, is_exact=False)


def _copy(rows: int, mine: frozenset[int], theirs: frozenset[int], *, is_exact: bool) -> Copy | None:
    share = len(mine & theirs) / len(mine)
    return Copy(rows, round(share * rows), is_exact) if share >= COPIED_SHARE else None


def _chosen(document: bytes, start: int, delimiter: str) -> Iterator[bytes]:
    """The rows whose last cell before the date has the ending, up to there.

    They are searched for in the document as a whole: to look at each row would take as long as splitting it.
    """
    line_end = document.find(b"\n", start)
    first = document[start : len(document) if line_end < 0 else line_end]
    quote = b'"' if is_quoted(first.decode(), delimiter) else b""
    between = _ENDING + quote + delimiter.encode() + quote
    row_end = len(between) + len("2025-12-15")
    found = document.find(between + _CENTURY, start)
    while found >= 0:
        if document[found + row_end : found + row_end + 1] in _AFTER_DATE:  # else it is a number that begins so
            yield document[document.rfind(b"\n", 0, found) + 1 : found]
        found = document.find(between + _CENTURY, found + 1)


def _without_cell(rows: Iterable[bytes], delimiter: bytes, place: int) -> Iterator[bytes]:
    for row in rows:
        cells = row.split(delimiter)
        yield delimiter.join(cells[:place] + cells[place + 1 :])
