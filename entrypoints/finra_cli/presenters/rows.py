"""Rows of FINRA's data as documents and pages show them."""

from __future__ import annotations

from finra_cli.output import count
from finra_core.domain.records import Security, Venue, format_shares

SHOWN = 20
"""How many rows of a kind a page shows, unless all are asked for."""


def venue_label(venue: Venue) -> str:
    """What tells a venue from others, in a few characters."""
    return venue.mpid or (f"CRD {venue.crd}" if venue.crd else venue.name or "-")


def symbol_label(security: Security) -> str:
    """The symbol; a real row has none."""
    return security.symbol or "(no symbol)"


def shares_text(micros: int) -> str:
    """Micro-shares for people: `1,234.5`."""
    whole, point, fraction = format_shares(abs(micros)).partition(".")
    return f"{'-' if micros < 0 else ''}{int(whole):,}{point}{fraction}"


def delta_text(micros: int) -> str:
    """A difference in micro-shares for people: `+1,234.5`."""
    return f"{'+' if micros > 0 else ''}{shares_text(micros)}"


def not_shown(hidden: int, how: str = "--all shows them") -> str:
    """What a page says that has left out so many rows."""
    return f"{count(hidden, 'more row')}: {how}"
