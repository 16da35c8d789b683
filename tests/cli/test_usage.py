"""What the command refuses, how it says so, and that nothing is touched then."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from finra_core import __version__
from support.command import Command, CommandHere


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


REFUSED = {
    "an unknown command": (["ingest"], "'ingest'"),
    "a group without a command": (["db"], "say which command: upgrade, check, sql"),
    "a command that a group does not have": (["db", "shrink"], "'shrink'"),
    "an option before the command": (["--json", "status"], "options go after the command"),
    "an option without its value": (["run", "--weeks"], "--weeks"),
    "an argument too many": (["status", "now"], "now"),
    "an unknown shell": (["completion", "tcsh"], "'bash', 'zsh', 'fish'"),
    "help on what there is not": (["help", "db", "shrink"], "'shrink'"),
    "an acknowledgment without a reason": (["anomalies", "ack", "abcdef"], "--reason"),
    "an acknowledgment of nothing": (["anomalies", "ack", "--reason", "x"], "FINGERPRINT"),
    "an option before the command below": (
        ["anomalies", "--all", "ack", "abcdef", "--reason", "x"],
        "--all goes after",
    ),
    "quiet and verbose": (["status", "-q", "-v"], "contradict each other"),
    "a run that there is not": (["runs", "abc"], "has no run 'abc'"),
    "an explanation of no tier": (["explain", "2025-12-05", "T2"], "did you mean NMS_TIER_2?"),
    "an explanation of no week": (["explain", "5.12.2025", "OTC"], "malformed week '5.12.2025'"),
    "an explanation of nothing": (["explain", "2025-12-05"], "TIER"),
    "a path that nothing is read from": (
        ["doctor", "--source", "file", "--source-path", "."],
        "--source-path goes with --heal",
    ),
    "weeks backward": (["run", "--weeks", "2025-12-15..2025-12-01"], "goes backward"),
    "weeks without an end": (["run", "--weeks", "2025-12-15.."], "malformed week ''"),
    "weeks before FINRA": (["run", "--weeks", "1900-01-01..2025-12-01"], "more than FINRA ever published"),
    "an unknown option": (["run", "--frobnicate"], "--frobnicate"),
    "an abbreviated option": (["run", "--look", "3"], "--look"),
    "a week that is no date": (["run", "--weeks", "2025-13-01"], "'2025-13-01'"),
    "an empty week": (["run", "--weeks", ""], "malformed week"),
    "a week after a last comma": (["run", "--weeks", "2025-12-15,"], "malformed week ''"),
    "a date without dashes": (["run", "--weeks", "20251215"], "YYYY-MM-DD"),
    "a run date that is no date": (["run", "--run-date", "2026-1-1"], "'2026-1-1'"),
    "an unknown tier": (["run", "--tiers", "OTC,T1"], "did you mean NMS_TIER_1?"),
    "no tier": (["run", "--tiers", ""], "unknown tier ''"),
    "no week to look back": (["run", "--lookback-weeks", "0"], "no whole number of at least 1"),
    "a look-back that is no number": (["run", "--lookback-weeks", "six"], "'six'"),
    "a look-back before FINRA": (["run", "--lookback-weeks", "999999"], "more than FINRA ever published"),
    "a look-back before the calendar": (["run", "--run-date", "0003-01-01", "--lookback-weeks", "200"], "the calendar"),
    "no worker": (["run", "--workers", "0"], "no whole number of at least 1"),
    "a week not over yet": (["run", "--weeks", "2026-01-05", "--run-date", "2026-01-06"], "2026-01-09 is not over"),
    "a file source without a path": (["run", "--source", "file"], "--source-path"),
    "a path without a file source": (["run", "--source", "simulator", "--source-path", "."], "--source file"),
    "a folder that is not there": (["run", "--source", "file", "--source-path", "nowhere"], "nowhere"),
    "an unknown source": (["run", "--source", "ftp://x"], "known ones are api, file, http, https, simulator"),
    "an unknown store": (["run", "--source", "simulator", "--store", "oracle:x"], "known ones are memory, "),
    "a mistyped store": (["run", "--source", "simulator", "--store", "sqllite:///x"], "did you mean sqlite?"),
    "a mistyped source": (["run", "--source", "simulater"], "did you mean simulator?"),
    "a path for a source": (["run", "--source", "./files"], "did you mean --source file --source-path ./files?"),
    "a mistyped executor": (["run", "--source", "simulator", "--executor", "proceses"], "did you mean processes?"),
    "a store that is no URL": (["run", "--source", "simulator", "--store", "x.db"], "'x.db' is no store URL"),
    "a malformed simulator": (["run", "--source", "simulator:?symbols=few"], "symbols"),
    "a reason without force": (["run", "--reason", "audit"], "--force"),
    "an unknown severity": (["anomalies", "--severity", "BAD"], "'BAD'"),
    "an unknown tier of captures": (["captures", "--tiers", "T1"], "NMS_TIER_1"),
}


STARTED_WITH = set(
    subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
)
"""What an interpreter of this environment has imported before it does anything."""


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_line_with_code_2_and_nothing_is_made(finra: Command, case: str) -> None:
    arguments, said = REFUSED[case]

    ended = finra(*arguments)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("[CRITICAL] ")
    assert ended.stderr.count("\n") == 1
    assert said in ended.stderr
    assert list(finra.folder.iterdir()) == []


@pytest.mark.parametrize("arguments", [["run", "--workers", "x"], ["run", "--weeks", "x"], ["run", "--nonsense"]])
def test_a_refused_run_prints_a_report_where_json_was_asked_for(finra: Command, arguments: list[str]) -> None:
    ended = finra(*arguments, "--json")

    report = json.loads(ended.stdout)
    assert ended.returncode == report["exit_code"] == 2
    assert report["anomalies"] == {"CRITICAL": 1, "ERROR": 0, "WARN": 0, "INFO": 0}
    assert report["partitions"] == []
    assert f"[CRITICAL] {report['problems'][0]}\n" == ended.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["status", "-h"], ["captures", "--help"], ["anomalies", "--help"]]
)
def test_help_goes_to_standard_output(finra: Command, arguments: list[str]) -> None:
    assert finra.ok(*arguments).startswith("Usage: finra")


def test_help_states_the_exit_codes(finra: Command) -> None:
    for code in (r"0 +all", r"1 +some", r"2 +critical", r"128\+N +ended"):
        assert re.search(code, finra.ok("--help"))
        assert re.search(code, finra.ok("run", "--help"))


def test_the_version_is_the_librarys(finra: Command) -> None:
    assert finra.ok("--version") == f"finra {__version__}\n"


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"], ["run", "--workers", "x"]])
def test_what_needs_no_store_and_no_source_imports_none(arguments: list[str]) -> None:
    script = (
        "import sys; from finra_cli.main import main; main(sys.argv[1:]); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)

    imported = set(ended.stderr.splitlines()[-1].split())
    assert "finra_cli" in imported
    heavy = {"sqlalchemy", "alembic", "urllib3", "cattrs", "rich", "sqlite3"}
    assert imported & heavy == set()
    assert {name for name in imported if name.startswith("finra_")} == {"finra_core", "finra_cli"}


@pytest.mark.usefixtures("unmeasured")
def test_help_imports_nothing_of_the_domain() -> None:
    script = (
        "import sys; from finra_cli.main import main; main(['--help']); "
        "print(*(name for name in sys.modules), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    imported = set(ended.stderr.split())
    others = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) - STARTED_WITH
    assert others == {"click", "finra_cli", "finra_core"}  # so that it takes little more than importing click does
    assert {name for name in imported if name.startswith("finra_core")} == {
        "finra_core",
        "finra_core.domain",
        "finra_core.domain.errors",
    }
    assert imported & {"attrs", "concurrent.futures", "importlib.metadata", "hashlib", "json"} == set()


def test_a_run_on_the_simulator_imports_no_http(tmp_path: Path) -> None:
    ended = Command(tmp_path)(
        "run", "--source", "simulator:?symbols=2", "--mode", "dry-run", env={"PYTHONVERBOSE": "1"}
    )

    assert "import 'finra_simulator'" in ended.stderr
    assert "import 'urllib3'" not in ended.stderr
