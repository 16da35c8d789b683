"""What `finra captures` shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Page, minute
from finra_core.domain.captures import Capture
from finra_core.domain.tiers import Tier


@frozen(kw_only=True)
class CaptureRow:
    """A capture. source_version: what FINRA said of its version, null where it said nothing."""

    capture_id: str
    revision: int
    week_ending: date
    tier: Tier
    captured_at: datetime
    rows: int
    source_version: str | None
    content_hash: str
    reason: str
    source_url: str


@frozen(kw_only=True)
class Captures:
    """The captures, by week, tier and time."""

    captures: tuple[CaptureRow, ...]


def captures_of(captures: Iterable[Capture]) -> Captures:
    """The document."""
    return Captures(captures=tuple(map(_row, captures)))


def _row(capture: Capture) -> CaptureRow:
    return CaptureRow(
        capture_id=capture.capture_id,
        revision=capture.revision,
        week_ending=capture.partition.week_ending,
        tier=capture.partition.tier,
        captured_at=capture.captured_at,
        rows=capture.row_count,
        source_version=str(capture.version) if capture.version else None,
        content_hash=capture.content_hash,
        reason=capture.reason,
        source_url=capture.source_url,
    )


def captures_page(found: Captures, url: str, *, narrowed: bool) -> Page:
    """A row for each. narrowed: whether only some were asked for."""
    page = Page()
    if found.captures:
        page.table(
            ("week_ending", "tier", "captured_at", "rev", "rows", "reason"),
            [
                (str(row.week_ending), row.tier, minute(row.captured_at), row.revision, row.rows, row.reason)
                for row in found.captures
            ],
        )
    elif narrowed:
        page.line(f"{url} holds no capture of these weeks and tiers.")
    else:
        page.line(f"{url} holds no captures yet: `finra run` brings them.")
    return page
