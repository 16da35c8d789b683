"""What `finra pin` shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Page
from finra_core.domain.retention import Pin
from finra_core.domain.tiers import Tier


@frozen(kw_only=True)
class PinRow:
    """A capture that is protected, and why."""

    capture_id: str
    revision: int
    week_ending: date
    tier: Tier
    reason: str
    pinned_at: datetime


@frozen(kw_only=True)
class Pins:
    """The pins, by capture_id: all of them, or the one that was made or removed."""

    pins: tuple[PinRow, ...]


def pins_of(pins: Iterable[Pin]) -> Pins:
    """The document."""
    return Pins(
        pins=tuple(
            PinRow(
                capture_id=pin.capture_id,
                revision=pin.revision,
                week_ending=pin.partition.week_ending,
                tier=pin.partition.tier,
                reason=pin.reason,
                pinned_at=pin.pinned_at,
            )
            for pin in pins
        )
    )


def pins_page(found: Pins, url: str) -> Page:
    """A row for each."""
    page = Page()
    if not found.pins:
        page.line(f"{url} has no pins.")
        return page
    rows = [
        (str(row.week_ending), row.tier, row.capture_id.rpartition(":")[2], row.revision, f"{row.pinned_at:%Y-%m-%d}")
        for row in found.pins
    ]
    reasons = [row.reason for row in found.pins]
    page.table(
        ("week_ending", "tier", "run date", "rev", "pinned", "reason"),
        [(*row, reason) for row, reason in zip(rows, reasons, strict=True)],
    )
    return page


def pinned_page(found: Pins) -> Page:
    """What is protected now."""
    page = Page()
    for row in found.pins:
        page.line(f"Pinned: {row.capture_id} r{row.revision}: {row.reason}")
    return page


def removed_page(found: Pins) -> Page:
    """What is no longer protected."""
    page = Page()
    for row in found.pins:
        page.line(f"No longer pinned: {row.capture_id} r{row.revision} (it was: {row.reason})")
    return page
