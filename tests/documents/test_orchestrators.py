"""The examples of docs/orchestrators.md hold together: what they call exists, and what runs them would take them.

Their own engines run them in tests/orchestrators.
"""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from finra_cli.commands.run import command as finra_run
from support.orchestration import EXAMPLES

DOCUMENT = EXAMPLES.parent / "orchestrators.md"
OTHER_PAGES = {"json_store.py", "simulated_months.py"}
FILES = sorted(
    path for path in EXAMPLES.rglob("*") if path.is_file() and path.suffix != ".pyc" and path.name not in OTHER_PAGES
)
CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
TEMPLATE = re.compile(r"\{\{ params\.(source|store) \}\}")
TYPICAL = {"source": "api:", "store": "sqlite:////var/lib/finra/finra_otc.db"}


def command_lines() -> list[list[str]]:
    """The arguments of every `finra run` in the examples and the document, as their shells would split them."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*FILES, DOCUMENT])
    shell = re.findall(r"^(?!#).*?\bfinra (run .+?)(?= [>|]|[\"`]?,?$)", TEMPLATE.sub(_typical, text), re.MULTILINE)
    lists = re.findall(r"\[finra, (run, .+)\]", text)
    return [shlex.split(line) for line in shell] + [shlex.split(line.replace(", ", " ")) for line in lists]


def _typical(match: re.Match[str]) -> str:
    return TYPICAL[match[1]]


def cron_lines() -> list[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    quoted = re.findall(r'(?:Cron|CronTriggerTimetable)\("([^"]+)"|(?:cron_schedule=|schedule: )"([^"]+)"', text)
    table = re.findall(r"^((?:[\d*/,-]+ ){5})/", text, re.MULTILINE)
    return [first or second for first, second in quoted] + [line.strip() for line in table]


def numbers(field: str, low: int, high: int) -> set[int]:
    """What a field of a cron line stands for, by crontab(5)."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    assert found <= set(range(low, high + 1)), field
    return found


def test_every_example_is_shown_in_the_document() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(FILES) == 7
    for path in FILES:
        assert f"(examples/{path.relative_to(EXAMPLES)})" in text


def test_there_are_command_lines_for_airflow_kubernetes_cron_and_systemd() -> None:
    assert len(command_lines()) >= 4
    assert len(cron_lines()) == 5


@pytest.mark.parametrize("arguments", command_lines(), ids=" ".join)
def test_each_command_line_is_one_that_finra_takes(arguments: list[str]) -> None:
    name, *options = arguments
    settings = finra_run.settings(options)

    assert name == "run"
    settings.request()
    assert settings.source_url == "api:"
    assert settings.store.startswith("sqlite:////")


@pytest.mark.parametrize("line", cron_lines())
def test_each_cron_line_is_weekdays_after_finra_publishes(line: str) -> None:
    fields = line.split()
    assert len(fields) == len(CRON_RANGES)
    minute, hour, day, month, weekday = (
        numbers(field, *limits) for field, limits in zip(fields, CRON_RANGES, strict=True)
    )

    assert weekday == {1, 2, 3, 4, 5}
    assert (len(day), len(month)) == (31, 12)
    # 06:00 in New York is 11:00 UTC in winter; the crontab is in UTC.
    assert min(hour) * 60 + min(minute) >= (11 * 60 if line == cron_lines()[-1] else 6 * 60)


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".py"], ids=lambda path: path.name)
def test_each_program_is_python_that_every_supported_version_reads(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), path.name, feature_version=(3, 10))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units() -> None:
    units = [str(EXAMPLES / "systemd" / name) for name in ("finra.service", "finra.timer")]
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    complaints = [line for line in ended.stderr.splitlines() if "finra" in line and "not executable" not in line]
    assert complaints == []
