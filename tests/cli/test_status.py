"""`finra status`: is last week ready, if not why, and when will it be?"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.command import RUN, STORE, Command, CommandHere


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


ON = ("--on", "2026-01-06")
"""The day after the first run."""


def status(finra: Command, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(finra.ok("status", "--json", *(arguments or ON)))
    return document


def test_it_says_of_each_week_what_it_is_and_when_it_can_be_ready(finra_after_run: Command) -> None:
    weeks = status(finra_after_run)["weeks"]

    assert [(week["week_ending"], week["verdict"], week["ready_on"]) for week in weeks] == [
        ("2025-12-19", "waiting", "2026-01-20"),  # the 19th is Martin Luther King Day
        ("2025-12-12", "waiting", "2026-01-12"),
        ("2025-12-05", "ready", None),
        ("2025-11-28", "ready", None),
        ("2025-11-21", "ready", None),
        ("2025-11-14", "ready", None),
        ("2025-11-07", "ready", None),
        ("2025-10-31", "ready", None),
    ]
    tiers = weeks[1]["tiers"]
    assert {name: tier["progress"] for name, tier in tiers.items()} == {
        "NMS_TIER_1": "analyzed",
        "NMS_TIER_2": "not_due",
        "OTC": "not_due",
    }
    assert tiers["NMS_TIER_1"]["capture_id"] == "finra.otc_transparency:NMS_TIER_1:2025-12-12:20260105"
    assert [issue["kind"] for issue in weeks[1]["blocking_issues"]] == ["waiting_for_tier"] * 2


def test_it_says_what_is_due_next_and_what_the_last_run_came_to(finra_after_run: Command) -> None:
    found = status(finra_after_run)

    assert found["last_run"]["exit_code"] == 0
    assert found["next_due"] == {
        "due_on": "2026-01-12",
        "partitions": [
            {"week_ending": "2025-12-26", "tier": "NMS_TIER_1"},
            {"week_ending": "2025-12-12", "tier": "NMS_TIER_2"},
            {"week_ending": "2025-12-12", "tier": "OTC"},
        ],
    }
    assert found["totals"] == {
        "weeks": 8,
        "ready": 6,
        "waiting": 2,
        "blocked": 0,
        "captures": 20,
        "open_anomalies": {"CRITICAL": 0, "ERROR": 0, "WARN": 0},
    }


def test_a_week_waits_through_its_days_of_grace_and_is_late_after_them(finra_after_run: Command) -> None:
    def week(day: str) -> tuple[str, str | None, str]:
        found = next(w for w in status(finra_after_run, "--on", day)["weeks"] if w["week_ending"] == "2025-12-12")
        return found["verdict"], found["ready_on"], found["tiers"]["OTC"]["progress"]

    assert week("2026-01-14") == ("waiting", "2026-01-14", "due")  # due on the 12th, three days of grace
    assert week("2026-01-16") == ("blocked", None, "late")


def test_weeks_that_nobody_has_fetched_are_a_gap_with_the_command_that_fetches_them(finra: Command) -> None:
    finra.ok(*RUN)
    finra.ok(*RUN, "--weeks", "2025-08-04")

    (gap,) = status(finra)["gaps"]

    assert gap == {
        "from": "2025-08-15",
        "to": "2025-10-24",
        "weeks": 11,
        "command": "finra run --weeks 2025-08-15..2025-10-24",
    }
    finra.ok(*RUN, *gap["command"].split()[2:])
    assert status(finra)["gaps"] == []


def test_a_week_that_is_late_in_all_tiers_is_listed(finra_after_run: Command) -> None:
    late = next(w for w in status(finra_after_run, "--on", "2026-03-02")["weeks"] if w["week_ending"] == "2026-01-16")

    assert late["verdict"] == "blocked"
    assert {tier["progress"] for tier in late["tiers"].values()} == {"late"}


def test_a_week_whose_run_was_killed_before_it_was_judged_is_not_ready(finra_after_run: Command) -> None:
    assert status(finra_after_run)["weeks"][2]["verdict"] == "ready"
    with closing(sqlite3.connect(finra_after_run.folder / STORE)) as connection, connection:
        connection.execute("DELETE FROM core_data_readiness")

    week = status(finra_after_run)["weeks"][2]

    assert (week["verdict"], [issue["kind"] for issue in week["blocking_issues"]]) == ("blocked", ["not_judged"])


def test_the_page_fits_a_terminal_of_80_columns_and_says_what_the_document_says(finra_after_run: Command) -> None:
    lines = finra_after_run.ok("status", *ON).splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Last run: 2")
    assert ", exit code 0 (" in lines[0]
    assert lines[1] == "Next due: Mon 2026-01-12: 2025-12-26 NMS_TIER_1, 2025-12-12 NMS_TIER_2 and OTC"
    rows = [" ".join(line.split()) for line in lines]
    assert "2025-12-12 analyzed 2026-01-12 2026-01-12 waiting until 2026-01-12" in rows
    assert "2025-12-05 analyzed analyzed analyzed ready" in rows
    assert rows[-1] == "8 weeks: 6 ready, 2 waiting, 0 blocked; 20 captures; open anomalies: none"


def test_only_the_newest_weeks_are_shown_unless_all_are_asked_for(finra: Command) -> None:
    finra.ok(*RUN, "--lookback-weeks", "15")

    some, every = finra.ok("status", *ON), finra.ok("status", "--all", *ON)

    assert "5 older weeks not shown: --all shows all\n" in some
    assert some.count(" ready\n") == 10
    assert every.count(" ready\n") == 15


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--week", "2025-12-01"), 0),
        (("--week", "2025-12-12"), 1),
        (("--week", "2020-01-06"), 1),
        (("--on", "2026-01-06"), 0),
        (("--on", "2026-01-13"), 1),
    ],
)
def test_readiness_can_be_waited_for(finra_after_run: Command, arguments: tuple[str, ...], code: int) -> None:
    ended = finra_after_run("readiness", "--check", *arguments)

    assert ended.returncode == code
    assert ended.stdout
    assert finra_after_run("readiness", *arguments).returncode == 0


def test_the_ledger_shows_each_run_and_one_runs_report(finra_after_run: Command) -> None:
    finra_after_run.ok(*RUN, "--weeks", "2025-12-01")
    latest, first = json.loads(finra_after_run.ok("runs", "--json"))["runs"]

    assert (latest["outcomes"], first["outcomes"]) == ({"skipped": 3}, {"ingested": 20})
    shown = finra_after_run.ok("runs").splitlines()
    assert shown[0].split() == ["started_at", "run", "mode", "took", "exit", "ingested", "skipped", "failed", "other"]
    assert shown[1].split()[2:4] == [latest["run_id"][:8], "run"]
    assert shown[1].split()[5:] == ["0", "0", "3", "0", "0"]
    assert max(map(len, shown)) <= 80
    assert "Partitions ingested: 20 / 20 (first capture)" in finra_after_run.ok("runs", first["run_id"][:8])
    assert len(json.loads(finra_after_run.ok("runs", "-n", "1", "--json"))["runs"]) == 1
