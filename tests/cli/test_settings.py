"""Where settings come from: flag, environment, finra.toml, default, in this order; and how the command says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.command import RUN, SIMULATOR, Command, CommandHere


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


def write(finra: Command, text: str, name: str = "finra.toml") -> Path:
    path = finra.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def shown(finra: Command, *arguments: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """What `finra config show` says of each setting, by name."""
    document = json.loads(finra.ok("config", "show", "--json", *arguments, env=env))
    return {setting.pop("name"): setting for setting in document["settings"]}


def test_a_flag_overrides_the_environment_which_overrides_the_file_which_overrides_the_default(finra: Command) -> None:
    file = str(write(finra, "workers = 2\n"))
    env = {"FINRA_WORKERS": "3"}

    assert shown(finra, "--workers", "5", env=env)["workers"] == {"value": "5", "origin": "flag", "where": "--workers"}
    assert shown(finra, env=env)["workers"] == {"value": "3", "origin": "environment", "where": "FINRA_WORKERS"}
    assert shown(finra)["workers"] == {"value": "2", "origin": "file", "where": file}
    Path(file).unlink()
    assert shown(finra)["workers"] == {"value": "4", "origin": "default", "where": None}


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_none(finra: Command, value: str) -> None:
    env = {"FINRA_STORE": value.strip()}
    assert shown(finra, env=env)["store"]["origin"] == "default"


EVERY = """
store = "sqlite:///file.db"
source = "simulator:?symbols=2"
lookback_weeks = 3
tiers = ["OTC", "NMS_TIER_1"]
window = "calendar"
order = "chained"
workers = 2
executor = "threads"
max_bytes = 5_000_000
log_format = "json"
api_url = "http://127.0.0.1:9"
token_url = "http://127.0.0.1:9/token"
client_id = "me"
client_secret_file = "secret.txt"
requests_per_second = 2.5
deadline = 30
grace_days = { OTC = 5 }
policies = { desk = { tiers = ["OTC"], halves = ["ATS"] } }
coverage = { recent_weeks = 4, previous = { rows = 0.5 } }
"""


def test_every_setting_but_the_secret_may_stand_in_the_file(finra: Command) -> None:
    write(finra, EVERY)

    origins = {name: setting["origin"] for name, setting in shown(finra).items()}

    assert origins.pop("client_secret") == "default"
    assert set(origins.values()) == {"file"}
    assert {line.split(" = ")[0] for line in EVERY.strip().splitlines()} == origins.keys()


def test_a_run_does_what_the_file_says(finra: Command) -> None:
    week = '"2025-12-01"'
    write(finra, f'store = "sqlite:///file.db"\nsource = "{SIMULATOR}"\ntiers = ["OTC"]\n')

    report = json.loads(finra.ok("run", "--weeks", week.strip('"'), "--json"))

    assert [(p["week_ending"], p["tier"]) for p in report["partitions"]] == [("2025-12-05", "OTC")]
    assert (finra.folder / "file.db").is_file()
    assert len(json.loads(finra.ok("captures", "--json"))["captures"]) == 1


def test_the_settings_of_runs_do_not_narrow_what_other_commands_show(finra_after_run: Command) -> None:
    write(finra_after_run, 'tiers = ["OTC"]\n')

    captures = json.loads(finra_after_run.ok("captures", "--json", env={"FINRA_TIERS": "OTC"}))["captures"]

    assert {capture["tier"] for capture in captures} == {"NMS_TIER_1", "NMS_TIER_2", "OTC"}


def test_an_adapter_gets_what_the_file_says(finra: Command) -> None:
    write(finra, 'api_url = "http://127.0.0.1:9?x=1"\n')

    assert "FINRA_API_URL holds more than a host and a path" in finra("run").stderr


@pytest.mark.parametrize("arguments", [["--config", "other.toml"], []], ids=["flag", "variable"])
def test_the_file_may_be_another(finra: Command, arguments: list[str]) -> None:
    write(finra, "workers = 2\n")
    other = write(finra, "workers = 7\n", "other.toml")
    env = {} if arguments else {"FINRA_CONFIG": "other.toml"}

    assert shown(finra, *arguments, env=env)["workers"] == {"value": "7", "origin": "file", "where": str(other)}


WRONG_FILES = {
    "a key that is no setting": ("workres = 3", "no setting is called 'workres': did you mean workers?"),
    "a key with a dash": ("max-bytes = 3", "did you mean max_bytes?"),
    "a key like nothing": ("xyzzy = 3", "no setting is called 'xyzzy'"),
    "a table": ("[run]\nworkers = 3", "no setting is called 'run'"),
    "a text for a number": ('workers = "4"', 'workers is "4": give a whole number'),
    "a fraction for a whole number": ("workers = 2.7", "workers is 2.7: give a whole number"),
    "a truth for a number": ("workers = true", "workers is true: give a whole number"),
    "a number for a text": ("store = 5", "store is 5: give a text"),
    "a list of numbers": ("tiers = [1]", "unknown tier '1'"),
    "no tier": ("tiers = []", "no tier"),
    "a number out of range": ("workers = 0", "workers: 0 is no whole number of at least 1"),
    "not one of the choices": ('order = "fazed"', "order: 'fazed' is not one of 'phased', 'chained'"),
    "a tier that is none": ('tiers = ["otc"]', "tiers: unknown tier 'otc': did you mean OTC?"),
    "a URL that is none": ('store = "demo.db"', "store: 'demo.db' is no store URL: did you mean sqlite:///demo.db?"),
    "an option of one call": ("force = true", "force is for one call, as --force"),
    "a secret": ('client_secret = "hush"', "client_secret is a secret"),
    "a tier without a name": ("[grace_days]\notc = 3", "grace_days: nothing is called 'otc': did you mean OTC?"),
    "a fraction of a day": ("[grace_days]\nOTC = 2.7", "grace_days: OTC is 2.7: give a whole number"),
    "a policy without a table": ("[policies]\ndesk = 5", "policies: desk is no table: write [policies.desk]"),
    "a policy without tiers": ("[policies.desk]\ntiers = []", "policies: readiness policy desk: it names no tier"),
    "a policy of a wrong criterion": ('[policies.desk]\ncriteria = ["all"]', "policies: no criteria in desk"),
    "a policy with a wrong key": ('[policies.desk]\ntier = "OTC"', "nothing is called 'tier': did you mean tiers?"),
    "a bound over all": ("[coverage]\nprevious = { rows = 2 }", "coverage: coverage bound of rows is 2"),
    "a bound of nothing": ("[coverage]\nprevious = { row = 1 }", "coverage: no numbers by measure in previous"),
    "a table for a text": ("[store]\nurl = 1", "store is {"),
    "no TOML": ("workers: 4", "is no TOML"),
    "the same key twice": ("workers = 1\nworkers = 2", "is no TOML"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file_is_refused_in_one_line_with_code_2(finra: Command, case: str) -> None:
    text, says = WRONG_FILES[case]
    write(finra, text + "\n")

    ended = finra("run", "--source", SIMULATOR)

    assert ended.returncode == 2
    assert ended.stderr.startswith("[CRITICAL] finra.toml")
    assert ended.stderr.count("\n") == 1
    assert says in ended.stderr
    assert "hush" not in ended.stderr
    assert [path.name for path in finra.folder.iterdir()] == ["finra.toml"]


def test_a_file_that_cannot_be_read_is_refused(finra: Command) -> None:
    (finra.folder / "latin.toml").write_bytes(b'store = "sqlite:///\xe9.db"\n')
    (finra.folder / "finra.toml").symlink_to("nowhere.toml")

    assert "nothing.toml cannot be read: No such file" in finra("status", "--config", "nothing.toml").stderr
    assert "latin.toml is not UTF-8" in finra("status", "--config", "latin.toml").stderr
    assert "finra.toml cannot be read" in finra("status").stderr


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["help", "run"], ["--version"], []], ids=str)
def test_a_wrong_file_keeps_nobody_from_the_help(finra: Command, arguments: list[str]) -> None:
    file = write(finra, "workres = 3\n")
    if arguments == ["help", "run"]:
        arguments = [*arguments, "--config", str(write(finra, "", "empty.toml"))]

    assert finra.ok(*arguments)
    assert file.is_file()


def test_a_wrong_variable_is_named(finra: Command) -> None:
    ended = finra("run", env={"FINRA_WORKERS": "many"})

    assert ended.returncode == 2
    assert ended.stderr.startswith("[CRITICAL] FINRA_WORKERS: 'many' is no whole number of at least 1")


SECRETS = {
    "FINRA_CLIENT_ID": "me",
    "FINRA_CLIENT_SECRET": "hush-hush",
    "FINRA_STORE": "postgresql://writer:hush-hush@db.example.com/finra?sslpassword=hush-hush",
}


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_no_secret_is_shown(finra: Command, form: list[str]) -> None:
    ended = finra("config", "show", *form, env=SECRETS)

    assert ended.returncode == 0
    assert "hush" not in ended.stdout + ended.stderr
    assert "postgresql://writer:***@db.example.com/finra?sslpassword=***" in ended.stdout
    assert "FINRA_CLIENT_SECRET" in ended.stdout


@pytest.mark.parametrize("option", ["--client-secret", "--client-secret-file", "--api-url", "--deadline"])
def test_what_has_no_option_has_none(finra: Command, option: str) -> None:
    ended = finra("run", option, "hush")

    assert ended.returncode == 2
    assert f"no such option {option}" in ended.stderr
    assert "did you mean" not in ended.stderr


def test_a_secret_of_the_environment_comes_before_a_file_of_secrets_that_the_settings_name(finra: Command) -> None:
    nobody = "http://127.0.0.1:9"
    write(finra, f'client_secret_file = "nowhere"\nclient_id = "me"\napi_url = "{nobody}"\ntoken_url = "{nobody}"\n')

    said = finra("run", "--weeks", "2025-12-01", env={"FINRA_CLIENT_SECRET": "hush", "FINRA_DEADLINE": "1"})

    assert "both set" not in said.stderr
    assert "FINRA_CLIENT_SECRET_FILE" not in said.stderr


def test_a_variable_that_is_nearly_a_setting_is_pointed_out(finra: Command) -> None:
    said = finra("config", "show", env={"FINRA_STOER": "sqlite:///x.db"}).stderr

    assert said == "[WARN] FINRA_STOER is no setting: did you mean FINRA_STORE?\n"


def test_the_table_names_each_origin(finra: Command) -> None:
    write(finra, "workers = 2\n")

    lines = finra.ok("config", "show", "--tiers", "OTC", env={"FINRA_ORDER": "chained"}).splitlines()

    assert lines[0] == f"Settings file: {finra.folder / 'finra.toml'}"
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[3:]}
    assert rows["workers"] == "settings file 2"
    assert rows["tiers"] == "--tiers OTC"
    assert rows["order"] == "FINRA_ORDER chained"
    assert rows["window"] == "default due"


def test_a_use_of_ones_own_is_judged_and_asked_for(finra: Command) -> None:
    write(finra, '[policies.desk]\ntiers = ["NMS_TIER_1"]\n')
    finra.ok(*RUN)

    desk = json.loads(finra.ok("readiness", "--for", "desk", "--json"))["weeks"]
    status = json.loads(finra.ok("status", "--for", "desk", "--on", "2026-01-05", "--json"))

    # Tier 1 of these two weeks is out, the other tiers are not due yet.
    assert [week["week_ending"] for week in desk if week["is_ready"]][:2] == ["2025-12-19", "2025-12-12"]
    assert {week["verdict"] for week in status["weeks"]} == {"ready"}
    assert "no policy is called 'dask': did you mean desk?" in finra("readiness", "--for", "dask").stderr


def test_days_of_grace_put_off_what_is_late(finra_after_run: Command) -> None:
    def tier_2() -> str:
        status = json.loads(finra_after_run.ok("status", "--on", "2026-01-20", "--json"))
        week = next(week for week in status["weeks"] if week["week_ending"] == "2025-12-12")
        return str(week["tiers"]["NMS_TIER_2"]["progress"])

    assert tier_2() == "late"  # it was due on the 12th
    write(finra_after_run, "[grace_days]\nNMS_TIER_2 = 8\n")
    assert tier_2() == "due"
