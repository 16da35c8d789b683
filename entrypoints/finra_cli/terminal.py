"""A page on a terminal: colors, and a last column that wraps within itself."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from finra_cli.output import Cell, Page, Table, Toned, is_number, text_of


def render(page: Page) -> str:
    """The page as the terminal that standard output is shows it."""
    console = Console()
    with console.capture() as captured:
        for part in page.parts:
            if isinstance(part, Table):
                console.print(_table(part))
            else:
                console.print(_text(part), soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


def _table(table: Table) -> RenderableType:
    shown = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    last = len(table.columns) - 1
    for i, name in enumerate(table.columns):
        shown.add_column(name, justify="right" if is_number(table, i) else "left", no_wrap=i < last, overflow="fold")
    for row in table.rows:
        shown.add_row(*map(_text, row))
    return shown


def _text(cell: Cell) -> Text:
    return Text(text_of(cell), style=cell.tone.value if isinstance(cell, Toned) else "")
