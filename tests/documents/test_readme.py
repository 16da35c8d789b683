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


def finra_lines(block: str) -> list[str]:
    """A block's command lines that begin with `finra`; alternatives (`a | b`) are a line each."""
    lines = []
    for line in block.replace("\\\n", " ").splitlines():
        for part in line.split("#")[0].split("&&"):
            command = part.strip().removeprefix(".venv/bin/")
            if command.startswith("finra "):
                first, *others = [alternative.strip() for alternative in command.split(" | ")]
                lines += [first, *(f"finra {name}" for name in others)]
    return lines


BLOCKS = [lines for block in blocks("sh") if (lines := finra_lines(block))]
"""The command lines of each block that has any."""


def options() -> set[str]:
    """Every long option named on a line with `finra`, or in the text, but those of other programs."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(line for lines in BLOCKS for line in lines)))
    return named | set(re.findall(r"`(--[a-z][a-z-]+)[^`]*`", README))


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    """The command for readers who try one line after the other in one folder."""
    (tmp_path / "Downloads" / "finra").mkdir(parents=True)
    command = Command(tmp_path)
    command.environ.update(FINRA_SOURCE=SIMULATOR, HOME=str(tmp_path))
    return command


def test_the_readme_shows_commands() -> None:
    assert sum(map(len, BLOCKS)) > 15
    assert any("finra readiness" in lines for lines in BLOCKS)


@pytest.mark.parametrize("lines", BLOCKS, ids=lambda lines: lines[0])
def test_the_command_lines_run_one_after_the_other(finra: Command, lines: list[str]) -> None:
    for line in lines:
        if line.startswith(SERVES):
            continue
        arguments = [argument.replace("~", str(finra.folder)) for argument in shlex.split(line)[1:]]

        ended = finra(*arguments)

        assert ended.returncode == 0, (line, ended.stderr)
        assert ended.stdout, line


def test_each_option_is_in_the_help(finra: Command) -> None:
    commands = ("run", "status", "readiness", "anomalies", "captures", "prune", "simulator")
    texts = "\n".join(finra.ok(command, "--help") for command in commands)

    assert options() - set(re.findall(r"--[a-z][a-z-]+", texts)) == set()


def test_the_python_blocks_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run, read = blocks("python")

    for name, block in (("run.py", run), ("read.py", read)):
        (tmp_path / name).write_text(block, encoding="utf-8")
        runpy.run_path(name)

    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("0 {")
    assert printed[-1].startswith("finra.otc_transparency:")


def test_the_settings_file_is_one_that_is_taken(finra: Command) -> None:
    (block,) = blocks("toml")
    (finra.folder / "finra.toml").write_text(block, encoding="utf-8")

    shown = json.loads(finra.ok("config", "show", "--json"))
    judged = finra("readiness", "--for", "otc-desk")

    assert shown["file"] == str(finra.folder / "finra.toml")
    assert judged.returncode == 0, judged.stderr


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
