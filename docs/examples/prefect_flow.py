"""FINRA's weekly data as a Prefect flow: `python prefect_flow.py` serves it, every weekday at 07:00 in New York."""

import os
from typing import Any

from prefect import flow, task
from prefect.schedules import Cron

from finra_core import Outcome, RunReport, Scheduler, open_source, open_store
from finra_core.domain.errors import Retryable


class PartialRunError(Exception):
    """Some partitions failed. The others are in the store, and the next run asks for these alone."""


def may_pass(_task: Any, _task_run: Any, state: Any) -> bool:
    """Whether the same run may succeed later. A wrong configuration or schema stays wrong."""
    return isinstance(state.result(raise_on_failure=False), (PartialRunError, Retryable))


@task(retries=2, retry_delay_seconds=900, retry_condition_fn=may_pass)
def run_finra(source: str, store: str) -> list[str]:
    """One run over the due weeks. Returns the weeks that are ready to trade on."""
    with open_source(source, os.environ) as finra, open_store(store) as database:
        report = Scheduler(source=finra, store=database).run()
    if report.exit_code:
        raise PartialRunError("; ".join(failures(report)))
    return [str(week.week_ending) for week in report.readiness if week.is_ready]


def failures(report: RunReport) -> list[str]:
    """What went wrong, a line each."""
    failed = [p for p in report.partitions if p.outcome is Outcome.FAILED]
    return [f"{p.week_ending} / {p.tier.value}: {p.reason}" for p in failed] + list(report.problems)


@flow(name="finra-weekly", log_prints=False)
def finra_weekly(source: str = "api:", store: str = "sqlite:////var/lib/finra/finra_otc.db") -> list[str]:
    """Bring the store up to date with FINRA."""
    return run_finra(source, store)


if __name__ == "__main__":
    # limit: a store has one writer; a second run would wait for it, and find nothing to do.
    finra_weekly.serve(name="weekdays", schedules=[Cron("0 7 * * 1-5", timezone="America/New_York")], limit=1)
