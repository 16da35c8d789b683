"""What the commands print on standard output: a page for people, or one JSON document for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import Factory, define, frozen

from finra_cli.streams import deliver, printable

SCHEMA_VERSION = 1
"""Of the documents: grows when a field changes its meaning or goes. docs/schemas has their JSON Schemas."""


class Tone(str, Enum):
    """How a terminal shows a text, in rich's words."""

    PLAIN = ""
    HEADING = "bold"
    GOOD = "green"
    WAITING = "yellow"
    BAD = "red"
    ASIDE = "dim"


@frozen
class Toned:
    """A text and its tone."""

    text: str
    tone: Tone = Tone.PLAIN


Cell = Toned | str | int | bool | None
"""What stands in a table: None is shown as -, a number with its thousands separated."""


@frozen
class Table:
    """Rows under the names of their columns. The last column is the one that may be wide: a terminal wraps it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@define
class Page:
    """Lines and tables, one below the other."""

    parts: list[Toned | Table] = Factory(list)

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Add a line."""
        self.parts.append(Toned(text, tone))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Add a table."""
        self.parts.append(Table(columns, rows))

    def plain(self) -> str:
        """The page for a file or a pipe: no row takes more than one line, and none is cut."""
        return "".join(_plain_table(part) if isinstance(part, Table) else _plain_line(part) for part in self.parts)

    def text(self) -> str:
        """The page in the form that suits what standard output is."""
        if not sys.stdout.isatty():
            return self.plain()
        from finra_cli.terminal import render  # noqa: PLC0415  it needs rich, which a pipe does without

        return render(self)


def show(document: object, page: Callable[[], Page], *, json: bool) -> None:
    """Print the document as JSON, or the page in the form that suits what standard output is.

    Raises:
        BrokenPipeError, OutputError: as `deliver`.
    """
    text = json_text(document) if json else page().text()
    deliver(text)


def json_text(document: object) -> str:
    """One JSON document and a line end, in ASCII: no encoding of standard output can break it.

    Fields of attrs classes become keys, without the underscore that a Python keyword needs; schema_version comes first.
    """
    import json  # noqa: PLC0415

    from finra_core.runs.serialization import to_plain  # noqa: PLC0415

    fields = {"schema_version": SCHEMA_VERSION, **_named(to_plain(document))}
    return json.dumps(fields, indent=2) + "\n"


def _named(value: Any) -> Any:
    """The value without the underscore at the end of a key."""
    if isinstance(value, dict):
        return {name.rstrip("_"): _named(item) for name, item in value.items()}
    return [_named(item) for item in value] if isinstance(value, list) else value


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `2 rows`, `1,234 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def minute(at: datetime) -> str:
    """An instant as people read it: `2026-01-05 15:30Z`."""
    return f"{at:%Y-%m-%d %H:%MZ}"


def text_of(cell: Cell) -> str:
    """A cell's text, on one line."""
    if isinstance(cell, Toned):
        return printable(cell.text)
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,}" if isinstance(cell, int) else printable(cell)


def is_number(table: Table, column: int) -> bool:
    """Whether a column holds numbers alone, and so stands to the right."""
    cells = [row[column] for row in table.rows]
    return bool(cells) and all(isinstance(cell, int) and not isinstance(cell, bool) for cell in cells)


def _plain_line(line: Toned) -> str:
    return printable(line.text) + "\n"


def _plain_table(table: Table) -> str:
    texts = [[text_of(cell) for cell in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *texts, strict=True)]
    right = [is_number(table, column) for column in range(len(table.columns))]
    lines = []
    for row in [list(table.columns), *texts]:
        padded = (text.rjust(w) if r else text.ljust(w) for text, w, r in zip(row, widths, right, strict=True))
        lines.append("  ".join(padded).rstrip() + "\n")
    return "".join(lines)
