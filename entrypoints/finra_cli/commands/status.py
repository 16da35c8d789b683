"""`finra status`: the five-second answer."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import switch
from finra_cli.output import show
from finra_cli.presenters.status import status_page
from finra_cli.settings import FOR, ON, JudgingSettings
from finra_cli.wiring import reading
from finra_core.domain.clock import utc_today
from finra_core.history.status import read, status


@frozen(kw_only=True)
class StatusSettings(JudgingSettings):
    """What `finra status` takes."""

    all: bool = switch("every week, not only the newest 12", short="-a")
    ready_for: str = FOR
    on: date | None = ON


def _status(settings: StatusSettings) -> int:
    policy = settings.policy(settings.ready_for)
    with reading(settings) as (view, url):
        found = status(read(view), settings.on or utc_today(), policy, settings.grace_days)
    show(found, lambda: status_page(found, url, every_week=settings.all), json=settings.json)
    return 0


command = Command(
    "status", StatusSettings, _status, help="The last run, what is due next, and how far each week has come."
)
