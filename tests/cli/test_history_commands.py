"""`finra explain`, `finra doctor` and `finra runs RUN_ID`: readable at 80 columns, and whole for programs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from finra_cli.presenters.doctor import diagnosis, doctor_page
from finra_core import RunRequest, open_store
from finra_core.history.doctor import examine
from finra_core.history.gaps import group
from finra_core.runs.heal import heal
from finra_simulator import World
from support.command import RUN, SIMULATOR, Command, CommandHere
from support.harness import Bench
from support.priced import Priced

HEAL = ("doctor", "--on", "2026-01-06", "--heal", "--source", SIMULATOR)


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


@pytest.fixture
def holed(finra: Command) -> Command:
    """A store of a week, then of a daily run: the weeks between were never asked for. Another failed."""
    finra.ok(*RUN, "--weeks", "2025-09-03")
    finra.ok(*RUN)
    finra(
        "run", "--source", "http://127.0.0.1:9", "--weeks", "2025-10-06", "--tiers", "OTC", env={"FINRA_DEADLINE": "1"}
    )
    return finra


def gaps_of(finra: Command, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(finra.ok("doctor", "--on", "2026-01-06", "--json", *arguments))["gaps"]
    return found


def test_the_doctor_groups_neighboring_weeks_and_each_line_fits_80_columns(holed: Command) -> None:
    lines = holed.ok("doctor", "--on", "2026-01-06").splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[0] == "failed: 2025-10-10, OTC"
    assert [line.strip() for line in lines if line.strip().startswith("finra ")] == [
        "finra run --weeks 2025-10-10 --tiers OTC",
        "finra run --weeks 2025-10-17..2025-10-24",
        "finra run --weeks 2025-10-10 --tiers NMS_TIER_1,NMS_TIER_2",
        "finra run --weeks 2025-09-12..2025-10-03",
    ]
    assert " ".join(lines[-2:]).startswith("21 gaps in the weeks from 2025-09-05 on, where this store begins.")


def test_in_json_each_gap_is_one_week_of_one_tier(holed: Command) -> None:
    gaps = gaps_of(holed)

    assert len(gaps) == 7 * 3
    assert gaps[0] == {
        "week_ending": "2025-10-24",
        "tier": "NMS_TIER_1",
        "kind": "never_asked",
        "message": "due on 2025-11-10, and no run has asked for it",
        "command": "finra run --weeks 2025-10-24 --tiers NMS_TIER_1",
    }
    assert [gap["kind"] for gap in gaps if gap["week_ending"] == "2025-10-10"] == ["never_asked"] * 2 + ["failed"]


def test_the_commands_that_it_names_mend_the_gaps(holed: Command) -> None:
    for line in holed.ok("doctor", "--on", "2026-01-06").splitlines():
        if line.startswith("    finra run"):
            holed.ok(*RUN, *line.split()[2:])
    assert gaps_of(holed) == []


def test_healing_carries_them_out_and_then_there_are_none(holed: Command) -> None:
    healed = json.loads(holed.ok(*HEAL, "--json"))

    assert healed["gaps"] == gaps_of(holed) == []
    assert [mended["command"] for mended in healed["healed"]["mended"]] == [
        "finra run --weeks 2025-10-10 --tiers OTC",
        "finra run --weeks 2025-10-17..2025-10-24",
        "finra run --weeks 2025-10-10 --tiers NMS_TIER_1,NMS_TIER_2",
        "finra run --weeks 2025-09-12..2025-10-03",
    ]
    assert healed["healed"]["left_out"] == []
    runs = json.loads(holed.ok("runs", "--json"))["runs"]
    assert [run["run_id"] for run in runs[:4]] == [each["run_id"] for each in healed["healed"]["mended"]][::-1]
    said = holed.ok(*HEAL).splitlines()
    assert " ".join(said).startswith("No gaps left in the weeks from 2025-09-05 on")


def test_healing_ends_with_the_code_of_its_worst_run(holed: Command) -> None:
    ended = holed(
        "doctor", "--on", "2026-01-06", "--heal", "--source", "http://127.0.0.1:9", env={"FINRA_DEADLINE": "1"}
    )

    assert ended.returncode == 1
    assert ended.stdout.count("exit code 1") == 4
    assert "21 gaps left" in ended.stdout


def test_on_nothing_the_doctor_says_how_to_begin_and_makes_no_file(finra: Command) -> None:
    assert "holds no captures yet: `finra run` brings them." in " ".join(finra.ok("doctor").split())
    assert json.loads(finra.ok("doctor", "--json"))["gaps"] == []
    assert list(finra.folder.iterdir()) == []


def test_an_explanation_says_it_all_and_each_line_fits_80_columns(holed: Command) -> None:
    finra = holed
    for week, tier in (("2025-12-01", "OTC"), ("2025-10-07", "OTC"), ("2025-12-19", "NMS_TIER_2")):
        lines = finra.ok("explain", week, tier, "--on", "2026-01-06").splitlines()
        assert max(map(len, lines)) <= 80
    absent = finra.ok("explain", "2025-10-07", "OTC", "--on", "2026-01-06")
    assert "fail by source_failed" in absent
    assert "ERROR SOURCE_UNAVAILABLE" in absent
    assert "Next, from 2026-01-06: finra run --weeks 2025-10-10 --tiers OTC tries it again" in absent
    waiting = finra.ok("explain", "2025-12-19", "NMS_TIER_2", "--on", "2026-01-06")
    assert "Next, from 2026-01-20: wait for FINRA's publication" in waiting


def test_in_json_an_explanation_has_exact_shares_and_every_decision(finra: Command) -> None:
    for _ in range(3):
        finra.ok(*RUN, "--weeks", "2025-12-01", "--tiers", "OTC")

    found = json.loads(finra.ok("explain", "2025-12-01", "OTC", "--json"))

    (capture,) = found["captures"]
    (total,) = finra.query("SELECT SUM(shares_micros) FROM finra_otc_transparency_normalized")[0]
    shares = sum(int(half["shares"].partition(".")[0]) * 10**6 for half in capture["coverage"])
    assert shares == total  # the week is older than fractional shares
    assert capture["stages"] == ["RAW", "NORMALIZED", "CALC"]
    runs = [run["run_id"] for run in json.loads(finra.ok("runs", "--json"))["runs"]]
    assert [each["count"] for each in found["decisions"]] == [2, 1]
    assert [run_id for each in found["decisions"] for run_id in each["run_ids"]] == runs


def test_one_run_has_its_decisions_findings_and_judgments(holed: Command) -> None:
    failed, daily, _first = json.loads(holed.ok("runs", "--json"))["runs"]
    assert failed["decisions"] is daily["decisions"] is None

    (one,) = json.loads(holed.ok("runs", daily["run_id"][:10], "--json"))["runs"]
    page = holed.ok("runs", failed["run_id"])

    reported = {(p["week_ending"], p["tier"]): p["rule"] for p in one["report"]["partitions"]}
    assert {(d["week_ending"], d["tier"]): d["rule"] for d in one["decisions"]} == reported
    assert one["seconds"] >= 0
    assert max(map(len, page.splitlines())) <= 80
    assert "2025-10-10 / OTC: fail by source_failed" in page
    assert "ERROR SOURCE_UNAVAILABLE, 2025-10-10 / OTC" in page
    assert "2025-10-10: not ready for trading; Missing tier: NMS_TIER_1" in " ".join(page.split())


def test_a_mistyped_run_is_answered_with_the_one_that_is_meant(holed: Command) -> None:
    run_id = json.loads(holed.ok("runs", "--json"))["runs"][0]["run_id"]
    slip = f"{run_id[:6]}{'g' if run_id[6] != 'g' else 'h'}{run_id[7]}"

    assert f"did you mean {run_id[:8]}?" in holed("runs", slip).stderr


def test_what_did_not_fit_into_the_budget_is_said_with_its_size() -> None:
    with open_store("memory:") as store:
        bench = Bench(store, World(symbols=2, ats=2, firms=2, restatement_rate=0.0))
        bench.run(weeks=(date(2025, 9, 5),))
        bench.run()
        source = Priced(bench.source, bytes_each=1_000)
        with store.read() as view:
            groups = group(examine(view, bench.clock()).gaps)
        scheduler = bench.scheduler(source=source)
        healing = heal(scheduler, source, groups, RunRequest(), max_bytes=10_000)
        with store.read() as view:
            left = examine(view, bench.clock())

    page = doctor_page(diagnosis(left, healing, 10_000), left, store.url).plain()

    # Seven weeks of three tiers are missing, and each partition takes 1,000 bytes.
    assert "ran: finra run --weeks 2025-10-10..2025-10-24\n    9 ingested; exit code 0\n" in page
    assert "left out of 10,000 bytes: 4 weeks\n    expected to take 12,000 bytes;" in page
    assert "never asked for: 2025-09-12 to 2025-10-03 (4 weeks), all tiers\n" in page
    assert "12 gaps left in the weeks from 2025-09-05 on" in page
