"""`finra diff`: what changed between two captures."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import argument, switch
from finra_cli.output import show
from finra_cli.presenters.diff import diff_document, diff_page
from finra_cli.settings import StoreSettings
from finra_cli.values import CaptureName, OneTier, Week
from finra_cli.wiring import reading
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.history.choosing import choose, last_two
from finra_core.history.diff import diff
from finra_core.history.impact import impact


@frozen(kw_only=True)
class DiffSettings(StoreSettings):
    """What `finra diff` takes."""

    week: date = argument("WEEK", type=Week())
    tier: Tier = argument("TIER", type=OneTier())
    a: str | None = argument("[A]", required=False, type=CaptureName())
    b: str | None = argument("[B]", required=False, type=CaptureName())
    impact: bool = switch("what the change did to venues, HHI and totals, and which rows caused it")
    all: bool = switch("every row, not only the 20 that moved most shares", short="-a")


def _diff(settings: DiffSettings) -> int:
    partition = Partition(settings.week, settings.tier)
    with reading(settings) as (view, _url):
        if settings.a is None:
            before, after = last_two(view, partition)
        else:
            before = choose(view, partition, settings.a)
            after = choose(view, partition, settings.b or "latest")
        found = diff(view, before, after)
        effect = impact(view, found) if settings.impact else None
    show(
        diff_document(found, effect) if settings.json else None,
        lambda: diff_page(found, effect, every_row=settings.all),
        json=settings.json,
    )
    return 0


command = Command(
    "diff",
    DiffSettings,
    _diff,
    help="What changed between two captures of a week and tier: rows, symbols that moved tier, and the impact.",
    notes=[
        (
            "A and B",
            (
                ("(neither)", "the last two captures"),
                ("first, latest", "the partition's first, or its newest; B is latest unless given"),
                ("release:2", "its second"),
                ("2025-12-30", "what was known at the end of this UTC day"),
                ("a capture_id", "as `finra captures --json` has it, or with ` r2` after it"),
            ),
        )
    ],
)
