"""Executors on this machine: `threads:` and `processes:`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

from finra_core.carrying import CarryingExecutor
from finra_core.errors import ConfigurationError
from finra_core.reopening import Journey


def open_threads(url: str, workers: int) -> Executor:
    """`threads:`, as many as workers.

    Raises:
        ConfigurationError: the URL says more than that.
    """
    _check(url, "threads:")
    return ThreadPoolExecutor(workers, "finra")


def open_processes(url: str, workers: int) -> Executor:
    """`processes:`, as many as workers, each started afresh when there is work for it.

    A program that calls this must itself be importable without starting the run again (`if __name__ == "__main__"`).

    Raises:
        ConfigurationError: the URL says more than that.
    """
    _check(url, "processes:")
    # Not forked: the caller's threads, connections and locks would be copied in the middle of what they do.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_follow_parent)
    return CarryingExecutor(pool, Journey(workers, one_machine=True))


def _check(url: str, known: str) -> None:
    if url != known:
        raise ConfigurationError(f"malformed executor URL {url!r}: it is {known}, and --workers says how many")


def _follow_parent() -> None:
    """See to it that workers end when their run does, and not before: a killed run's would wait for it for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all of them
    threading.Thread(target=_wait_for_parent, name="finra-parent", daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
