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
"""From this share on, equal rows are no chance."""
MIN_ROWS = 20
"""Fewer rows are not judged."""
_ALL_UP_TO = 2_000
"""Rows of which all are compared; of more about one in 16, chosen by what they say, so that copies choose alike."""
_SAMPLE = 16 - 1
_DATE = len("|2025-12-15")


@frozen
class Sketch:
    """A document's rows as numbers: equal rows have equal ones, within a process. rows: how many it has.

    sample: the numbers of all rows, or of those that were chosen.
    """

    rows: int
    sample: frozenset[int]


@frozen
class Copy:
    """`shared` of a document's `rows` rows are another's too; about so many, where a sample was compared."""

    rows: int
    shared: int

    def __str__(self) -> str:
        about = "about " if self.rows > _ALL_UP_TO else ""
        return f"{about}{self.shared:,} of {self.rows:,} rows"


def sketch(document: bytes) -> Sketch | None:
    """A document's rows; None where it says of each row which week it is of.

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
    """What of one document's rows is the other's; None where the two differ as weeks do."""
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
