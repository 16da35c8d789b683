"""FINRA's weekly data in Dagster: a job for every weekday, and an asset to backfill weeks. `dagster dev -f` it."""

import os
from collections.abc import Iterator
from datetime import date

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    BackfillPolicy,
    ConfigurableResource,
    DefaultScheduleStatus,
    Definitions,
    Failure,
    OpExecutionContext,
    Output,
    RetryPolicy,
    ScheduleDefinition,
    WeeklyPartitionsDefinition,
    asset,
    job,
    op,
)

from finra_core import FinraError, Outcome, RunReport, RunRequest, Scheduler, open_source, open_store
from finra_core.domain.errors import Retryable
from finra_core.domain.weeks import week_start_of


class Finra(ConfigurableResource):
    """Where the data come from and where they live."""

    source: str = "api:"
    store: str = "sqlite:////var/lib/finra/finra_otc.db"

    def run(self, request: RunRequest) -> RunReport:
        """One run; what is not whole is a Failure, which Dagster retries unless trying again cannot help."""
        try:
            with open_source(self.source, os.environ) as source, open_store(self.store) as store:
                report = Scheduler(source=source, store=store).run(request)
        except FinraError as error:
            raise Failure(error.message, allow_retries=isinstance(error, Retryable)) from error
        if report.exit_code:
            raise Failure("some partitions failed, the others are stored", metadata={"failed": failures(report)})
        return report


def failures(report: RunReport) -> list[str]:
    """What went wrong, a line each."""
    failed = [p for p in report.partitions if p.outcome is Outcome.FAILED]
    return [f"{p.week_ending} / {p.tier.value}: {p.reason}" for p in failed] + list(report.problems)


RETRIES = RetryPolicy(max_retries=2, delay=900)
WEEKS = WeeklyPartitionsDefinition(start_date="2022-01-03", day_offset=1)
"""A partition is named by its Monday, which is FINRA's weekStartDate."""


@asset(partitions_def=WEEKS, backfill_policy=BackfillPolicy.single_run(), retry_policy=RETRIES)
def finra_otc(context: AssetExecutionContext, finra: Finra) -> None:
    """The weeks asked for, in one run: a store has one writer."""
    finra.run(RunRequest(weeks=map(date.fromisoformat, context.partition_keys)))


@op(retry_policy=RETRIES)
def run_due_weeks(context: OpExecutionContext, finra: Finra) -> Iterator[AssetMaterialization | Output[None]]:
    """One run over the due weeks; those that are ready to trade on become partitions of the asset."""
    for week in finra.run(RunRequest()).readiness:
        if week.is_ready:
            yield AssetMaterialization("finra_otc", partition=str(week_start_of(week.week_ending)))
    yield Output(None)


@job
def finra_weekly() -> None:
    """Bring the store up to date with FINRA."""
    run_due_weeks()


weekdays = ScheduleDefinition(
    job=finra_weekly,
    cron_schedule="0 7 * * 1-5",
    execution_timezone="America/New_York",
    default_status=DefaultScheduleStatus.RUNNING,
)
defs = Definitions(assets=[finra_otc], jobs=[finra_weekly], schedules=[weekdays], resources={"finra": Finra()})
