"""Standard output has the data, standard error the log, whatever the two are connected to."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

import pytest

from support.command import FINRA, RUN, Command

LOG_LINE = re.compile(r"\[(INFO|WARN|ERROR|CRITICAL|DEBUG)\] \S.*|\[(INFO|WARN|ERROR)\]   \S.*")


def test_the_log_goes_to_standard_error_and_the_summary_to_standard_output(finra: Command) -> None:
    ended = finra(*RUN)

    assert ended.stdout.startswith("[SUMMARY]\nWeeks processed: 8\n")
    assert ended.stdout.endswith("Exit code: 0\n")
    log = ended.stderr.splitlines()
    assert all(LOG_LINE.fullmatch(line) for line in log)
    phases = ["Phase 1: Ingestion", "Phase 2: Normalization", "Phase 3: Analytics", "Readiness Evaluation:"]
    assert [line for line in log if not line.startswith(("[INFO]  ", "[WARN]  "))][1:] == [
        f"[INFO] {p}" for p in phases
    ]
    assert log[0].startswith("[INFO] Target weeks: 2025-12-19, 2025-12-12, ")


def test_quiet_leaves_the_errors_and_what_is_to_be_acted_on(finra: Command) -> None:
    log = finra("run", "--source", "http://127.0.0.1:9", "--weeks", "2025-12-01", "--quiet").stderr.splitlines()

    assert log
    assert all(line.startswith(("[WARN]", "[ERROR]")) for line in log)


def test_verbose_shows_where_an_error_happened(finra: Command) -> None:
    ended = finra("run", "--source", "file", "--source-path", "nowhere", "--verbose")

    assert ended.returncode == 2
    assert "Traceback" in ended.stderr


QUERIES = [
    ["runs"],
    ["config", "show"],
    ["help", "run"],
    ["status"],
    ["status", "--json"],
    ["anomalies", "--severity", "INFO"],
    ["captures"],
    ["readiness", "--json"],
    ["explain", "2025-12-05", "OTC"],
    ["doctor"],
]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *QUERIES, [*RUN], [*RUN, "--json"]], ids=" ".join)
def test_a_full_standard_output_is_critical(finra_after_run: Command, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = finra_after_run(*arguments, stdout=full)

    assert ended.returncode == 2
    assert "[CRITICAL] standard output cannot be written (No space left on device)" in ended.stderr


@contextmanager
def _closed_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("arguments", [["--help"], *QUERIES, [*RUN, "--json"]], ids=" ".join)
def test_a_reader_that_has_seen_enough_ends_it_without_a_word(finra_after_run: Command, arguments: list[str]) -> None:
    with _closed_pipe() as pipe:
        ended = finra_after_run(*arguments, stdout=pipe)

    assert ended.returncode == 141
    assert "[CRITICAL]" not in ended.stderr


@pytest.mark.parametrize("descriptor", [1, 2])
@pytest.mark.parametrize("arguments", [["status"], [*RUN]], ids=["status", "run"])
def test_a_closed_stream_is_as_good_as_dev_null(finra: Command, arguments: list[str], descriptor: int) -> None:
    assert finra(*arguments, preexec_fn=lambda: os.close(descriptor)).returncode == 0


def test_a_full_standard_error_does_not_fail_a_run(finra: Command) -> None:
    with Path("/dev/full").open("w") as full:
        assert finra.ok(*RUN, stderr=full).endswith("Exit code: 0\n")


POOR = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_an_encoding_without_a_tick_does_not_break_the_log(finra: Command) -> None:
    ended = finra(*RUN, env=POOR)

    assert ended.returncode == 0
    assert r"\u2713 Ingested" in ended.stderr


def test_an_encoding_without_a_letter_breaks_neither_table_nor_json(finra: Command) -> None:
    finra.ok(*RUN, "--force", "--reason", "prüfung")
    finra.ok(*RUN, "--force", "--reason", "prüfung")

    assert r"pr\xfcfung" in finra.ok("captures", env=POOR)
    reasons = {capture["reason"] for capture in json.loads(finra.ok("captures", "--json", env=POOR))["captures"]}
    assert "Forced: prüfung" in reasons


def _log_on_a_terminal(finra: Command, *arguments: str) -> tuple[str, str]:
    """Standard output, and what a terminal as standard error was sent."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [FINRA, *arguments], cwd=finra.folder, env=finra.environ, stdout=subprocess.PIPE, stderr=terminal
    )
    os.close(terminal)
    sent = b""
    while chunk := _read(controller):
        sent += chunk
    os.close(controller)
    assert process.stdout is not None
    with process, TextIOWrapper(process.stdout, encoding="utf-8") as stdout:
        out = stdout.read()
    assert process.returncode == 0
    return out, sent.decode()


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # Linux's way to say that the terminal is closed
        return b""


def test_a_terminal_shows_a_bar_for_each_phase_beside_the_log(finra: Command) -> None:
    out, log = _log_on_a_terminal(finra, *RUN)

    assert re.search(r"Ingestion .*\d+%", log)
    assert re.search(r"Normalization .*\d+%", log)
    assert "[INFO] Phase 2: Normalization" in log
    assert out.startswith("[SUMMARY]\n")


def test_no_bar_without_a_terminal_nor_where_quiet_was_asked_for(finra: Command) -> None:
    assert "%" not in finra(*RUN).stderr
    assert "%" not in _log_on_a_terminal(finra, *RUN, "--quiet")[1]
