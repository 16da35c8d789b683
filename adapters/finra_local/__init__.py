"""Executors on this machine: `threads:` and `processes:`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import Connection

from finra_core.domain.errors import ConfigurationError
from finra_workers import WorkerExecutor


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
    return WorkerExecutor(_Pool(workers), processes=workers, same_machine=True)


def _check(url: str, known: str) -> None:
    if url != known:
        raise ConfigurationError(f"malformed executor URL {url!r}: it is {known}, and --workers says how many")


class _Pool(ProcessPoolExecutor):
    """Workers that end with the process that started them, however that ends: a pool's own would wait for ever."""

    def __init__(self, workers: int) -> None:
        # Not forked: the caller's threads, connections and locks would be copied in the middle of what they do.
        context = multiprocessing.get_context("spawn")
        other_end, self._lifeline = context.Pipe(duplex=False)
        super().__init__(workers, context, initializer=_hold_on_to, initargs=(other_end,))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Without `wait`, the steps under way end in the middle: what they had not committed is as if never begun."""
        if not wait:
            self._lifeline.close()
        super().shutdown(wait=True, cancel_futures=cancel_futures)
        self._lifeline.close()


def _hold_on_to(lifeline: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all, and the first one decides
    threading.Thread(target=_end_with, args=(lifeline,), name="finra-lifeline", daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    lifeline.poll(None)
    os._exit(1)
