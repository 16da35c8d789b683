"""On a terminal: colors, and tables that fit its width; in a pipe: none of both."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from support.command import FINRA, RUN, Command

COLUMNS = 80
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def shown(finra: Command, *arguments: str, env: dict[str, str] | None = None) -> str:
    """What a terminal of 80 columns is sent."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environ = {**finra.environ, "TERM": "xterm-256color", **(env or {})}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environ.pop(name, None) if name not in (env or {}) else None
    with subprocess.Popen(
        [FINRA, *arguments], cwd=finra.folder, env=environ, stdout=terminal, stderr=subprocess.DEVNULL
    ):
        os.close(terminal)
        sent = b""
        while chunk := _read(controller):
            sent += chunk
    os.close(controller)
    return sent.decode().replace("\r\n", "\n")


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # Linux's way to say that the terminal is closed
        return b""


@pytest.fixture
def troubled(finra_after_run: Command) -> Command:
    """A store with captures of several reasons, errors with long messages, and weeks that are blocked."""
    finra_after_run.ok(*RUN, "--weeks", "2025-12-01", "--force", "--reason", "asked for by compliance " * 4)
    finra_after_run("run", "--source", "http://127.0.0.1:9", "--weeks", "2025-12-01", env={"FINRA_DEADLINE": "1"})
    return finra_after_run


PAGES = [
    ["status", "--on", "2026-03-02"],
    ["readiness"],
    ["captures"],
    ["anomalies", "--severity", "INFO"],
    ["runs"],
    ["explain", "2025-12-05", "OTC"],
    ["doctor", "--on", "2026-03-02"],
    ["config", "show"],
    ["--help"],
    ["run", "--help"],
    ["config", "show", "--help"],
]


@pytest.mark.parametrize("arguments", PAGES, ids=" ".join)
def test_every_page_fits_80_columns_and_keeps_its_rows_apart(troubled: Command, arguments: list[str]) -> None:
    lines = [ESCAPE.sub("", line) for line in shown(troubled, *arguments).splitlines()]

    assert lines
    assert [line for line in lines if len(line) > COLUMNS] == []


def test_a_cell_that_is_too_long_goes_on_below_itself(troubled: Command) -> None:
    lines = [ESCAPE.sub("", line) for line in shown(troubled, "captures", "--tiers", "OTC").splitlines()]
    begins = lines[0].index("reason")
    wrapped = [line for line in lines[1:] if line.startswith(" ")]

    assert wrapped
    assert all(line[:begins].isspace() and line[begins] != " " for line in wrapped)
    forced = next(i for i, line in enumerate(lines) if "Forced:" in line)
    whole = " ".join(line[begins:].strip() for line in lines[forced : forced + 5])
    assert ("asked for by compliance " * 4).strip() in whole


def test_a_verdict_has_a_color_on_a_terminal_and_none_in_a_pipe_or_where_none_is_wanted(troubled: Command) -> None:
    arguments = ("status", "--on", "2026-03-02")

    assert ESCAPE.search(shown(troubled, *arguments))
    assert not ESCAPE.search(troubled.ok(*arguments))
    colors = {code for code in ESCAPE.findall(shown(troubled, *arguments, env={"NO_COLOR": "1"})) if ";3" in code}
    assert colors == set()


def test_a_pipe_gets_one_line_a_row_and_all_of_it(troubled: Command) -> None:
    rows = troubled.ok("captures").splitlines()[1:]

    assert len(rows) == 23
    assert sum(("asked for by compliance " * 4).strip() in row for row in rows) == 3
