"""Where history begins, in a store from which captures were removed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.retention import beginning_of, horizon
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.store import ReadView


def history_begins(
    view: ReadView, *, weeks: Collection[date] | None = None, tiers: Collection[Tier] = TIERS
) -> date | None:
    """The first day (UTC) of which all is known of these weeks and tiers; None where nothing was ever removed."""
    records = [record for record in view.prunes() if weeks is None or record.partition.week_ending in weeks]
    return horizon([record for record in records if record.partition.tier in tiers])


def check_not_pruned(
    view: ReadView, at: datetime, *, weeks: Collection[date] | None = None, tiers: Collection[Tier] = TIERS
) -> None:
    """Check that a store still knows what it knew at this instant.

    Raises:
        ConfigurationError: captures that it knew then were removed.
    """
    begins = history_begins(view, weeks=weeks, tiers=tiers)
    if begins is not None and at < beginning_of(begins):
        raise ConfigurationError(
            f"history before {begins} was pruned: ask for that day or a later one, or for weeks that were not pruned"
        )


def check_has_first(view: ReadView, *, weeks: Collection[date] | None = None, tiers: Collection[Tier] = TIERS) -> None:
    """Check that a store still has the first release of these weeks and tiers.

    Raises:
        ConfigurationError: captures were removed, so nobody can count from the first.
    """
    begins = history_begins(view, weeks=weeks, tiers=tiers)
    if begins is not None:
        raise ConfigurationError(
            f"history before {begins} was pruned, and first releases with it: name a capture, a day or the latest"
        )
