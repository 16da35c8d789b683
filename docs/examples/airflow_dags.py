"""FINRA's weekly data in Airflow, twice over: by the command, and by the library. Keep the one that suits you."""

import os
from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from finra_core import FinraError, Outcome, RunReport, Scheduler, open_source, open_store
from finra_core.domain.errors import Retryable

SCHEDULE = {
    "schedule": CronTriggerTimetable("0 7 * * 1-5", timezone="America/New_York"),
    "start_date": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "catchup": False,  # one run does all that is due, however many were missed
    "max_active_runs": 1,  # a store has one writer
    "default_args": {"retries": 2, "retry_delay": timedelta(minutes=15)},
    "params": {"source": "api:", "store": "sqlite:////var/lib/finra/finra_otc.db"},
}


@dag(**SCHEDULE)
def finra_by_command() -> None:
    """`finra` may live in a virtual environment of its own: name it by its path. Any exit code but 0 is a failure."""
    BashOperator(
        task_id="run_finra",
        bash_command="finra run --quiet --source '{{ params.source }}' --store '{{ params.store }}'",
        append_env=True,
        do_xcom_push=False,
    )


@dag(**SCHEDULE)
def finra_by_library() -> None:
    """A partial run is tried again; what trying again cannot help fails at once."""

    @task
    def run_finra(source: str, store: str) -> list[str]:
        try:
            with open_source(source, os.environ) as finra, open_store(store) as database:
                report = Scheduler(source=finra, store=database).run()
        except FinraError as error:
            raise (AirflowException if isinstance(error, Retryable) else AirflowFailException)(error.message) from error
        if report.exit_code:
            raise AirflowException("; ".join(failures(report)))
        return [str(week.week_ending) for week in report.readiness if week.is_ready]

    run_finra("{{ params.source }}", "{{ params.store }}")


def failures(report: RunReport) -> list[str]:
    """What went wrong, a line each."""
    failed = [p for p in report.partitions if p.outcome is Outcome.FAILED]
    return [f"{p.week_ending} / {p.tier.value}: {p.reason}" for p in failed] + list(report.problems)


by_command, by_library = finra_by_command(), finra_by_library()
