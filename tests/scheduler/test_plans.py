"""A plan is a value: what a dry run shows, what can be kept as JSON, and what is applied exactly or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core import (
    TIERS,
    Action,
    ConfigurationError,
    Outcome,
    Partition,
    Plan,
    PlanDriftError,
    Rule,
    RunReport,
    SourceInfo,
    SourceKind,
    Store,
    Tier,
    open_store,
)
from finra_core.runs.serialization import from_json, to_json
from finra_simulator import Delay, Outage, Restatement, SimulatorSource, World
from support.harness import MONDAY_MORNING, Bench, captures_of, everything, partition

WEEK = date(2025, 11, 28)
OTC = partition("2025-11-28", Tier.OTC)
T1 = partition("2025-11-28", Tier.NMS_TIER_1)
QUIET = World(symbols=4, ats=2, firms=2, restatement_rate=0.0)
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def quiet(bench: Bench) -> Bench:
    bench.world = QUIET
    return bench


def kept(plan: Plan) -> Plan:
    """The plan as it comes back from a file."""
    return from_json(to_json(plan, indent=2), Plan)


# The value --------------------------------------------------------------------------------------------


def test_a_plan_says_of_each_partition_what_and_why(quiet: Bench) -> None:
    plan = quiet.plan()

    assert [p.partition for p in plan.partitions[:4]] == [
        partition("2025-12-19", Tier.NMS_TIER_1),
        partition("2025-12-12", Tier.NMS_TIER_1),
        partition("2025-12-05", Tier.NMS_TIER_1),
        partition("2025-12-05", Tier.NMS_TIER_2),
    ]
    assert {(p.decision.action, p.decision.rule) for p in plan.partitions} == {(Action.INGEST, Rule.FIRST_CAPTURE)}
    assert all(p.decision.evidence.version for p in plan.partitions)
    assert (plan.run_date, plan.planned_at) == (date(2026, 1, 5), MONDAY_MORNING)
    assert (plan.source, plan.store) == ("simulator", quiet.store.url)


def test_planning_writes_nothing(quiet: Bench) -> None:
    quiet.run(weeks=[WEEK])
    before = everything(quiet.store)

    quiet.plan()
    quiet.plan(verify=True)

    assert everything(quiet.store) == before


def test_what_only_the_content_decides_is_compared(quiet: Bench) -> None:
    silent = Restatement(OTC, MONDAY_MORNING + AN_HOUR, changed=1, silent=True)
    quiet.world = evolve(QUIET, events=(silent,))
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=1)

    plan = quiet.plan(weeks=[WEEK], verify=True)

    assert plan.resolved
    found = {p.partition.tier: (p.decision.action, p.decision.rule) for p in plan.partitions}
    assert found == {
        Tier.NMS_TIER_1: (Action.SKIP, Rule.CONTENT_UNCHANGED),
        Tier.NMS_TIER_2: (Action.SKIP, Rule.CONTENT_UNCHANGED),
        Tier.OTC: (Action.INGEST, Rule.SILENT_REVISION),
    }


# Histories for Hypothesis -----------------------------------------------------------------------------

REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "lookback_weeks": st.integers(1, 3),
        "tiers": st.lists(st.sampled_from(TIERS), min_size=1, unique=True),
        "weeks": st.lists(st.sampled_from([date(2025, 9, 5), date(2025, 11, 7), date(2025, 11, 28)]), min_size=1),
        "verify": st.booleans(),
        "force": st.booleans(),
        "order": st.sampled_from(["phased", "chained"]),
        "window": st.sampled_from(["due", "calendar"]),
        "sweep": st.booleans(),
    },
)
DAYS = st.lists(st.tuples(st.integers(0, 9), REQUESTS, st.booleans()), min_size=1, max_size=5)


def worlds(seed: int) -> World:
    late = Delay(partition("2025-11-14", Tier.OTC), MONDAY_MORNING + timedelta(days=3))
    return World(
        seed=seed, symbols=4, ats=3, firms=3, first_week=date(2025, 9, 5), restatement_rate=0.9, events=(late,)
    )


def outage(at: datetime) -> tuple[Outage, ...]:
    return (Outage(partition("2025-11-21", Tier.NMS_TIER_2), at, at + AN_HOUR),)


def nameless(store: Store) -> dict[str, Any]:
    """Everything in a store but the names of its runs: instants, evidence, occurrences and history included."""
    found = everything(store)
    found["captures"] = [evolve(capture, run_id="") for capture in found["captures"]]
    # Which partition of a run was decided on first depends on whether its content is still to be compared.
    found["decisions"] = sorted(
        (str(d.decided_at), str(d.partition), str(evolve(d, run_id=""))) for d in found["decisions"]
    )
    found["runs"] = [evolve(run, run_id="", report_json=None) for run in found["runs"]]
    return found


@given(seed=st.integers(0, 30), days=DAYS)
@settings(max_examples=30)
def test_applying_a_plan_does_what_a_run_does(seed: int, days: list[tuple[int, dict[str, Any], bool]]) -> None:
    running, applying = (Bench(open_store("memory:"), worlds(seed)) for _ in range(2))
    for pause, request, is_down in [(0, {"lookback_weeks": 9}, False), *days]:
        for bench in (running, applying):
            bench.clock.forward(days=pause)
            bench.outages = outage(bench.clock.now) if is_down else ()

        ran = running.run(**request)
        applied = applying.apply(kept(applying.plan(**request)))

        assert done(applied) == done(ran)
        assert nameless(applying.store) == nameless(running.store)


def done(report: RunReport) -> RunReport:
    return evolve(report, run_id="")


@given(seed=st.integers(0, 30), days=DAYS)
@settings(max_examples=30)
def test_a_dry_run_always_equals_the_run_after_it(seed: int, days: list[tuple[int, dict[str, Any], bool]]) -> None:
    bench = Bench(open_store("memory:"), worlds(seed))
    for pause, request, is_down in [(0, {"lookback_weeks": 9}, False), *days]:
        bench.clock.forward(days=pause)
        bench.outages = outage(bench.clock.now) if is_down else ()
        before = everything(bench.store)

        rehearsed = bench.run(mode="dry-run", **request)
        assert everything(bench.store) == before
        ran = bench.run(**request)

        assert told(rehearsed) == told(ran)
        assert (rehearsed.sweep, rehearsed.problems, rehearsed.exit_code) == (ran.sweep, ran.problems, ran.exit_code)
        assert [rehearsed.anomalies[name] for name in ("INFO", "ERROR")] == [
            ran.anomalies[name] for name in ("INFO", "ERROR")
        ]


def told(report: RunReport) -> list[tuple[object, ...]]:
    as_done = {Outcome.WOULD_INGEST: Outcome.INGESTED, Outcome.WOULD_SKIP: Outcome.SKIPPED}
    return [(p.partition, as_done.get(p.outcome, p.outcome), p.reason, p.rule, p.origin) for p in report.partitions]


# JSON -------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 30), days=DAYS)
@settings(max_examples=20)
def test_a_plan_survives_json(seed: int, days: list[tuple[int, dict[str, Any], bool]]) -> None:
    bench = Bench(open_store("memory:"), worlds(seed))
    bench.run(lookback_weeks=9)
    for pause, request, is_down in days:
        bench.clock.forward(days=pause)
        bench.outages = outage(bench.clock.now) if is_down else ()
        plan = bench.plan(**request)
        assert kept(plan) == plan


def test_the_json_of_a_plan_is_readable_without_this_library(quiet: Bench) -> None:
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=1)

    plan = json.loads(to_json(quiet.plan(weeks=[WEEK], tiers=[Tier.OTC])))

    [planned] = plan["partitions"]
    assert planned["partition"] == {"week_ending": "2025-11-28", "tier": "OTC"}
    assert (planned["origin"], planned["decision"]["action"]) == ("asked", "skip")
    assert planned["decision"]["evidence"]["version"]["last_update_date"] == "2025-12-29"
    assert plan["planned_at"] == "2026-01-06T15:30:00.000000Z"
    assert plan["request"]["weeks"] == ["2025-11-28"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text[:-1], "no Plan: "),
        (lambda _text: "{}", r"no Plan: required field missing @ \$\.schema_version"),
        (lambda text: text.replace('"OTC"', '"OTCE"'), r"expected Tier .*'OTCE'.* @ \$\.request\.tiers"),
        (lambda text: text.replace('"workers": 4', '"workers": -4'), r"workers is -4: .* @ \$\.request"),
        (lambda text: text.replace('"week_ending": "2025-11-28"', '"week_ending": "soon"'), "week_ending"),
        (lambda text: text.replace('"week_ending": "2025-11-28"', '"week_ending": "2025-11-29"'), "not a Friday"),
        (lambda text: text.replace('"run_date": "2026-01-05"', '"run_date": 5'), "run_date"),
    ],
    ids=["cut off", "empty", "a tier", "a number", "a date", "a Saturday", "a number for a date"],
)
def test_a_file_that_is_no_plan_is_refused_by_naming_the_place(
    quiet: Bench, edit: Callable[[str], str], said: str
) -> None:
    text = edit(to_json(quiet.plan(weeks=[WEEK])))
    with pytest.raises(ConfigurationError, match=said):
        from_json(text, Plan)


# Applying ---------------------------------------------------------------------------------------------


@pytest.fixture
def restated(quiet: Bench) -> Bench:
    """Monday is captured. On Tuesday two partitions are restated, one of them without a sign of it."""
    quiet.world = evolve(
        QUIET,
        events=(
            Restatement(OTC, MONDAY_MORNING + 20 * AN_HOUR, changed=1),
            Restatement(T1, MONDAY_MORNING + 20 * AN_HOUR, changed=1, silent=True),
        ),
    )
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=1)
    return quiet


def test_applying_does_what_the_plan_says_and_no_more(restated: Bench) -> None:
    plan = restated.plan(weeks=[WEEK])

    report = restated.apply(kept(plan))

    assert {p.partition: p.rule for p in report.partitions} == {p.partition: p.decision.rule for p in plan.partitions}
    assert [(p.partition, p.reason) for p in report.partitions if p.outcome is Outcome.INGESTED] == [
        (OTC, "source updated 2026-01-06 > stored 2025-12-29")
    ]
    assert len(captures_of(restated.store)) == 4
    assert report.exit_code == 0


def test_a_plan_is_applied_as_of_the_day_it_was_made_for(quiet: Bench) -> None:
    plan = quiet.plan(weeks=[WEEK], run_date=date(2026, 1, 2))
    quiet.clock.forward(days=5)

    report = quiet.apply(plan)

    assert report.run_date == date(2026, 1, 2)
    assert {c.capture_id.rpartition(":")[2] for c in captures_of(quiet.store)} == {"20260102"}


def test_the_plan_of_a_dry_run_is_applied_as_a_run(quiet: Bench) -> None:
    report = quiet.apply(quiet.plan(weeks=[WEEK], mode="dry-run"))

    assert (report.mode.value, report.count(Outcome.INGESTED)) == ("run", 3)


def assert_refused(bench: Bench, plan: Plan, *said: str, **options: Any) -> None:
    """Applying it names what differs, from both sides, and leaves the store as it is, to the last byte."""
    before, dumped = everything(bench.store), dump(bench.store)

    with pytest.raises(PlanDriftError) as raised:
        bench.apply(plan, **options)

    error = raised.value
    assert isinstance(error, ConfigurationError)
    assert error.message.startswith("the plan is stale: ")
    assert error.message.endswith(": make a new plan")
    assert "\n" not in error.message
    for text in said:
        assert any(text in line for line in error.differences), error.differences
    assert (everything(bench.store), dump(bench.store)) == (before, dumped)


def dump(store: Store) -> list[str]:
    """Every row of a SQLite database, whatever the library makes of it."""
    if not store.url.startswith("sqlite:"):
        return []
    with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
        return list(connection.iterdump())


def test_a_plan_is_refused_once_it_was_applied(restated: Bench) -> None:
    plan = restated.plan(weeks=[WEEK])
    restated.apply(plan)

    assert_refused(
        restated,
        plan,
        "2025-11-28 / OTC: the plan saw finra.otc_transparency:OTC:2025-11-28:20260105 (capture 3, content ",
        ", the store now has finra.otc_transparency:OTC:2025-11-28:20260106 (capture 4, content ",
    )


def test_a_plan_is_refused_after_the_store_has_got_its_first_capture(quiet: Bench) -> None:
    plan = quiet.plan(weeks=[WEEK])
    quiet.run(weeks=[WEEK], tiers=[Tier.OTC])

    assert_refused(
        quiet, plan, "2025-11-28 / OTC: the plan saw no capture, the store now has finra.otc_transparency:OTC:"
    )


def test_a_plan_is_refused_after_the_source_has_changed(restated: Bench) -> None:
    plan = restated.plan(weeks=[WEEK])
    restated.world = evolve(
        restated.world, events=(*restated.world.events, Restatement(OTC, MONDAY_MORNING + 25 * AN_HOUR, added=1))
    )
    restated.clock.forward(hours=3)

    assert_refused(
        restated, plan, "2025-11-28 / OTC: the plan saw version 2026-01-06, ", ", the source now has 2026-01-06, "
    )


def test_a_plan_is_refused_after_a_content_has_changed_that_it_compared(restated: Bench) -> None:
    plan = restated.plan(weeks=[WEEK], tiers=[Tier.NMS_TIER_1], verify=True)
    assert [p.decision.rule for p in plan.partitions] == [Rule.SILENT_REVISION]
    again = Restatement(T1, MONDAY_MORNING + 25 * AN_HOUR, changed=1, silent=True)
    restated.world = evolve(restated.world, events=(*restated.world.events, again))
    restated.clock.forward(hours=3)

    assert_refused(restated, plan, "2025-11-28 / NMS_TIER_1: the plan saw content ", ", the source now has ")


def test_a_plan_is_refused_after_a_content_has_changed_that_it_found_unchanged(quiet: Bench) -> None:
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=1)
    plan = quiet.plan(weeks=[WEEK], verify=True)
    quiet.world = evolve(QUIET, events=(Restatement(OTC, MONDAY_MORNING + 25 * AN_HOUR, changed=1, silent=True),))
    quiet.clock.forward(hours=3)

    assert_refused(quiet, plan, "2025-11-28 / OTC: the plan saw content ")


def test_a_plan_is_refused_after_the_source_has_published_more(quiet: Bench) -> None:
    quiet.world = evolve(QUIET, events=(Delay(OTC, MONDAY_MORNING + AN_HOUR),))
    plan = quiet.plan()
    quiet.clock.forward(hours=2)

    assert_refused(quiet, plan, "2025-11-28 / OTC: the plan saw version none, the source now has 2026-01-05, ")


def test_a_plan_is_refused_after_the_source_has_withdrawn_a_partition(quiet: Bench) -> None:
    plan = quiet.plan(weeks=[WEEK, date(2025, 12, 5)])
    quiet.world = evolve(QUIET, first_week=date(2025, 12, 5))

    assert_refused(quiet, plan, "2025-11-28 / OTC: the plan saw version 2025-12-29, ", ", the source now has none")


def test_a_plan_is_refused_while_the_source_is_down_that_answered_then(quiet: Bench) -> None:
    plan = quiet.plan(weeks=[WEEK])
    quiet.outages = (Outage(None, MONDAY_MORNING, MONDAY_MORNING + AN_HOUR),)

    assert_refused(quiet, plan, "2025-11-28 / OTC: the plan saw version 2025-12-29, ", ", the source now has none")


def test_a_plan_that_failed_is_refused_once_the_source_answers(quiet: Bench) -> None:
    quiet.outages = (Outage(OTC, MONDAY_MORNING, MONDAY_MORNING + AN_HOUR),)
    plan = quiet.plan(weeks=[WEEK])
    quiet.clock.forward(hours=2)

    assert_refused(quiet, plan, "2025-11-28 / OTC: the plan saw version none, the source now has 2025-12-29, ")


def test_a_plan_of_another_store_is_refused(quiet: Bench) -> None:
    other = Bench(open_store("memory://other"), QUIET)
    plan = other.plan(weeks=[WEEK])

    assert_refused(quiet, plan, f"the plan is for the store memory://other, this is {quiet.store.url}")


def test_a_plan_of_another_store_under_the_same_name_is_refused() -> None:
    one, other = (Bench(open_store("memory:"), QUIET) for _ in range(2))
    for bench, weeks in ((one, [WEEK]), (other, [date(2025, 11, 21), WEEK])):
        for week in weeks:
            bench.run(weeks=[week])
        bench.clock.forward(days=1)

    assert_refused(one, other.plan(weeks=[WEEK]), "(capture 6, content ", "(capture 3, content ")


def test_a_plan_of_another_source_is_refused(quiet: Bench) -> None:
    plan = quiet.plan(weeks=[WEEK])
    files = SimulatorSource(quiet.world, quiet.clock, info=SourceInfo(label="files", kind=SourceKind.ARCHIVE))

    assert_refused(quiet, plan, "the plan is for the source simulator, this is files", source=files)


def test_all_that_differs_is_in_the_error_and_the_first_in_its_message(quiet: Bench) -> None:
    plan = quiet.plan(weeks=[WEEK])
    quiet.run(weeks=[WEEK])

    with pytest.raises(PlanDriftError) as raised:
        quiet.apply(plan)

    assert [line.partition(":")[0] for line in raised.value.differences] == [
        "2025-11-28 / NMS_TIER_1",
        "2025-11-28 / NMS_TIER_2",
        "2025-11-28 / OTC",
    ]
    assert f"{raised.value.differences[0]} (and 2 more)" in raised.value.message


def test_a_plan_of_another_release_is_refused(quiet: Bench) -> None:
    plan = evolve(quiet.plan(weeks=[WEEK]), schema_version=2)
    before = everything(quiet.store)

    with pytest.raises(ConfigurationError, match="the plan has version 2, this release reads version 1"):
        quiet.apply(plan)
    assert everything(quiet.store) == before


def test_what_changes_between_the_comparison_and_the_fetch_fails_its_partition_alone(restated: Bench) -> None:
    plan = restated.plan(weeks=[WEEK], verify=True)
    fetches: list[Partition] = []

    class ChangesAtLast(SimulatorSource):
        """FINRA changes tier 1 after applying has compared its content and before it fetches it to store it."""

        def fetch(self, partition: Partition, *args: Any) -> Any:
            fetches.append(partition)
            later = fetches.count(partition) > 1 and partition == T1
            again = Restatement(T1, MONDAY_MORNING + 23 * AN_HOUR, changed=1, silent=True)
            world = evolve(self.world, events=(*self.world.events, again)) if later else self.world
            return SimulatorSource(world, self.clock).fetch(partition, *args)

    report = restated.apply(plan, source=ChangesAtLast(restated.world, restated.clock))

    assert {p.partition.tier: p.outcome for p in report.partitions} == {
        Tier.NMS_TIER_1: Outcome.FAILED,
        Tier.NMS_TIER_2: Outcome.SKIPPED,
        Tier.OTC: Outcome.INGESTED,
    }
    assert report.exit_code == 1
    assert "plan again" in report.partitions[0].reason
