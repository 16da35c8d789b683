"""The benchmark command at its small size: it fails where a result is wrong, whatever the times are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from support.command import FINRA

ROOT = Path(__file__).resolve().parents[2]
WORKS = {
    "first_ingest", "fractions", "memory", "unchanged", "restatement",
    "backfill", "api_fetch", "analytics", "reading", "start_up",
}  # fmt: skip
AN_INGEST = ("first_ingest", "--rivals", "none")

BENCHMARKS = """
import os, runpy
os.sync = lambda: None
runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)
"""
"""The command, but it does not wait until the disk has what all the machine's programs wrote: no time counts here."""

pytestmark = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 shell is not installed")


@frozen
class Ended:
    exit_code: int
    works: dict[str, Any]
    table: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where FINRA's files are made once."""
    return tmp_path_factory.mktemp("benchmarks")


def measure(folder: Path, *arguments: str) -> Ended:
    """Run the command without PostgreSQL and without what it would have to install."""
    results = folder / "results.json"
    options = ["--size", "small", "--rivals", "floor", "--databases", "sqlite", f"--folder={folder}"]
    ended = subprocess.run(
        [sys.executable, "-c", BENCHMARKS, *options, f"--json={results}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return Ended(ended.returncode, json.loads(results.read_text(encoding="utf-8"))["works"], ended.stdout)


def product(path: Path, code: str) -> Path:
    """A `finra` of which `code` is done: `finra(*arguments)` in it is the true one, `arguments` are the caller's."""
    lines = [
        f"#!{sys.executable}",
        "import shutil, sqlite3, subprocess, sys, tempfile",
        "from pathlib import Path",
        "arguments = sys.argv[1:]",
        "def value(option): return arguments[arguments.index(option) + 1]",
        f"def finra(*arguments): return subprocess.call([{str(FINRA)!r}, *arguments])",
        code,
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o755)
    return path


def of_other_files(change: str) -> str:
    """A product that reads the files as they are after a change of the lines of one of them."""
    return f"""
with tempfile.TemporaryDirectory() as name:
    copy = Path(name, "copy")
    shutil.copytree(value("--source-path"), copy)
    changed = sorted(copy.rglob("*.csv"))[0]
    lines = changed.read_text(encoding="utf-8").splitlines()
    {change}
    changed.write_text("\\n".join(lines) + "\\n", encoding="utf-8")
    arguments[arguments.index("--source-path") + 1] = str(copy)
    sys.exit(finra(*arguments))
"""


def test_every_work_is_done_and_its_results_are_right(folder: Path) -> None:
    ended = measure(folder)

    assert ended.exit_code == 0, ended.works
    assert set(ended.works) == WORKS
    for name, work in ended.works.items():
        assert work["measures"], name
        assert work["right"] > 0, name
        assert not work["wrong"], name
        assert not work["skipped"], name


def test_a_goal_that_is_missed_fails_nothing(folder: Path) -> None:
    ended = measure(folder, "first_ingest")

    missed = [measure for measure in ended.works["first_ingest"]["measures"] if measure["reached"] is False]
    assert missed, "so few rows do not pay for starting Python"
    assert "**no**" in ended.table
    assert ended.exit_code == 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("lines.pop()", "rows, millionths of shares and trades"),
        ("cells = lines[1].split('|'); cells[5] += '0'; lines[1] = '|'.join(cells)", "HHI"),
    ],
    ids=["a row is lost", "a quantity is another"],
)
def test_a_product_that_does_not_store_what_the_files_hold_fails_the_command(
    folder: Path, tmp_path: Path, change: str, what: str
) -> None:
    wrong = product(tmp_path / "finra", of_other_files(change))

    ended = measure(folder, *AN_INGEST, "--finra", str(wrong))

    assert ended.exit_code == 1
    assert any(what in line for line in ended.works["first_ingest"]["wrong"])
    assert "**wrong**" in ended.table


def test_a_store_that_was_tampered_with_fails_the_command(folder: Path, tmp_path: Path) -> None:
    code = """
exit_code = finra(*arguments)
with sqlite3.connect(value("--store").removeprefix("sqlite:///")) as connection:
    connection.execute("UPDATE core_data_readiness SET is_ready = 0")
sys.exit(exit_code)
"""
    ended = measure(folder, *AN_INGEST, "--finra", str(product(tmp_path / "finra", code)))

    assert ended.exit_code == 1
    assert any("ready" in line for line in ended.works["first_ingest"]["wrong"])


def test_a_product_that_misses_a_restatement_fails_the_command(folder: Path, tmp_path: Path) -> None:
    code = """
sys.exit(0 if "2026-06-03" in arguments else finra(*arguments))
"""
    ended = measure(folder, "restatement", "--finra", str(product(tmp_path / "finra", code)))

    assert ended.exit_code == 1
    assert any(line.startswith("rows that changed") for line in ended.works["restatement"]["wrong"])


def test_a_product_that_asks_for_more_than_it_needs_fails_the_command(folder: Path, tmp_path: Path) -> None:
    code = "sys.exit(finra(*arguments, *(['--verify'] if arguments[0] == 'run' else [])))"

    ended = measure(folder, "unchanged", "--finra", str(product(tmp_path / "finra", code)))

    assert ended.exit_code == 1
    assert any(line.startswith("requests") for line in ended.works["unchanged"]["wrong"])


def test_a_product_that_fails_is_no_fast_product(folder: Path, tmp_path: Path) -> None:
    ended = measure(folder, *AN_INGEST, "--finra", str(product(tmp_path / "finra", "sys.exit(2)")))

    assert ended.exit_code == 1
    assert ended.works["first_ingest"]["measures"] == []


def test_the_table_replaces_what_stood_between_the_marks_of_a_page(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n", encoding="utf-8")

    ended = measure(folder, "start_up", f"--write={page}")

    text = page.read_text(encoding="utf-8")
    before, table, after = re.split("<!-- (?:end of )?results -->", text)
    assert (before, after) == ("before\n", "\nafter\n")
    assert table.strip() == ended.table.strip()
    assert "| start_up |" in table
