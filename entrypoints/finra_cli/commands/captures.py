"""`finra captures`: every version that the store holds."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option
from finra_cli.output import show
from finra_cli.presenters.captures import captures_of, captures_page
from finra_cli.settings import StoreSettings
from finra_cli.values import Tiers, Weeks
from finra_cli.wiring import reading
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.store import CaptureQuery


@frozen(kw_only=True)
class CapturesSettings(StoreSettings):
    """What `finra captures` takes."""

    weeks: tuple[date, ...] | None = option(
        None, "only these weeks, each named by any of its dates", type=Weeks(), metavar="D,D..D"
    )
    only_tiers: tuple[Tier, ...] = option(
        TIERS, "only these tiers", type=Tiers(), metavar="T,T", names=["--tiers"], shown_default="all"
    )


def _captures(settings: CapturesSettings) -> int:
    weeks, tiers = settings.weeks, settings.only_tiers
    query = CaptureQuery(weeks=None if weeks is None else frozenset(weeks))
    with reading(settings) as (view, url):
        found = captures_of(capture for capture in view.captures(query) if capture.partition.tier in tiers)
    narrowed = weeks is not None or tiers != TIERS
    show(found, lambda: captures_page(found, url, narrowed=narrowed), json=settings.json)
    return 0


command = Command("captures", CapturesSettings, _captures, help="Every capture, by week and tier, oldest first.")
