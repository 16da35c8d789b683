"""`finra runs`: the ledger."""

from __future__ import annotations

from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import argument, option
from finra_cli.output import show
from finra_cli.presenters.runs import one_run, run_of, run_page, runs_of, runs_page
from finra_cli.settings import StoreSettings
from finra_cli.values import Count
from finra_cli.wiring import reading
from finra_core.ports.store import DecisionQuery, RunQuery


@frozen(kw_only=True)
class RunsSettings(StoreSettings):
    """What `finra runs` takes."""

    run_id: str | None = argument("RUN_ID", required=False)
    limit: int = option(20, "the latest so many", type=Count(), metavar="N", short="-n")


def _runs(settings: RunsSettings) -> int:
    if settings.run_id is not None:
        return _one(settings, settings.run_id)
    with reading(settings) as (view, url):
        found = runs_of(view.runs(RunQuery(limit=settings.limit)))
    show(found, lambda: runs_page(found, url), json=settings.json)
    return 0


def _one(settings: RunsSettings, wanted: str) -> int:
    with reading(settings) as (view, url):
        # A whole RUN_ID, as programs give it, costs one row. What it may be short for, or a slip of, costs the ledger.
        record = one_run(view.runs(RunQuery(run_id=wanted)) or view.runs(), wanted, url)
        found = run_of(record, view.decisions(DecisionQuery(run_id=record.run_id)))
    show(found, lambda: run_page(found.runs[0]), json=settings.json)
    return 0


command = Command(
    "runs",
    RunsSettings,
    _runs,
    help="The ledger of runs, latest first; or one run's decisions, findings, judgments and report. RUN_ID may be "
    "shortened to its first characters.",
)
