"""`finra runs`: the ledger."""

from __future__ import annotations

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import argument, option
from finra_cli.output import show
from finra_cli.presenters.runs import one_run, runs_of, runs_page
from finra_cli.settings import StoreSettings
from finra_cli.values import Count
from finra_cli.wiring import reading
from finra_core.ports.store import RunQuery


@frozen(kw_only=True)
class RunsSettings(StoreSettings):
    """What `finra runs` takes."""

    run_id: str | None = argument("RUN_ID", required=False)
    limit: int = option(20, "the latest so many", type=Count(), metavar="N", short="-n")


def _runs(settings: RunsSettings) -> int:
    wanted = settings.run_id
    with reading(settings) as (view, url):
        records = view.runs(RunQuery(limit=None if wanted else settings.limit))
    found = runs_of([one_run(records, wanted, url)] if wanted else records)
    show(found, lambda: runs_page(found, url, detailed=settings.run_id is not None), json=settings.json)
    return 0


command = Command(
    "runs",
    RunsSettings,
    _runs,
    help="The ledger of runs, latest first; or one run's report. RUN_ID may be shortened to its first characters.",
)
