"""What the command prints as JSON is what docs/schemas says, for every command and however it ended."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from support.command import FINRA, RUN, SIMULATOR, Command, CommandHere, until_logged
from support.schemas import DOCUMENTS, FOLDER, command_names, schema_text


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


LARGE = "simulator:?symbols=400&rate=0&now=2026-01-05T15:30:00Z"
"""Its run takes some seconds."""

FORMATS = FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def _is_utc(text: object) -> bool:
    return isinstance(text, str) and text.endswith("Z") and bool(datetime.fromisoformat(text[:-1] + "+00:00"))


def schema_of(name: str) -> Any:
    """The published schema, and no field beside those that it names."""
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
    return schema


def check(name: str, printed: str) -> Any:
    """The document, after its schema has been held against it."""
    document = json.loads(printed)
    Draft202012Validator(schema_of(name), format_checker=FORMATS).validate(document)
    return document


def test_the_published_schemas_are_those_of_the_documents() -> None:
    published = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert published == {name: schema_text(name, document) for name, document in DOCUMENTS.items()}, (
        "make them anew: cd tests && python -m support.schemas"
    )


def test_every_command_has_one() -> None:
    assert DOCUMENTS.keys() - {"error"} == {name.replace(" ", "-") for name in command_names()}


OUTPUTS = {
    "run": RUN,
    "run, dry": (*RUN, "--mode", "dry-run"),
    "run, restated": (*RUN, "--force", "--weeks", "2025-12-01..2025-12-15"),
    "status": ("status",),
    "readiness": ("readiness",),
    "captures": ("captures",),
    "asof": ("asof", "2100-01-01", "--rows"),
    "asof, analytics": ("asof", "first", "--analytics"),
    "asof, by FINRA's clock": ("asof", "2025-12-30", "--source-time", "--rows"),
    "restatements": ("restatements", "--symbol", "AAPL"),
    "diff": ("diff", "2025-12-01", "OTC", "first", "latest", "--impact"),
    "anomalies": ("anomalies", "--severity", "INFO", "--all"),
    "runs": ("runs",),
    "export": ("export", "out", "--view", "weekly_totals", "--as-of", "2026-01-05"),
    "bundle-export": ("bundle", "export", "all.bundle"),
    "bundle-import": ("bundle", "import", "all.bundle"),
    "pin": ("pin", "--list"),
    "prune": ("prune", "--before", "2026-01-05"),
    "verify": ("verify", "--sample", "2"),
    "checkpoint": ("checkpoint",),
    "explain": ("explain", "2025-12-01", "OTC"),
    "explain, absent": ("explain", "2024-12-02", "NMS_TIER_1"),
    "doctor": ("doctor", "--on", "2026-03-02"),
    "doctor, healing": ("doctor", "--on", "2026-01-06", "--heal", "--source", SIMULATOR),
    "config-show": ("config", "show"),
    "db-upgrade": ("db", "upgrade"),
    "db-check": ("db", "check"),
    "db-sql": ("db", "sql"),
    "completion": ("completion", "zsh"),
    "help": ("help", "db", "check"),
}
"""A command line for each schema, in a folder with a store that has had some runs."""


@pytest.fixture(scope="module")
def lived(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command in a folder with a store of a run, one that found weeks late, one of a source that was down."""
    finra = Command(tmp_path_factory.mktemp("lived"))
    shutil.copy(filled, finra.folder)
    finra(*RUN, "--weeks", "2025-12-01,2024-12-02")
    finra("run", "--source", "http://127.0.0.1:9", "--weeks", "2025-12-01")
    return finra


@pytest.mark.parametrize("case", OUTPUTS)
def test_a_commands_output_is_as_its_schema_says(lived: Command, case: str) -> None:
    assert check(case.partition(",")[0], lived.ok(*OUTPUTS[case], "--json"))


def test_every_schema_but_that_of_a_server_and_of_errors_is_held_against_an_output() -> None:
    assert {case.partition(",")[0] for case in OUTPUTS} == DOCUMENTS.keys() - {"simulator", "error", "anomalies-ack"}


@pytest.mark.parametrize(
    "case", [case for case in OUTPUTS if not case.startswith(("run,", "diff", "bundle-import", "checkpoint"))]
)
def test_so_it_is_on_an_empty_store(finra: Command, case: str) -> None:
    check(case.partition(",")[0], finra(*OUTPUTS[case], "--json").stdout)


def test_so_it_is_of_a_run_that_failed_in_part_and_of_its_entry_in_the_ledger(finra: Command) -> None:
    ended = finra("run", "--source", "http://127.0.0.1:9", "--weeks", "2025-12-01", "--json")

    assert check("run", ended.stdout)["exit_code"] == ended.returncode == 1
    (run,) = check("runs", finra.ok("runs", "--json"))["runs"]
    assert run["report"]["exit_code"] == 1
    assert run["outcomes"] == {"failed": 3}


def test_so_it_is_of_a_run_that_was_killed(finra: Command) -> None:
    with finra.start("run", "--run-date", "2026-01-05", "--source", LARGE) as process:
        until_logged(process, lambda line: "Phase 1" in line)
        process.kill()
        process.communicate()

    last = check("status", finra.ok("status", "--json"))["last_run"]
    (run,) = check("runs", finra.ok("runs", last["run_id"][:8], "--json"))["runs"]

    assert last["exit_code"] is run["finished_at"] is run["report"] is None
    assert "not finished: it is at work or was killed" in finra.ok("status")
    assert "has not finished" in finra.ok("runs", last["run_id"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--store", "demo.db"),
        ("status", "--stoer", "x"),
        ("stauts",),
        ("captures", "--tiers", "otc"),
        ("runs", "nonsense"),
        ("db", "sql", "--store", "memory:"),
    ],
    ids=" ".join,
)
def test_a_command_that_cannot_be_carried_out_prints_its_error(finra: Command, arguments: tuple[str, ...]) -> None:
    ended = finra(*arguments, "--json")

    document = check("error", ended.stdout)
    assert document["exit_code"] == ended.returncode == 2
    assert ended.stderr == f"[CRITICAL] {document['error']}\n"


def test_a_run_that_cannot_be_carried_out_prints_a_report(finra: Command) -> None:
    assert check("run", finra("run", "--workers", "0", "--json").stdout)["exit_code"] == 2


def test_the_simulator_says_where_it_answers() -> None:
    with subprocess.Popen(
        [FINRA, "simulator", "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        printed = "".join(iter(process.stdout.readline, "}\n")) + "}\n"
        process.send_signal(signal.SIGTERM)

    assert check("simulator", printed)["url"].startswith("http://127.0.0.1:")


def test_a_schema_notices_a_field_that_is_gone_and_one_that_is_new(lived: Command) -> None:
    captures = json.loads(lived.ok("captures", "--json"))
    first, *_rest = captures["captures"]
    schema = Draft202012Validator(schema_of("captures"))

    for wrong in ({**first, "more": 1}, {name: value for name, value in first.items() if name != "rows"}):
        assert not schema.is_valid({**captures, "captures": [wrong]})


def test_so_it_is_of_an_acknowledgment(lived: Command) -> None:
    found = check("anomalies", lived.ok("anomalies", "--json"))["anomalies"]
    known = next(anomaly for anomaly in found if anomaly["week_ending"] == "2024-12-06")

    printed = lived.ok("anomalies", "ack", known["fingerprint"][:8], "--reason", "never published", "--json")

    (acknowledged,) = check("anomalies-ack", printed)["anomalies"]
    assert acknowledged["acknowledged"]["reason"] == "never published"
    assert "(acknowledged: never published)" in lived.ok("anomalies")
