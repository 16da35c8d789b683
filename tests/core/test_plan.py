"""What two plans have to agree on, as a function of the two and nothing else."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest
from attrs import evolve

from finra_core.domain.anomalies import Category
from finra_core.domain.captures import SourceVersion
from finra_core.domain.failures import Failure
from finra_core.domain.partitions import Partition
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.tiers import Tier
from finra_core.ports.source import Usage
from finra_core.runs.plan import PLAN_VERSION, Origin, Plan, PlannedPartition, Problem, SweepPlan, drift
from finra_core.runs.request import RunRequest

T1, OTC = (Partition(date(2025, 11, 28), tier) for tier in (Tier.NMS_TIER_1, Tier.OTC))
OLD, NEW = SourceVersion(date(2025, 12, 29), 40), SourceVersion(date(2026, 1, 6), 41)
STORED = CaptureRef(number=3, capture_id="otc:20260105", revision=1, content_hash="a" * 64, version=OLD)
RESTATED = Decision(Action.INGEST, Rule.VERSION_CHANGED, Evidence(latest=STORED, version=NEW))
UNCHANGED = Decision(Action.SKIP, Rule.CONTENT_UNCHANGED, Evidence(latest=STORED, version=OLD, content_hash="a" * 64))


def planned(decision: Decision = RESTATED, partition: Partition = OTC) -> PlannedPartition:
    return PlannedPartition(partition=partition, origin=Origin.ASKED, decision=decision)


def plan(*partitions: PlannedPartition) -> Plan:
    return Plan(
        schema_version=PLAN_VERSION,
        request=RunRequest(),
        run_date=date(2026, 1, 6),
        planned_at=datetime(2026, 1, 6, 15, 30, tzinfo=timezone.utc),
        source="API",
        store="sqlite:///finra_otc.db",
        partitions=partitions,
        problems=(),
        sweep=None,
        resolved=True,
    )


def with_evidence(decision: Decision, **values: Any) -> Decision:
    return evolve(decision, evidence=evolve(decision.evidence, **values))


def test_a_plan_agrees_with_itself() -> None:
    assert drift(plan(planned()), plan(planned())) == []
    assert drift(plan(), plan()) == []


def test_when_and_for_what_it_was_made_is_no_drift() -> None:
    sweep = SweepPlan(since=None, told=True, older=3, next_from=date(2026, 1, 6))
    later = evolve(
        plan(evolve(planned(), estimate=Usage(9, 9), origin=Origin.RESTATED)),
        planned_at=datetime(2026, 1, 7, tzinfo=timezone.utc),
        problems=(Problem(message="a.csv names no week", place="a.csv"),),
        sweep=sweep,
        request=RunRequest(workers=9),
    )
    assert drift(plan(planned()), later) == []


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (
            with_evidence(RESTATED, latest=evolve(STORED, number=4, revision=2, content_hash="b" * 64)),
            "2025-11-28 / OTC: the plan saw otc:20260105 (capture 3, content aaaaaaaa), "
            "the store now has otc:20260105 r2 (capture 4, content bbbbbbbb)",
        ),
        (
            with_evidence(RESTATED, latest=None),
            "2025-11-28 / OTC: the plan saw otc:20260105 (capture 3, content aaaaaaaa), the store now has no capture",
        ),
        (
            with_evidence(RESTATED, version=OLD),
            "2025-11-28 / OTC: the plan saw version 2026-01-06, 41 rows, the source now has 2025-12-29, 40 rows",
        ),
        (
            with_evidence(RESTATED, version=None),
            "2025-11-28 / OTC: the plan saw version 2026-01-06, 41 rows, the source now has none",
        ),
        (
            evolve(RESTATED, action=Action.SKIP),
            "2025-11-28 / OTC: the plan was to ingest it, now it is to skip it",
        ),
    ],
    ids=["another capture", "no capture", "another version", "no version", "another action"],
)
def test_both_sides_are_said(now: Decision, line: str) -> None:
    assert drift(plan(planned()), plan(planned(now))) == [line]


def test_of_a_content_that_was_compared_both_sides_are_said() -> None:
    other = with_evidence(evolve(UNCHANGED, action=Action.INGEST, rule=Rule.SILENT_REVISION), content_hash="b" * 64)
    assert drift(plan(planned(UNCHANGED)), plan(planned(other))) == [
        "2025-11-28 / OTC: the plan saw content aaaaaaaa, the source now has bbbbbbbb"
    ]


def test_another_reason_for_the_same_action_on_the_same_evidence_is_no_drift() -> None:
    failed = Decision(Action.FAIL, Rule.SOURCE_FAILED, Evidence(note="HTTP 503"))
    again = with_evidence(failed, note="HTTP 429")
    failure = Failure(Category.SOURCE_UNAVAILABLE, "HTTP 429")
    assert drift(plan(planned(failed)), plan(evolve(planned(again), failure=failure))) == []


def test_a_partition_on_one_side_alone_is_said() -> None:
    two = plan(planned(), planned(partition=T1))
    assert drift(plan(planned()), two) == ["2025-11-28 / NMS_TIER_1: not in the plan, but would be now"]
    assert drift(two, plan(planned())) == ["2025-11-28 / NMS_TIER_1: in the plan, but would not be now"]


def test_another_store_and_another_source_are_said_first() -> None:
    other = evolve(plan(planned(partition=T1)), store="memory:", source="files")
    assert drift(plan(planned()), other)[:2] == [
        "the plan is for the store sqlite:///finra_otc.db, this is memory:",
        "the plan is for the source API, this is files",
    ]
    assert len(drift(plan(planned()), other)) == 4


def test_every_partition_that_differs_has_one_line() -> None:
    was = plan(planned(), planned(partition=T1))
    now = plan(*(evolve(each, decision=with_evidence(RESTATED, latest=None, version=OLD)) for each in was.partitions))
    assert [line.partition(":")[0] for line in drift(was, now)] == ["2025-11-28 / OTC", "2025-11-28 / NMS_TIER_1"]


def test_what_fetching_is_expected_to_cost_is_the_sum() -> None:
    partitions = (evolve(planned(), estimate=Usage(2, 500)), evolve(planned(partition=T1), estimate=Usage(1, 50)))
    assert plan(*partitions).expected_usage == Usage(3, 550)
    assert plan().expected_usage == Usage()
