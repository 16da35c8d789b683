"""`finra run --executor`: worker processes of the command."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from finra_simulator import World
from finra_simulator.http import SimulatorServer
from support.command import RUN, Command
from support.harness import MONDAY_MORNING

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="asks /proc for the children of a process")
PROCESSES = ("--executor", "processes", "--workers", "2")


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children if "spawn_main" in _command_line(int(child))]


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""


def running_on(server: SimulatorServer, finra: Command) -> subprocess.Popen[str]:
    """A run whose workers have begun to ask the server, which answers slowly."""
    process = finra.start("run", "--run-date", "2026-01-05", "--source", server.url, *PROCESSES)
    while len(server.requests) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    return process


@pytest.fixture
def slow_server() -> SimulatorServer:
    return SimulatorServer(World(symbols=4, restatement_rate=0.0), lambda: MONDAY_MORNING, latency=0.5)


def test_processes_store_what_a_plain_run_stores(finra: Command, finra_after_run: Command) -> None:
    plain = finra_after_run.contents()
    log = finra(*RUN, *PROCESSES, "--store", "sqlite:///processes.db", "--verbose")
    assert log.returncode == 0
    assert finra.contents("processes.db") == plain
    assert "✓ Normalized" in log.stderr


def test_a_killed_worker_ends_the_run_with_2_and_the_next_one_goes_on(
    finra: Command, slow_server: SimulatorServer
) -> None:
    with slow_server as server:
        process = running_on(server, finra)
        os.kill(workers_of(process)[0], signal.SIGKILL)
        _out, log = process.communicate()
        assert process.returncode == 2
        assert "worker processes were lost" in log.splitlines()[-1]
        assert "the next run goes on from there" in log.splitlines()[-1]
        server.latency = 0.0
        finra.ok("run", "--run-date", "2026-01-05", "--source", server.url)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_workers_do_not_outlive_a_run_that_a_signal_ends(
    number: signal.Signals, status: int, finra: Command, slow_server: SimulatorServer
) -> None:
    with slow_server as server:
        process = running_on(server, finra)
        workers = workers_of(process)
        process.send_signal(number)
        _out, log = process.communicate()
        while any("spawn_main" in _command_line(worker) for worker in workers):
            time.sleep(0.01)
    assert len(workers) == 2
    assert process.returncode == status
    assert "Traceback" not in log


def test_a_store_in_memory_is_refused_with_2(finra: Command) -> None:
    ended = finra(*RUN, *PROCESSES, "--store", "memory:")
    assert ended.returncode == 2
    assert "the memory store lives in one process" in ended.stderr


def test_an_unknown_executor_is_refused_before_a_store_is_made(finra: Command) -> None:
    ended = finra(*RUN, "--executor", "ray")
    assert ended.returncode == 2
    assert "the known ones are dask, processes, threads" in ended.stderr
    assert list(finra.folder.iterdir()) == []
