"""A folder of FINRA's downloads through the command: a bad file or row is named, and costs nothing but itself."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.command import Command

HEADER = (
    "tierDescription|issueSymbolIdentifier|issueName|marketParticipantName|MPID|"
    "totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"
)
RUN = ("run", "--source", "file", "--source-path", "downloads", "--run-date", "2026-01-05")


def row(symbol: str, *, tier: str = "OTC", shares: str = "100", updated: str = "2025-12-15") -> str:
    return f"{tier}|{symbol}|{symbol} Inc|OTCN OTC LINK|OTCN|{shares}|1|{updated}"


def document(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


@pytest.fixture
def downloads(finra: Command) -> Path:
    """A folder with one good file: the OTC week ending 2025-11-21, two rows."""
    folder = finra.folder / "downloads"
    folder.mkdir()
    (folder / "good.csv").write_bytes(document(row("A", updated="2025-12-22"), row("B", updated="2025-12-22")))
    return folder


BAD_FILES = {
    "a broken header": (document(row("A"), header=HEADER.replace("MPID", "MPIDD")), "broken header"),
    "two tiers": (document(row("A"), row("B", tier="NMS Tier 1")), "contradicts itself on its tier"),
    "an unknown tier": (document(row("A", tier="NMS Tier 9")), "'NMS Tier 9'"),
    "a header only": (document(), "header only"),
    "nothing in it": (b"", "empty"),
    "bytes that are not UTF-8": (document(row("A")) + b"OTC|\xff|B|O|OTCN|1|1|2025-12-15\n", "not UTF-8"),
}


def assert_bad_file_fails_alone(finra: Command, says: str) -> None:
    ended = finra(*RUN)

    assert ended.returncode == 1
    named = [line for line in ended.stderr.splitlines() if "bad.csv" in line]
    assert len(named) == 1
    assert named[0].startswith("[ERROR] ")
    assert says in named[0]
    assert finra.query("SELECT week_ending, tier, row_count FROM core_captures") == [("2025-11-21", "OTC", 2)]
    assert "Failures: 0" not in ended.stdout


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_named_in_one_line_and_the_file_beside_it_is_ingested(
    finra: Command, downloads: Path, case: str
) -> None:
    content, says = BAD_FILES[case]
    (downloads / "bad.csv").write_bytes(content)

    assert_bad_file_fails_alone(finra, says)


def test_a_line_of_a_gigabyte_is_no_data_file(finra: Command, downloads: Path) -> None:
    with (downloads / "bad.csv").open("wb") as sparse:
        sparse.truncate(1 << 30)

    assert_bad_file_fails_alone(finra, "no line end in its first 64 KiB")


def test_a_folder_named_like_a_file_is_named(finra: Command, downloads: Path) -> None:
    (downloads / "bad.csv").mkdir()

    assert_bad_file_fails_alone(finra, "a folder")


BAD_ROWS = {
    "a short row": ("OTC|B|B Inc", "3 fields where the header has 8"),
    "letters in a number": (row("B", shares="12x"), "totalWeeklyShareQuantity '12x'"),
    "a key that was there": (row("A"), "repeats line 2"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_kept_aside_counted_and_keeps_its_week_from_being_ready(
    finra: Command, downloads: Path, case: str
) -> None:
    bad, reason = BAD_ROWS[case]
    (downloads / "bad.csv").write_bytes(document(row("A"), bad))

    ended = finra(*RUN)

    assert ended.returncode == 0
    assert f"[WARN]   2025-11-14 / OTC: 1 of 2 rows rejected; the first: {reason}" in ended.stderr
    kept = finra.query("SELECT line, raw_text, reason FROM finra_otc_rejected_rows")
    assert [(line, text) for line, text, _reason in kept] == [(3, bad)]
    assert reason in kept[0][2]
    (anomaly,) = json.loads(finra.ok("anomalies", "--json"))["anomalies"]
    assert (anomaly["category"], anomaly["details"]["rejected"]) == ("REJECTED_ROWS", 1)
    week = next(r for r in json.loads(finra.ok("readiness", "--json"))["weeks"] if r["week_ending"] == "2025-11-14")
    said = [issue["message"] for issue in week["blocking_issues"] if issue["kind"] == "rejected_rows"]
    assert said == ["OTC: 1 row rejected in finra.otc_transparency:OTC:2025-11-14:20260105"]
    stored = "SELECT symbol, shares FROM finra_otc_transparency_normalized WHERE week_ending = '2025-11-14'"
    assert finra.query(stored) == [("A", 100)]


REAL = {
    "2025-11-14": ("finra_otc_weekly_otc_20251215.csv", 5328),
    "2025-11-21": ("finra_otc_weekly_otc_20251222.csv", 5192),
}
BOOKKEEPING = {"core_runs", "core_anomalies", "core_decisions", "core_chain"}


@pytest.fixture
def real(finra: Command, shared_data: Path) -> Command:
    """The command, after a run over FINRA's own two files."""
    (finra.folder / "downloads").mkdir()
    for name, _rows in REAL.values():
        shutil.copyfile(shared_data / name, finra.folder / "downloads" / name)
    finra.ok(*RUN)
    return finra


def venue_sums(path: Path) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            sums[line["MPID"]] += Decimal(line["totalWeeklyShareQuantity"])
    return dict(sums)


def data_of(finra: Command) -> dict[str, list[tuple[Any, ...]]]:
    """All but the bookkeeping of runs, when a capture was last found unchanged, and when a judgment was last made."""
    tables = [name for (name,) in finra.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: finra.query(f"SELECT {_kept(finra, name)} FROM {name}") for name in tables if name not in BOOKKEEPING}


def _kept(finra: Command, table: str) -> str:
    columns = [column[1] for column in finra.query(f"PRAGMA table_info({table})")]
    return ", ".join(column for column in columns if column not in ("verified_at", "checked_at", "updated_at"))


def test_finras_files_are_ingested_as_the_weeks_they_are(real: Command) -> None:
    assert real.query("SELECT week_ending, tier, row_count FROM core_captures ORDER BY week_ending") == [
        (week, "OTC", rows) for week, (_name, rows) in REAL.items()
    ]
    counted = "SELECT week_ending, COUNT(*) FROM finra_otc_transparency_normalized GROUP BY week_ending"
    assert dict(real.query(counted)) == {week: rows for week, (_name, rows) in REAL.items()}


@pytest.mark.parametrize("week", REAL)
def test_the_volume_of_each_venue_is_an_independent_sum_of_its_rows(real: Command, week: str) -> None:
    stored = real.query(
        "SELECT mpid, shares_micros FROM finra_otc_transparency_venue_volume WHERE week_ending = ? AND tier = 'OTC'",
        week,
    )

    expected = venue_sums(real.folder / "downloads" / REAL[week][0])
    assert {mpid: Decimal(micros) / 1_000_000 for mpid, micros in stored} == expected


def test_a_second_run_of_the_same_day_writes_no_row_of_data(real: Command) -> None:
    before = data_of(real)

    assert "Partitions skipped: 2 / 2 (unchanged)" in real.ok(*RUN)

    assert data_of(real) == before


def test_an_edited_file_is_a_new_capture_that_costs_its_edits_and_leaves_the_old_numbers(real: Command) -> None:
    name, rows = REAL["2025-11-14"]
    path = real.folder / "downloads" / name
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[1].split("|")
    old_shares = int(cells[5])
    cells[5] = str(old_shares + 7)
    path.write_text("\n".join([lines[0], "|".join(cells), *lines[2:]]) + "\n", encoding="utf-8")
    versions = "SELECT COUNT(*) FROM finra_otc_row_versions"
    before = real.query(versions)[0][0]

    tomorrow = date(2026, 1, 5) + timedelta(days=1)
    report = json.loads(real.ok(*RUN[:-1], tomorrow.isoformat(), "--json"))

    assert [p["outcome"] for p in report["partitions"]] == ["skipped", "ingested"]
    assert real.query(versions)[0][0] - before == 1
    as_captured = (
        "SELECT capture_id, COUNT(*), SUM(CASE WHEN symbol = ? AND mpid = ? THEN shares END) "
        "FROM finra_otc_transparency_normalized WHERE week_ending = '2025-11-14' GROUP BY capture_id ORDER BY 1"
    )
    assert real.query(as_captured, cells[1], cells[4]) == [
        ("finra.otc_transparency:OTC:2025-11-14:20260105", rows, old_shares),
        ("finra.otc_transparency:OTC:2025-11-14:20260106", rows, old_shares + 7),
    ]
