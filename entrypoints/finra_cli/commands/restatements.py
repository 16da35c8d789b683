"""`finra restatements`: the ledger of what FINRA changed."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option, switch
from finra_cli.output import show
from finra_cli.presenters.restatements import restatements_of, restatements_page
from finra_cli.settings import StoreSettings
from finra_cli.values import Day, Tiers, Weeks
from finra_cli.wiring import reading
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.restatements import ledger


@frozen(kw_only=True)
class RestatementsSettings(StoreSettings):
    """What `finra restatements` takes."""

    since: date | None = option(None, "only those known from this UTC day on", type=Day(), metavar="D")
    symbol: str | None = option(None, "only rows of this symbol, as FINRA writes it; shows the rows", metavar="S")
    weeks: tuple[date, ...] | None = option(
        None, "only these weeks, each named by any of its dates", type=Weeks(), metavar="D,D..D"
    )
    only_tiers: tuple[Tier, ...] = option(
        TIERS, "only these tiers", type=Tiers(), metavar="T,T", names=["--tiers"], shown_default="all"
    )
    all: bool = switch("every restatement, not only the latest 20", short="-a")


def _restatements(settings: RestatementsSettings) -> int:
    since, symbol = settings.since, settings.symbol
    with reading(settings) as (view, _url):
        found = ledger(view, since=since, symbol=symbol, tiers=settings.only_tiers, weeks=settings.weeks)
    show(
        restatements_of(found, since, symbol) if settings.json else None,
        lambda: restatements_page(found, symbol=symbol, every_one=settings.all),
        json=settings.json,
    )
    return 0


command = Command(
    "restatements",
    RestatementsSettings,
    _restatements,
    help="What FINRA changed after a week's first capture: when, how late, and how much; latest first.",
)
