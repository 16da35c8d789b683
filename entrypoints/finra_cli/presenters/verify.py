"""What `finra verify` shows."""

from __future__ import annotations

from finra_cli.output import Page, Tone, count
from finra_cli.redaction import without_secrets
from finra_core.history.verify import Checked, Verification

_SHOWN = 50
"""So many problems are shown; --json has all."""


def verification_page(found: Verification, url: str) -> Page:
    """What was checked, what was not, and each problem with what to do about it."""
    page = Page()
    page.line(f"{without_secrets(url)}: {_checked(found.checked)}")
    for note in found.notes:
        page.line(f"Not checked: {note}.", Tone.ASIDE)
    for each in found.problems[:_SHOWN]:
        page.line(f"[{each.kind}] {each.message}", Tone.BAD)
        page.line(f"    {each.action}")
    if len(found.problems) > _SHOWN:
        page.line(f"... and {len(found.problems) - _SHOWN:,} more: --json lists all.")
    if found.ok:
        page.line("Sound: nothing was found wrong.", Tone.GOOD)
    else:
        page.line(f"Not sound: {count(len(found.problems), 'problem')}.", Tone.BAD)
    return page


def _checked(checked: Checked) -> str:
    parts = (
        f"{checked.captures:,} of {count(checked.of_captures, 'capture')}",
        count(checked.rows, "row"),
        count(checked.analyses, "analysis", "analyses"),
        count(checked.weeks, "week"),
        count(checked.manifest_rows, "row of the manifest", "rows of the manifest"),
        count(checked.chain_entries, "entry of the chain", "entries of the chain"),
    )
    return ", ".join(parts)
