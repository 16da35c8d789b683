"""How a report comes about, step by step, and what the run's exit code is."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest
from attrs import evolve

from finra_core import ConfigurationError
from finra_core.domain.anomalies import Anomaly, Category, Severity, Stage
from finra_core.domain.failures import ExitCode
from finra_core.domain.partitions import Partition
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.ports.source import Usage
from finra_core.runs.plan import PLAN_VERSION, Origin, Plan, PlannedPartition, Problem
from finra_core.runs.report import (
    Finding,
    Outcome,
    PartitionReport,
    RunReport,
    Tally,
    exit_code,
    finished_report,
    ingested_report,
    outcome_of,
    planned_report,
)
from finra_core.runs.request import Mode, RunRequest
from support.captures import a_capture

WEEK = date(2025, 11, 28)
OTC, T1 = (Partition(WEEK, tier) for tier in (Tier.OTC, Tier.NMS_TIER_1))
NOON = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)
CAPTURE = a_capture(3, OTC)


def planned(action: Action, rule: Rule, **values: Any) -> PlannedPartition:
    evidence = Evidence(latest=CaptureRef.of(a_capture(1, OTC)), due=date(2025, 12, 29), note="HTTP 503")
    return PlannedPartition(
        partition=OTC, origin=Origin.ROTATION, decision=Decision(action, rule, evolve(evidence, **values))
    )


def close(tally: Tally, *problems: Problem) -> RunReport:
    plan = Plan(
        schema_version=PLAN_VERSION,
        request=RunRequest(),
        run_date=NOON.date(),
        planned_at=NOON,
        source="API",
        store="memory:",
        partitions=(),
        problems=problems,
        sweep=None,
        resolved=False,
    )
    return tally.close(
        plan, run_id="r", mode=Mode.RUN, started_at=NOON, finished_at=NOON, readiness=(), usage=Usage(1, 2)
    )


def anomaly(severity: Severity, category: Category = Category.LATE, partition: Partition = OTC) -> Anomaly:
    return Anomaly(severity, category, Scope.partition(partition), Stage.RAW, f"{category} it is")


@pytest.mark.parametrize(
    ("action", "rule", "outcome", "rehearsed"),
    [
        (Action.INGEST, Rule.FIRST_CAPTURE, Outcome.INGESTED, Outcome.WOULD_INGEST),
        (Action.SKIP, Rule.VERSION_UNCHANGED, Outcome.SKIPPED, Outcome.WOULD_SKIP),
        (Action.SKIP, Rule.NO_LONGER_OFFERED, Outcome.SKIPPED, Outcome.SKIPPED),
        (Action.WAIT, Rule.NOT_DUE, Outcome.NOT_DUE, Outcome.NOT_DUE),
        (Action.WAIT, Rule.NOT_THERE_YET, Outcome.NOT_DUE, Outcome.NOT_DUE),
        (Action.WAIT, Rule.LATE, Outcome.LATE, Outcome.LATE),
        (Action.WAIT, Rule.NOT_OFFERED, Outcome.NOT_OFFERED, Outcome.NOT_OFFERED),
        (Action.FAIL, Rule.SOURCE_FAILED, Outcome.FAILED, Outcome.FAILED),
        (Action.FAIL, Rule.NOT_OFFERED, Outcome.FAILED, Outcome.FAILED),
        (Action.FAIL, Rule.LATE, Outcome.FAILED, Outcome.FAILED),
    ],
)
def test_what_a_decision_makes_of_its_partition(
    action: Action, rule: Rule, outcome: Outcome, rehearsed: Outcome
) -> None:
    decision = Decision(action, rule)
    assert (outcome_of(decision), outcome_of(decision, rehearsed=True)) == (outcome, rehearsed)


def test_a_partition_that_is_not_fetched_is_reported_by_its_plan() -> None:
    assert planned_report(planned(Action.FAIL, Rule.SOURCE_FAILED)) == PartitionReport(
        week_ending=WEEK,
        tier=Tier.OTC,
        outcome=Outcome.FAILED,
        reason="HTTP 503",
        rule=Rule.SOURCE_FAILED,
        origin=Origin.ROTATION,
        capture_id=a_capture(1, OTC).capture_id,
        revision=1,
    )


def test_a_partition_that_was_ingested_is_reported_by_its_capture() -> None:
    plan = planned(Action.COMPARE, Rule.VERIFY)
    report = ingested_report(plan, Decision(Action.INGEST, Rule.SILENT_REVISION, plan.decision.evidence), CAPTURE)
    assert (report.outcome, report.rule, report.rows, report.stages) == (
        Outcome.INGESTED,
        Rule.SILENT_REVISION,
        1,
        (Stage.RAW,),
    )


def test_stages_add_up_to_one_report_a_partition() -> None:
    tally = Tally()
    tally.enter(ingested_report(planned(Action.INGEST, Rule.FORCED), Decision(Action.INGEST, Rule.FORCED), CAPTURE))
    tally.enter(evolve(finished_report(CAPTURE), stages=(Stage.NORMALIZED,)))
    tally.complete(OTC, Stage.CALC)

    [report] = close(tally).partitions
    assert (report.outcome, report.reason, report.rule) == (Outcome.INGESTED, "Forced: None", Rule.FORCED)
    assert report.stages == (Stage.RAW, Stage.NORMALIZED, Stage.CALC)
    assert report.rows == 1


def test_what_fails_in_a_later_stage_has_failed_and_keeps_where_it_came_from() -> None:
    tally = Tally()
    tally.enter(ingested_report(planned(Action.INGEST, Rule.FORCED), Decision(Action.INGEST, Rule.FORCED), CAPTURE))
    tally.enter(finished_report(CAPTURE, failure="no usable row"))

    [report] = close(tally).partitions
    assert (report.outcome, report.reason) == (Outcome.FAILED, "no usable row")
    assert (report.rule, report.origin, report.rows, report.stages) == (Rule.FORCED, Origin.ROTATION, 1, (Stage.RAW,))


def test_what_has_failed_stays_failed() -> None:
    tally = Tally()
    tally.enter(planned_report(planned(Action.FAIL, Rule.SOURCE_FAILED)))
    tally.enter(evolve(finished_report(CAPTURE), stages=(Stage.NORMALIZED,)))

    [report] = close(tally).partitions
    assert (report.outcome, report.reason) == (Outcome.FAILED, "HTTP 503")


def test_what_an_earlier_run_left_is_reported_too() -> None:
    tally = Tally()
    tally.enter(evolve(finished_report(CAPTURE), stages=(Stage.NORMALIZED,)))
    tally.complete(T1, Stage.CALC)  # of an older capture, which this run is not about

    [report] = close(tally).partitions
    assert (report.partition, report.outcome) == (OTC, Outcome.SKIPPED)
    assert report.reason == "finished what an earlier run left"


def test_partitions_are_newest_week_first_and_in_tier_order() -> None:
    older = Partition(date(2025, 11, 21), Tier.NMS_TIER_1)
    tally = Tally()
    for partition in (older, OTC, T1):
        tally.enter(finished_report(a_capture(1, partition)))

    assert [report.partition for report in close(tally).partitions] == [T1, OTC, older]


def test_a_finding_counts_once_however_often_it_is_noted() -> None:
    tally = Tally()
    assert tally.note([anomaly(Severity.WARN)]) == [anomaly(Severity.WARN)]
    assert tally.note([anomaly(Severity.WARN), anomaly(Severity.ERROR, partition=T1)]) == [
        anomaly(Severity.ERROR, partition=T1)
    ]

    report = close(tally)
    assert report.anomalies == {"CRITICAL": 0, "ERROR": 1, "WARN": 1, "INFO": 0}
    assert report.findings == (
        Finding.of(anomaly(Severity.WARN)),
        Finding.of(anomaly(Severity.ERROR, partition=T1)),
    )


def test_info_is_counted_and_not_listed() -> None:
    tally = Tally()
    tally.note([anomaly(Severity.INFO)])
    assert close(tally).anomalies["INFO"] == 1
    assert close(tally).findings == ()


def test_a_problem_of_the_source_as_a_whole_is_an_error_unless_its_partitions_tell_it() -> None:
    tally = Tally()
    tally.enter(planned_report(planned(Action.FAIL, Rule.SOURCE_FAILED)))

    report = close(tally, Problem(message="HTTP 503", place=None), Problem(message="no listing", place=None))
    assert report.problems == ("no listing",)
    assert (report.anomalies["ERROR"], report.exit_code) == (1, 1)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], ExitCode.SUCCESS),
        ([Severity.INFO, Severity.WARN], ExitCode.SUCCESS),
        ([Severity.ERROR], ExitCode.PARTIAL),
        ([Severity.WARN, Severity.ERROR], ExitCode.PARTIAL),
    ],
)
def test_errors_make_a_run_partial(found: list[Severity], code: ExitCode) -> None:
    assert exit_code({severity: found.count(severity) for severity in Severity}) is code


def test_a_report_survives_json() -> None:
    tally = Tally()
    tally.enter(planned_report(planned(Action.WAIT, Rule.LATE)), [anomaly(Severity.WARN)])
    report = close(tally, Problem(message="a.csv names no week", place="a.csv"))

    assert RunReport.from_json(report.to_json()) == report
    assert RunReport.from_json(report.to_json(indent=2)) == report


@pytest.mark.parametrize("text", ["", "[]", "{}", "nothing", '{"schema_version": 2}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^no RunReport: "):
        RunReport.from_json(text)
