"""`finra prune`: remove captures that nothing needs."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option, switch
from finra_cli.output import show
from finra_cli.presenters.prune import done_of, planned_of, prune_page
from finra_cli.settings import StoreSettings
from finra_cli.values import Day
from finra_cli.wiring import reading, writing
from finra_core.domain.clock import utc_now
from finra_core.history.prune import plan_prune
from finra_core.runs.prune import check_day, prune


@frozen(kw_only=True)
class PruneSettings(StoreSettings):
    """What `finra prune` takes."""

    before: date = option(
        None,
        "only what was captured before this day (UTC); all later days keep their answers",
        type=Day(),
        metavar="D",
        required=True,
    )
    yes: bool = switch("do it; without this it only says what it would do")


def _prune(settings: PruneSettings) -> int:
    now = utc_now()
    check_day(settings.before, now.date())
    with reading(settings) as (view, url):
        planned = planned_of(plan_prune(view, settings.before), settings.before)
    document = planned
    if settings.yes and planned.captures:
        with writing(settings) as store:
            document = done_of(prune(store, settings.before, now), planned)
    show(document, lambda: prune_page(document, url, done=settings.yes), json=settings.json)
    return 0


command = Command(
    "prune",
    PruneSettings,
    _prune,
    help="Say which superseded captures can go so that every question about the day and all later ones keeps its "
    "answer. With --yes, remove them. The latest captures and those that are pinned always stay.",
)
