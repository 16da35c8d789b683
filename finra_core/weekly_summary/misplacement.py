"""Whether a document's rows are another week's: a download names no week, so a file in the wrong place looks right.

Real neighboring weeks of a tier share 0.6 % of their rows. Rows are compared as they are written, without their
lastUpdateDate, and of a large document a sample is enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import filterfalse
from operator import itemgetter

from attrs import frozen

from finra_core.weekly_summary.delimited import first_line, read_header
from finra_core.weekly_summary.profile import split_lines

COPIED_SHARE = 0.5
"""If this share of the rows is equal, that is no chance."""
MIN_ROWS = 20
"""Fewer rows are not judged."""
_ALL_UP_TO = 2_000
"""Up to so many rows all are compared. Of more, one in 16: chosen by their content, so that copies choose alike."""
_SAMPLE = 16 - 1
_DATE = len("|2025-12-15")


@frozen
class Sketch:
    """A document's rows as numbers: within a process, equal rows have equal numbers.

    rows: how many there are. sample: the numbers of all of them, or of those that were chosen.
    """

    rows: int
    sample: frozenset[int]


@frozen
class Copy:
    """`shared` of a document's `rows` rows are in another document too; an estimate where a sample was compared."""

    rows: int
    shared: int

    def __str__(self) -> str:
        about = "about " if self.rows > _ALL_UP_TO else ""
        return f"{about}{self.shared:,} of {self.rows:,} rows"


def sketch(document: bytes) -> Sketch | None:
    """A document's rows; None where each row names its week.

    Raises:
        SourceDataError: it is no FINRA data.
    """
    delimiter, names = read_header(first_line(document)[1])
    if "weekStartDate" in names:
        return None
    rows = split_lines(document)[1:]
    numbers = map(hash, _without_date(rows, delimiter.encode(), names))
    if len(rows) <= _ALL_UP_TO:
        return Sketch(len(rows), frozenset(numbers))
    return Sketch(len(rows), frozenset(filterfalse(_SAMPLE.__and__, numbers)))  # in C: a run sketches every file


def find_copy(own: Sketch, other: Sketch) -> Copy | None:
    """How much of one document is a copy of the other; None where they differ as two weeks do."""
    if own.rows < MIN_ROWS or not own.sample:
        return None
    # A document that is sampled chooses the same rows whichever other one it is compared with.
    share = len(own.sample & other.sample) / len(own.sample)
    return Copy(own.rows, round(share * own.rows)) if share >= COPIED_SHARE else None


def _without_date(rows: Iterable[bytes], delimiter: bytes, names: tuple[str, ...]) -> Iterable[bytes]:
    place = names.index("lastUpdateDate")
    if place == len(names) - 1:  # where FINRA has it
        return map(itemgetter(slice(None, -_DATE)), rows)
    return (delimiter.join(cell for i, cell in enumerate(row.split(delimiter)) if i != place) for row in rows)
