"""`finra explain`: everything about one week of one tier."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import argument
from finra_cli.output import show
from finra_cli.presenters.explain import explain_page, explained
from finra_cli.settings import ON, JudgingSettings
from finra_cli.values import OneTier, Week
from finra_cli.wiring import reading
from finra_core.domain.clock import utc_today
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.history.explain import explain


@frozen(kw_only=True)
class ExplainSettings(JudgingSettings):
    """What `finra explain` takes."""

    week: date = argument("WEEK", type=Week())
    tier: Tier = argument("TIER", type=OneTier())
    on: date | None = ON


def _explain(settings: ExplainSettings) -> int:
    partition, on = Partition(settings.week, settings.tier), settings.on or utc_today()
    with reading(settings) as (view, _url):
        found = explain(view, partition, on, policies=settings.policies, grace_days=settings.grace_days)
    document = explained(found)
    show(document, lambda: explain_page(document), json=settings.json)
    return 0


command = Command(
    "explain",
    ExplainSettings,
    _explain,
    help="Everything about one week of one tier: when it was due, what was decided and why, what there is, what keeps "
    "the week from being ready, and what to do next. WEEK is any date of the week.",
)
