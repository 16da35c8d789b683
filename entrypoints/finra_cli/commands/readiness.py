"""`finra readiness`: the judgments on weeks, and an exit code to wait on."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option, switch
from finra_cli.output import show
from finra_cli.presenters.readiness import judgments_of, readiness_page
from finra_cli.settings import FOR, ON, JudgingSettings
from finra_cli.values import Week
from finra_cli.wiring import reading
from finra_core.domain.clock import utc_today
from finra_core.domain.failures import ExitCode
from finra_core.history.status import newest_complete_week
from finra_core.ports.store import JudgmentQuery

EXIT_CODES = (("0", "with --check: the week is ready"), ("1", "with --check: it is not, or nobody judged it"))


@frozen(kw_only=True)
class ReadinessSettings(JudgingSettings):
    """What `finra readiness` takes."""

    week: date | None = option(None, "this week alone, named by any of its dates", type=Week(), metavar="D")
    ready_for: str = FOR
    on: date | None = ON
    check: bool = switch("end with 0 if the week is ready, with 1 if not; without --week, the newest due in all tiers")


def _readiness(settings: ReadinessSettings) -> int:
    policy = settings.policy(settings.ready_for)
    today = settings.on or utc_today()
    week = settings.week or (newest_complete_week(today) if settings.check else None)
    weeks = None if week is None else frozenset({week})
    with reading(settings) as (view, url):
        found = judgments_of(view.judgments(JudgmentQuery(weeks=weeks, ready_for=policy.name)))
    show(found, lambda: readiness_page(found, url, policy.name, week), json=settings.json)
    ready = bool(found.weeks) and all(judgment.is_ready for judgment in found.weeks)
    return ExitCode.PARTIAL if settings.check and not ready else ExitCode.SUCCESS


command = Command(
    "readiness",
    ReadinessSettings,
    _readiness,
    help="Which weeks are ready to trade on, and why the others are not.",
    notes=[("Exit codes", EXIT_CODES)],
)
