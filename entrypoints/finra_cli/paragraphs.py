"""Text for pages that are read at 80 columns, whatever its length."""

from __future__ import annotations

from textwrap import wrap

from finra_cli.output import Page, Tone

WIDTH = 80


def paragraph(page: Page, text: str, *, indent: int = 0, hang: int = 2, tone: Tone = Tone.PLAIN) -> None:
    """Add a text as lines of at most 80 columns; no word is broken. hang: how much further the later lines stand in."""
    first, later = " " * indent, " " * (indent + hang)
    lines = wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        page.line(line, tone)
