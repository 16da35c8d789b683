"""A plan is kept in a file, looked at, and carried out, or refused where source or store have moved on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import RUN, SIMULATOR, STORE, Command, CommandHere


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


NEXT_MONDAY = SIMULATOR.replace("2026-01-05", "2026-01-12")
PLANNED = ("run", "--run-date", "2026-01-12", "--source", NEXT_MONDAY)


@pytest.fixture
def planned(finra_after_run: Command) -> Command:
    """The command in a folder with a store of one run and the plan of the next one."""
    finra_after_run.ok(*PLANNED, "--mode", "dry-run", "--out", "plan.json")
    return finra_after_run


def test_what_the_plan_says_is_done(planned: Command) -> None:
    plan = json.loads((planned.folder / "plan.json").read_text(encoding="utf-8"))

    report = json.loads(planned.ok("run", "--plan", "plan.json", "--source", NEXT_MONDAY, "--json"))

    assert (report["mode"], report["run_date"]) == ("run", "2026-01-12")
    ingested = {(p["week_ending"], p["tier"]) for p in report["partitions"] if p["outcome"] == "ingested"}
    assert ingested == {("2025-12-26", "NMS_TIER_1"), ("2025-12-12", "NMS_TIER_2"), ("2025-12-12", "OTC")}
    intended = [p["partition"] for p in plan["partitions"] if p["decision"]["action"] == "ingest"]
    assert {(p["week_ending"], p["tier"]) for p in intended} == ingested


def test_the_dry_run_says_where_the_plan_is(finra_after_run: Command) -> None:
    said = finra_after_run.ok(*PLANNED, "--mode", "dry-run", "--out", "plan.json")

    assert "Plan: plan.json. With --plan plan.json" in said
    assert "[DRY-RUN] Summary: 3 ingests, " in said


def test_a_store_that_has_moved_on_is_named_with_both_sides_and_nothing_is_written(planned: Command) -> None:
    planned.ok(*PLANNED, "--weeks", "2025-12-08", "--tiers", "OTC")
    before = planned.contents()

    ended = planned("run", "--plan", "plan.json", "--source", NEXT_MONDAY)

    assert ended.returncode == 2
    assert "2025-12-12 / OTC: the plan saw no capture, the store now has finra.otc_transparency:OTC" in ended.stderr
    assert planned.contents() == before


def test_a_source_that_has_moved_on_is_named_with_both_sides(planned: Command) -> None:
    restated = NEXT_MONDAY.replace("rate=0", "rate=1").replace("2026-01-12", "2026-01-14")

    ended = planned("run", "--plan", "plan.json", "--source", restated)

    assert ended.returncode == 2
    assert "the plan is stale: " in ended.stderr
    assert len(planned.query("SELECT run_id FROM core_runs")) == 1


def test_another_store_is_not_the_one_that_was_planned_for(planned: Command) -> None:
    ended = planned("run", "--plan", "plan.json", "--source", NEXT_MONDAY, "--store", "sqlite:///other.db")

    assert ended.returncode == 2
    assert STORE in ended.stderr
    assert "other.db" in ended.stderr


REFUSED = {
    "no file": (["--plan", "nowhere.json"], "--plan nowhere.json cannot be read: No such file"),
    "no plan": (["--plan", "other.json"], "--plan other.json holds no Plan"),
    "no text": (["--plan", STORE], "holds no plan: it is not UTF-8 text"),
    "what the plan says": (["--plan", "plan.json", "--tiers", "OTC"], "leave out --tiers"),
    "a rehearsal": (["--plan", "plan.json", "--mode", "dry-run"], "leave out --mode dry-run"),
    "a run's plan kept": (["--out", "plan.json"], "--out goes with --mode dry-run"),
    "no place for it": (["--mode", "dry-run", "--out", "no/where.json"], "--out no/where.json cannot be written"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_line(planned: Command, case: str) -> None:
    arguments, says = REFUSED[case]
    (planned.folder / "other.json").write_text("{}", encoding="utf-8")

    ended = planned("run", "--source", NEXT_MONDAY, "--quiet", *arguments)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert says in ended.stderr


def test_a_plan_of_another_version_is_refused(planned: Command) -> None:
    path = planned.folder / "plan.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plan, "schema_version": 99}), encoding="utf-8")

    assert "has version 99" in planned("run", "--plan", "plan.json", "--source", NEXT_MONDAY).stderr


def test_the_settings_that_stand_are_no_contradiction(planned: Command) -> None:
    (planned.folder / "finra.toml").write_text('order = "chained"\n', encoding="utf-8")

    planned.ok("run", "--plan", "plan.json", "--source", NEXT_MONDAY, env={"FINRA_TIERS": "OTC"})


def test_a_run_first_and_then_its_plan_again_is_stale(finra: Command) -> None:
    finra.ok(*RUN, "--mode", "dry-run", "--out", "plan.json")
    assert not (finra.folder / STORE).exists()
    finra.ok("run", "--plan", "plan.json", "--source", SIMULATOR)

    assert finra("run", "--plan", "plan.json", "--source", SIMULATOR).returncode == 2
