"""The Dagster job and asset of docs/orchestrators.md run in Dagster's engine and tell it how the run ended."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from finra_core.domain.clock import utc_today
from finra_core.domain.weeks import week_start_of
from support.orchestration import DOWN, PARTITIONS, SIMULATOR, load, ready_weeks, runs, stored_partitions

_REASON = "dagster is installed by the tox environment dagster"
dagster: Any = pytest.importorskip("dagster", reason=_REASON)

# Warnings of Dagster and of what it imports are not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def example() -> Any:
    return load("dagster_job")


def _end(example: Any, source: str, store: str) -> Any:
    """The job as Dagster knows it, on another source and store."""
    definitions = dagster.Definitions(
        jobs=[example.finra_weekly], resources={"finra": example.Finra(source=source, store=store)}
    )
    return definitions.get_job_def("finra_weekly").execute_in_process(raise_on_error=False)


def test_the_job_fills_the_store_and_reports_each_ready_week_as_a_partition(example: Any, sqlite_url: str) -> None:
    result = _end(example, SIMULATOR, sqlite_url)

    assert result.success
    assert stored_partitions(sqlite_url) == PARTITIONS
    mondays = [str(week_start_of(date.fromisoformat(week))) for week in ready_weeks(sqlite_url)]
    assert [made.partition for made in result.asset_materializations_for_node("run_due_weeks")] == mondays != []


@pytest.mark.usefixtures("one_attempt")
def test_a_partial_run_is_tried_twice_again_and_names_the_partitions(example: Any, sqlite_url: str) -> None:
    @dagster.job(resource_defs={"finra": example.Finra(source=DOWN, store=sqlite_url)})  # type: ignore[untyped-decorator]
    def impatient() -> None:
        # The quarter of an hour before each new attempt is what differs from the example's job.
        example.run_due_weeks.with_retry_policy(dagster.RetryPolicy(max_retries=example.RETRIES.max_retries))()

    result = impatient.execute_in_process(raise_on_error=False)

    assert not result.success
    assert runs(sqlite_url) == [1, 1, 1]
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    failed = failure.step_failure_data.user_failure_data.metadata["failed"].value
    assert sum(" / OTC: " in line for line in failed) == 6


def test_a_wrong_configuration_fails_at_once(example: Any, tmp_path: Path) -> None:
    result = _end(example, "nonesuch:", f"sqlite:///{tmp_path / 'never.db'}")

    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "nonesuch" in failure.step_failure_data.user_failure_data.description
    assert "STEP_UP_FOR_RETRY" not in {event.event_type_value for event in result.all_events}
    assert list(tmp_path.iterdir()) == []


def test_a_backfill_of_a_week_stores_that_week(example: Any, sqlite_url: str) -> None:
    today = utc_today()
    monday = today - timedelta(days=today.weekday(), weeks=8)

    result = dagster.materialize(
        [example.finra_otc],
        partition_key=str(monday),
        resources={"finra": example.Finra(source=SIMULATOR, store=sqlite_url)},
    )

    assert result.success
    assert stored_partitions(sqlite_url) == 3
    assert ready_weeks(sqlite_url) == [str(monday + timedelta(days=4))]


def test_a_partition_is_named_by_a_monday_and_the_schedule_is_new_yorks(example: Any) -> None:
    keys = example.WEEKS.get_partition_keys()
    assert {date.fromisoformat(key).weekday() for key in keys} == {0}
    assert example.defs.get_schedule_def("finra_weekly_schedule").execution_timezone == "America/New_York"
    assert example.defs.get_job_def("finra_weekly").name == "finra_weekly"
