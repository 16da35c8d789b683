"""Runs that are ended from outside, gently and not."""

from __future__ import annotations

import json
import random
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.command import Command, unstamped, until_logged

LONG = ("run", "--run-date", "2026-01-05", "--lookback-weeks", "4")
SOURCE = ("--source", "simulator:?symbols=40&rate=0&now=2026-01-05T15:30:00Z")
UNDISTURBED = "undisturbed.db"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    finra = Command(tmp_path_factory.mktemp("undisturbed"))
    finra.ok(*LONG, *SOURCE)
    return finra.contents()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("moment", ["Ingested", "Normalized", "Computed"])
def test_a_run_that_is_told_to_end_ends_at_once_and_the_next_one_completes_it(
    finra: Command, undisturbed: dict[str, object], number: signal.Signals, code: int, moment: str
) -> None:
    with finra.start(*LONG, *SOURCE, "--verbose") as process:
        until_logged(process, lambda line: moment in line)
        process.send_signal(number)
        out, log = process.communicate()

    assert process.returncode == code
    assert out == ""
    assert "Traceback" not in log
    assert unstamped(log.splitlines()[-1]) == (
        f"[CRITICAL] ended by {number.name}; what was committed stays, the next run goes on from there"
    )
    finra.ok(*LONG, *SOURCE)
    assert finra.contents() == undisturbed


LISTING = json.dumps(
    {
        "datasetGroup": "otcmarket",
        "datasetName": "weeklysummary",
        "partitionFields": ["weekStartDate", "tierIdentifier"],
        "availablePartitions": [{"partitions": ["2025-12-01", tier]} for tier in ("T1", "T2", "OTCE")],
    }
).encode()


class _ListsAndHangs(BaseHTTPRequestHandler):
    """Says what there is, and answers nothing else until the test is over."""

    protocol_version = "HTTP/1.1"
    asked, over = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(LISTING)))
        self.end_headers()
        self.wfile.write(LISTING)

    def do_POST(self) -> None:
        self.asked.set()
        self.over.wait()
        self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        """The test's output is pytest's."""


@pytest.fixture
def hanging_api() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _ListsAndHangs) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        _ListsAndHangs.over.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("module", ["click", "finra_core.runs.scheduler", "sqlalchemy"])
def test_a_command_that_is_told_to_end_while_it_loads_its_code_ends_without_a_traceback(
    finra: Command, number: signal.Signals, code: int, module: str
) -> None:
    (finra.folder / "sitecustomize.py").write_text(
        f"""
import os, signal, sys
from importlib.abc import MetaPathFinder

class Interrupting(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r} and "finra_cli.main" in sys.modules:
            os.kill(os.getpid(), {int(number)})

sys.meta_path.insert(0, Interrupting())
""",
        encoding="utf-8",
    )

    ended = finra("run", env={"PYTHONPATH": str(finra.folder)})

    assert ended.returncode == code
    assert ended.stderr.startswith(f"[CRITICAL] ended by {number.name}; ")
    assert ended.stderr.count("\n") == 1


def test_a_run_that_waits_for_a_servers_answer_ends_at_once_too(finra: Command, hanging_api: str) -> None:
    with finra.start("run", "--source", hanging_api, "--weeks", "2025-12-01") as process:
        _ListsAndHangs.asked.wait()
        process.send_signal(signal.SIGTERM)
        try:
            # Kubernetes gives 30 seconds, and the client would wait longer for its answer.
            process.communicate(timeout=20)
        finally:
            process.kill()

    assert process.returncode == 143


def test_killed_at_random_moments_the_next_run_completes_the_store(
    finra: Command, undisturbed: dict[str, object]
) -> None:
    chance = random.Random(20260105)
    killed = 0
    for _ in range(15):
        with finra.start(*LONG, *SOURCE, "--verbose") as process:
            left = iter(range(chance.randrange(1, 40), -1, -1))
            until_logged(process, lambda _line, left=left: next(left, 0) == 0)  # type: ignore[misc]
            process.kill()
            process.communicate()
        killed += process.returncode == -signal.SIGKILL

    finra.ok(*LONG, *SOURCE)

    assert killed > 5
    assert finra.contents() == undisturbed
