"""Reading FINRA's delimited text into columns.

Downloads and the API's CSV have one form: a header line with FINRA's field names, then one line for each row, and no
trailer. Whole columns are worked on. Single rows are looked at only if a check of a whole column has failed.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import compress

from attrs import frozen

from finra_core.domain.errors import SourceDataError

DELIMITERS = ("|", ",", "\t", "\x01")
MAX_LINE = 1_000_000
"""Characters in a line. FINRA's longest has under 400: a file with a longer line than this is no data file."""

BATCH_BYTES = 32 * 1024
"""Some 300 rows: their cells fit into a processor's cache, and the next batch reuses the memory."""

FIELDS = frozenset(
    {
        "weekStartDate", "tierIdentifier", "tierDescription", "summaryTypeCode", "issueSymbolIdentifier",
        "issueName", "marketParticipantName", "MPID", "firmCRDNumber", "productTypeCode",
        "totalWeeklyShareQuantity", "totalWeeklyTradeCount", "totalNotionalSum", "lastUpdateDate",
        "lastReportedDate", "initialPublishedDate", "summaryStartDate",
    }
)  # fmt: skip
REQUIRED = ("issueSymbolIdentifier", "totalWeeklyShareQuantity", "totalWeeklyTradeCount", "lastUpdateDate")


@frozen
class Reject:
    """A row that could not be used: its document, its line (line 1 is the header), why, and the row itself."""

    document: int
    line: int
    reason: str
    text: str


@frozen(eq=False)
class Table:
    """One document as columns by FINRA's field name; `lines[i]` is the line number of row i."""

    columns: dict[str, list[str]]
    lines: Sequence[int]
    rejects: list[Reject]
    _split: Callable[[], Sequence[str]]

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self) -> Sequence[str]:
        """The rows as they stand in the document. They are hardly ever needed, and are split off when asked for."""
        return self._split()

    def values(self, name: str) -> list[str]:
        """The column, or as many empty values where the document does not have it."""
        found = self.columns.get(name)
        return [""] * len(self) if found is None else found

    def distinct(self, name: str) -> set[str]:
        """The values in the column, none where the document does not have it."""
        return set(self.columns.get(name, ()))

    def only(self, keep: Sequence[bool]) -> Table:
        """The rows whose flag is set, in order."""
        columns = {name: list(compress(column, keep)) for name, column in self.columns.items()}
        lines = list(compress(self.lines, keep))
        return Table(columns, lines, self.rejects, lambda: list(compress(self.texts(), keep)))


def read_header(line: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the field names of a header line.

    Raises:
        SourceDataError: it is no header of FINRA's weekly data.
    """
    delimiter = max(DELIMITERS, key=line.count)
    names = tuple(name.strip('"') for name in line.split(delimiter))
    missing = [name for name in REQUIRED if name not in names]
    if "MPID" not in names and "firmCRDNumber" not in names:
        missing.append("MPID or firmCRDNumber")
    if missing:
        raise SourceDataError(f"broken header: no column {', '.join(missing)} in {line[:120]!r}")
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise SourceDataError(f"broken header: column {min(repeated)} stands twice")
    return delimiter, names


def read_table(content: bytes, document: int = 0) -> Table:
    """One document's rows as columns, all at once. Rows with too few or too many fields become rejects.

    Raises:
        SourceDataError: it is empty, has no rows, is not UTF-8 text, has a broken header or a line over MAX_LINE.
    """
    (table,) = read_tables(content, document, batch_bytes=len(content))
    return table


def read_tables(content: bytes, document: int = 0, batch_bytes: int = BATCH_BYTES) -> Iterator[Table]:
    """One document's rows in batches, in order. Together they are what `read_table` gives.

    Raises:
        SourceDataError: as `read_table`, from the batch in which it is found.
    """
    start, first = first_line(content)
    delimiter, names = read_header(first)
    if _is_blank(content, start):
        raise SourceDataError("header only: the document has no rows")
    quoted: bool | None = None
    line = 2
    while start < len(content):
        end = content.find(b"\n", start + batch_bytes) + 1 or len(content)
        text = _text(content, start, end)
        if quoted is None:
            quoted = is_quoted(text.lstrip("\n").partition("\n")[0], delimiter)
        yield _as_table(text, line, delimiter, names, document, quoted=quoted)
        line += text.count("\n") + 1
        start = end


def read_lines(content: bytes) -> list[str]:
    """A document's lines without their ends; line n is element n - 1.

    Raises:
        SourceDataError: as `read_table`.
    """
    return _text(content.removeprefix(codecs.BOM_UTF8), 0, len(content)).split("\n")


def first_line(content: bytes) -> tuple[int, str]:
    """The offset of a document's second line, and the first line without its end.

    Raises:
        SourceDataError: it is empty, or not UTF-8 text.
    """
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    check_text(content)
    if _is_blank(content, start):
        raise SourceDataError("the document is empty")
    end = content.find(b"\n") + 1 or len(content)
    return end, _text(content, start, end).partition("\n")[0]


def _as_table(text: str, line: int, delimiter: str, names: tuple[str, ...], document: int, *, quoted: bool) -> Table:
    columns = None if quoted else _plain_columns(text, delimiter, len(names))
    if columns is None:
        return _row_by_row(text.split("\n"), line, delimiter, names, document, quoted=quoted)
    lines = range(line, line + len(columns[0]))
    return Table(dict(zip(names, columns, strict=True)), lines, [], partial(text.split, "\n"))


def _is_blank(content: bytes, start: int) -> bool:
    # All of it is copied only if its beginning is blank.
    return not content[start : start + BATCH_BYTES].strip() and not content[start:].strip()


def _text(content: bytes, start: int, end: int) -> str:
    """A part of a document, with LF between its lines and none at its end. The part ends where a line ends."""
    text = content[start:end].decode()
    if "\r" in text:  # finding one character is a hundred times as fast as finding two
        text = text.replace("\r\n", "\n")
    text = text.removesuffix("\n")
    if end - start > MAX_LINE:
        check_lengths(text.split("\n"))
    return text


def check_text(content: bytes) -> None:
    """Check that a document is text.

    Raises:
        SourceDataError: it is not.
    """
    if not content.isascii():
        try:
            content.decode()
        except UnicodeDecodeError as error:
            found = error.object[error.start]
            raise SourceDataError(f"not UTF-8: byte {found:#04x} at offset {error.start}") from None
    if b"\0" in content:
        raise SourceDataError("a NUL character: this is no FINRA data file")


def check_lengths(lines: Iterable[str | bytes]) -> None:
    """Check that no line is over MAX_LINE.

    Raises:
        SourceDataError: one is.
    """
    longest = max(map(len, lines))
    if longest > MAX_LINE:
        raise SourceDataError(f"a line of {longest:,} characters: this is no FINRA data file")


def is_quoted(first_row: str, delimiter: str) -> bool:
    """Whether values are quoted; FINRA quotes all values that are not empty, or none."""
    cells = [cell for cell in first_row.split(delimiter) if cell]
    return bool(cells) and cells[0].startswith('"')


def _plain_columns(text: str, delimiter: str, width: int) -> list[list[str]] | None:
    """All columns of a text whose rows all have `width` fields; None if one does not.

    The text is split at its delimiters alone. So the last cell of a row and the first of the next come as one, with a
    line end between them. If each of these has one line end, and the text has no others, then every row is whole.
    """
    cells = text.split(delimiter)
    step = width - 1
    joints = cells[step:-1:step]
    if step < 1 or len(cells) != (text.count("\n") + 1) * step + 1:
        return None
    ends = {joint: joint.partition("\n") for joint in set(joints)}
    if any(not between or "\n" in after for _before, between, after in ends.values()):
        return None
    lasts = {joint: before for joint, (before, _between, _after) in ends.items()}
    firsts = {joint: after for joint, (_before, _between, after) in ends.items()}
    return [
        [cells[0], *map(firsts.__getitem__, joints)],
        *(cells[i::step] for i in range(1, step)),
        [*map(lasts.__getitem__, joints), cells[-1]],
    ]


def _row_by_row(
    rows: list[str], line: int, delimiter: str, names: tuple[str, ...], document: int, *, quoted: bool
) -> Table:
    kept: list[list[str]] = []
    lines: list[int] = []
    texts: list[str] = []  # of the rows that are kept
    rejects: list[Reject] = []
    for number, row in enumerate(rows, start=line):
        if not row:
            continue
        cells = _cells(row, delimiter, len(names), quoted)
        if len(cells) == len(names):
            kept.append(cells)
            lines.append(number)
            texts.append(row)
        else:
            reason = f"{len(cells)} fields where the header has {len(names)}" if cells else "its quotes do not match"
            rejects.append(Reject(document, number, reason, row))
    columns = [list(column) for column in zip(*kept, strict=True)] or [[] for _ in names]
    return Table(dict(zip(names, columns, strict=True)), lines, rejects, lambda: texts)


def _cells(row: str, delimiter: str, width: int, quoted: bool) -> list[str]:
    """The row's fields; none if its quotes do not match.

    FINRA quotes every value or none. Tools that save a file again quote only values that hold a delimiter.
    """
    cells = row.split(delimiter)
    if not quoted and (len(cells) == width or '"' not in row):
        return cells
    try:
        return next(csv.reader([row], delimiter=delimiter, strict=True))
    except csv.Error:
        return []
