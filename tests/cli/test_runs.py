"""Runs through the command: the report, dry runs, the environment, and what the reading commands then show."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from finra_core import RunReport
from support.command import RUN, SIMULATOR, STORE, Command

LATER = SIMULATOR.replace("2026-01-05", "2026-01-13").replace("rate=0", "rate=1")
NEXT_RUN = ("run", "--run-date", "2026-01-13", "--source", LATER)
"""Another world, a week later: every partition of the first run has been restated, two are new."""

LISTS = {
    "status": "weeks",
    "readiness": "weeks",
    "anomalies": "anomalies",
    "captures": "captures",
    "runs": "runs",
}
"""The commands that read a store, each with the list in its JSON."""

REPORT = {"schema_version", "run_id", "mode", "run_date", "partitions", "readiness", "anomalies", "exit_code"}
PARTITION = {"week_ending", "tier", "outcome", "reason", "capture_id", "revision", "rows"}
READINESS = {"week_ending", "ready_for", "is_ready", "blocking_issues"}


def report_of(finra: Command, *arguments: str, code: int = 0) -> dict[str, Any]:
    ended = finra(*arguments, "--json")
    report: dict[str, Any] = json.loads(ended.stdout)
    assert ended.returncode == report["exit_code"] == code, ended.stderr
    return report


def outcomes(report: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(p["week_ending"], p["tier"]): p["outcome"] for p in report["partitions"]}


def fingerprint(folder: Path) -> list[tuple[str, int, str]]:
    return sorted(
        (path.name, path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in folder.iterdir()
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(RUN, 0), ((*RUN, "--mode", "dry-run"), 0), (("run", "--workers", "0"), 2), (("run", "--source", "x:"), 2)],
)
def test_the_report_has_the_documented_keys_however_the_run_ended(
    finra: Command, arguments: tuple[str, ...], code: int
) -> None:
    ended = finra(*arguments, "--json")

    report = json.loads(ended.stdout)
    assert report.keys() >= REPORT
    assert ended.returncode == report["exit_code"] == code
    assert report["anomalies"].keys() == {"CRITICAL", "ERROR", "WARN", "INFO"}
    assert all(partition.keys() >= PARTITION for partition in report["partitions"])
    assert all(readiness.keys() >= READINESS for readiness in report["readiness"])
    assert RunReport.from_json(ended.stdout).exit_code == code


def test_a_report_says_what_became_of_each_partition(finra: Command) -> None:
    weeks = ("--weeks", "2025-12-01,2025-12-15,2024-12-02")

    first, second = (report_of(finra, *RUN, *weeks, code=1) for _ in range(2))

    captured = ["2025-12-05", "2025-12-19"]
    assert outcomes(first) == {
        ("2025-12-19", "NMS_TIER_1"): "ingested",
        ("2025-12-19", "NMS_TIER_2"): "not_due",
        ("2025-12-19", "OTC"): "not_due",
        **{("2025-12-05", tier): "ingested" for tier in ("NMS_TIER_1", "NMS_TIER_2", "OTC")},
        **{("2024-12-06", tier): "failed" for tier in ("NMS_TIER_1", "NMS_TIER_2", "OTC")},
    }
    assert {p["outcome"] for p in second["partitions"] if p["week_ending"] in captured} == {"skipped", "not_due"}
    assert [r["week_ending"] for r in first["readiness"] if r["is_ready"]] == ["2025-12-05"]
    assert first["readiness"][0]["ready_on"] == "2026-01-20"
    assert first["readiness"][0]["blocking_issues"] == [
        {
            "kind": "waiting_for_tier",
            "tier": tier,
            "message": f"Waiting for tier: {tier}, due 2026-01-20",
            "action": "wait until 2026-01-20",
        }
        for tier in ("NMS_TIER_2", "OTC")
    ]
    assert finra.query("SELECT run_id FROM core_runs ORDER BY run_no") == [(first["run_id"],), (second["run_id"],)]


def test_a_source_that_is_down_fails_every_partition_with_code_1(finra: Command) -> None:
    ended = finra("run", "--source", "http://127.0.0.1:9", "--weeks", "2025-12-01", env={"FINRA_DEADLINE": "1"})

    assert ended.returncode == 1
    assert "Partitions failed: 3 / 3\n" in ended.stdout
    assert ended.stdout.endswith("Exit code: 1 (partial failure)\n")


def test_a_dry_run_on_nothing_makes_nothing(finra: Command) -> None:
    printed = finra.ok(*RUN, "--mode", "dry-run")

    assert list(finra.folder.iterdir()) == []
    lines = printed.splitlines()
    assert lines[0].startswith("[DRY-RUN] Would process weeks: 2025-12-19, 2025-12-12")
    assert "[DRY-RUN] Would ingest 2025-12-05 / OTC (No prior capture found (first ingest))" in lines
    assert lines[-3:] == ["[DRY-RUN] Summary: 20 ingests, 0 skips", "No database writes performed.", "Exit code: 0"]


def test_a_dry_run_touches_no_byte_and_the_run_after_it_does_what_it_said(finra_after_run: Command) -> None:
    before = fingerprint(finra_after_run.folder)

    said = outcomes(report_of(finra_after_run, *NEXT_RUN, "--mode", "dry-run"))

    assert fingerprint(finra_after_run.folder) == before
    assert set(said.values()) == {"would_ingest", "would_skip"}
    did = outcomes(report_of(finra_after_run, *NEXT_RUN))
    done = {"would_ingest": "ingested", "would_skip": "skipped"}
    assert did == {partition: done[outcome] for partition, outcome in said.items()}


def test_the_environment_names_store_and_source_and_flags_override_it(finra: Command) -> None:
    env = {"FINRA_STORE": "sqlite:///environment.db", "FINRA_SOURCE": SIMULATOR}
    week = ("run", "--weeks", "2025-12-01")

    finra.ok(*week, env=env)
    assert {path.name for path in finra.folder.iterdir()} == {"environment.db"}
    finra.ok(*week, "--store", "sqlite:///flag.db", "--source", "simulator:?symbols=2", env=env)

    assert {path.name for path in finra.folder.iterdir()} == {"environment.db", "flag.db"}
    rows = "SELECT SUM(row_count) FROM core_captures"
    assert finra.query(rows, name="environment.db") > finra.query(rows, name="flag.db")


def test_chained_and_phased_runs_end_alike(finra: Command, filled: Path) -> None:
    finra.ok(*RUN, "--order", "chained", "--workers", "1")

    assert finra.contents() == Command(filled.parent).contents()


def test_the_reading_commands_on_an_empty_store_say_so_and_make_no_file(finra: Command) -> None:
    for command, rows in LISTS.items():
        said = finra.ok(command).splitlines()[-1]
        assert said.startswith(f"sqlite:///{STORE}")
        assert said.endswith(".")
        assert json.loads(finra.ok(command, "--json"))[rows] == []
    assert list(finra.folder.iterdir()) == []


def test_readiness_shows_what_blocks_a_week(finra_after_run: Command) -> None:
    rows = json.loads(finra_after_run.ok("readiness", "--json"))["weeks"]

    assert [row["week_ending"] for row in rows if row["is_ready"]] == [
        "2025-12-05",
        "2025-11-28",
        "2025-11-21",
        "2025-11-14",
        "2025-11-07",
        "2025-10-31",
    ]
    assert [issue["tier"] for issue in rows[0]["blocking_issues"]] == ["NMS_TIER_2", "OTC"]
    shown = [line.split(maxsplit=4) for line in finra_after_run.ok("readiness").splitlines()]
    assert shown[3] == ["2025-12-05", "trading", "yes", "-", "-"]
    assert [line[3] for line in shown[1:3]] == ["2026-01-20", "2026-01-12"]
    assert shown[2][4].startswith("Waiting for tier: NMS_TIER_2, due 2026-01-12; Waiting")


def test_captures_can_be_narrowed_to_weeks_and_tiers(finra_after_run: Command) -> None:
    everything = json.loads(finra_after_run.ok("captures", "--json"))["captures"]
    narrow = ("--weeks", "2025-12-01..2025-12-10", "--tiers", "OTC")
    some = json.loads(finra_after_run.ok("captures", "--json", *narrow))["captures"]

    assert len(everything) == 20
    assert [capture["capture_id"] for capture in some] == ["finra.otc_transparency:OTC:2025-12-05:20260105"]
    assert finra_after_run.ok("captures").count("(first ingest)\n") == 20
    assert "no capture of these weeks" in finra_after_run.ok("captures", "--weeks", "2020-01-06")


def test_anomalies_shows_warnings_and_worse_unless_told_otherwise(finra_after_run: Command) -> None:
    report_of(finra_after_run, *RUN, "--weeks", "2025-12-01,2024-12-02", code=1)

    shown = json.loads(finra_after_run.ok("anomalies", "--json"))["anomalies"]
    audit = json.loads(finra_after_run.ok("anomalies", "--json", "--severity", "INFO"))["anomalies"]

    assert {(a["severity"], a["category"]) for a in shown} == {("ERROR", "INCOMPLETE_INPUT")}
    assert {a["category"] for a in audit} - {a["category"] for a in shown} == {"REVISION_SKIPPED"}
    assert "2024-12-06 / OTC" in finra_after_run.ok("anomalies")


def test_force_makes_a_new_revision_and_keeps_its_reason(finra: Command, filled: Path) -> None:
    shutil.copy(filled, finra.folder)
    finra.ok(*RUN, "--weeks", "2025-12-01", "--tiers", "OTC", "--force", "--reason", "audit 2026-03")

    captures = json.loads(finra.ok("captures", "--json", "--weeks", "2025-12-01", "--tiers", "OTC"))["captures"]
    assert [(c["revision"], c["reason"]) for c in captures][1] == (2, "Forced: audit 2026-03")
    assert len({c["capture_id"] for c in captures}) == 1
