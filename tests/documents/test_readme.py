"""What README.md tells its readers to type works as printed.

Where a command would go to FINRA over the network, the environment names the simulator instead; a source that
a line names by itself stays.
"""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from support.command import FINRA, Command

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SIMULATOR = "simulator:?symbols=3"
SERVES = "finra simulator "
"""Runs until it is stopped: tests/cli holds that it serves."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def finra_lines() -> list[str]:
    """Every command line that begins with `finra`; alternatives (`a | b`) are a line each."""
    lines = []
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.split("#")[0].split("&&"):
                command = part.strip().removeprefix(".venv/bin/")
                if not command.startswith("finra "):
                    continue
                first, *others = [alternative.strip() for alternative in command.split(" | ")]
                lines += [first, *(f"finra {name}" for name in others)]
    return lines


def options() -> set[str]:
    """Every long option named on a line with `finra`, or in the text, but those of other programs."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(finra_lines())))
    return named | set(re.findall(r"`(--[a-z][a-z-]+)[^`]*`", README))


@pytest.fixture(scope="module")
def finra(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command for readers who try one line after the other in one folder."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "Downloads" / "finra").mkdir(parents=True)
    command = Command(folder)
    command.environ.update(FINRA_SOURCE=SIMULATOR, HOME=str(folder))
    return command


def test_the_readme_shows_commands() -> None:
    assert len(finra_lines()) > 10
    assert "finra readiness" in finra_lines()


@pytest.mark.parametrize("line", [line for line in finra_lines() if not line.startswith(SERVES)])
def test_each_command_line_runs(finra: Command, line: str) -> None:
    arguments = [argument.replace("~", str(finra.folder)) for argument in shlex.split(line)[1:]]

    ended = finra(*arguments)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout


@pytest.mark.parametrize("option", sorted(options()))
def test_each_option_is_in_the_help(finra: Command, option: str) -> None:
    texts = [
        finra.ok(command, "--help") for command in ("run", "status", "readiness", "anomalies", "captures", "simulator")
    ]

    assert any(option in text for text in texts)


@pytest.mark.parametrize("block", blocks("python"))
def test_each_python_block_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "block.py").write_text(block, encoding="utf-8")

    runpy.run_path("block.py")

    assert capsys.readouterr().out.startswith("0 {")


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 shell is not installed")
def test_each_query_of_the_sqlite3_shell_gives_rows(finra: Command) -> None:
    finra.ok("run", "--source", "simulator", "--store", "sqlite:///demo.db")
    queries = [block for block in blocks("sh") if block.startswith("sqlite3 ")]
    assert queries

    for query in re.findall(r'^sqlite3 demo\.db "(.*?)"', "\n".join(queries), re.MULTILINE | re.DOTALL):
        ended = subprocess.run(
            ["sqlite3", "demo.db", query], cwd=finra.folder, capture_output=True, text=True, check=True
        )
        assert ended.stdout.count("\n") >= 5, query


def test_the_variables_that_the_readme_names_are_read_somewhere() -> None:
    shown = json.loads(Command(Path.cwd()).ok("config", "show", "--json"))
    settings = {f"FINRA_{setting['name'].upper()}" for setting in shown["settings"]}

    assert set(re.findall(r"`(FINRA_[A-Z_]+)`", README)) <= settings | {"FINRA_CONFIG"}


def test_the_command_is_the_one_that_was_installed() -> None:
    assert FINRA.is_file()
