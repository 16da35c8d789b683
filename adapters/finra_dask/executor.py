"""Steps as tasks of dask.distributed, which gives those of a worker that died to another."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from typing import Any

import dask
from distributed import Client, LocalCluster, WorkerPlugin
from distributed.scheduler import KilledWorker

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.failures import describe
from finra_workers import WorkerExecutor

RETRIES = 2
"""Further tries of a step that raises, on any worker: a worker may have lost the store that others reach."""
CONNECT_SECONDS = 15
LOOK_SECONDS = 2
ALONE_SECONDS = 60
"""Without any worker for so long, none is expected back: a killed one is replaced within a few seconds."""
REPLACED_WITHIN = "10 minutes"
"""So long Dask waits for a process of our own that replaces a killed one: its 15 seconds are too few on a busy machine,
and then it would do without, until none is left."""


def open_executor(url: str, workers: int) -> Executor:
    """`dask://host:port`, a scheduler that runs; or `dask:`, so many processes of our own on this machine.

    Raises:
        ConfigurationError: the URL is neither, nobody answers there, or it has no workers.
    """
    address = url.removeprefix("dask:")
    if address and not address.removeprefix("//"):
        raise _malformed(url)
    with ExitStack() as opened:
        client = opened.enter_context(_connect(url, address) if address else _start(workers, opened))
        processes = _workers(client)
        if not processes:
            raise ConfigurationError(f"{url} has no workers: start them first, FINRA's limit is shared among them")
        # pure: a step's second run is not to be answered with the result of the first.
        tasks = _Tasks(client.get_executor(pure=False, retries=RETRIES))
        opened.enter_context(_watch(client, tasks))
        return WorkerExecutor(
            tasks,
            processes=processes,
            same_machine=not address,
            lost=(KilledWorker,),
            close=opened.pop_all().close,
        )


def _start(workers: int, opened: ExitStack) -> Client:
    opened.enter_context(dask.config.set({"distributed.deploy.lost-worker-timeout": REPLACED_WITHIN}))
    cluster = LocalCluster(  # type: ignore[no-untyped-call, unused-ignore]
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        # Any free port, for two runs may share a machine.
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
    )
    client = Client(opened.enter_context(cluster))  # type: ignore[no-untyped-call, unused-ignore]
    client.register_plugin(_DeafToInterrupts())
    return client


def _connect(url: str, address: str) -> Client:
    if not address.startswith("//"):
        raise _malformed(url)
    try:
        return Client(f"tcp:{address}", timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call, unused-ignore]
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"no Dask scheduler answers at {url} ({describe(error)}): start it first") from error


def _malformed(url: str) -> ConfigurationError:
    return ConfigurationError(f"malformed executor URL {url!r}: give dask://host:port, or dask: for local processes")


@contextmanager
def _watch(client: Client, tasks: _Tasks) -> Iterator[None]:
    """Give up what is waited for when no worker has been there for a while: Dask itself would wait for ever."""
    ended = threading.Event()

    def watch() -> None:
        seen = time.monotonic()
        while not ended.wait(LOOK_SECONDS):
            if _workers(client):
                seen = time.monotonic()
            elif time.monotonic() - seen > ALONE_SECONDS:
                tasks.shutdown(wait=False)
                return

    thread = threading.Thread(target=watch, name="finra-dask-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _workers(client: Client) -> int:
    """How many there are; none where the scheduler itself does not answer."""
    try:
        return len(client.nthreads())  # type: ignore[no-untyped-call, unused-ignore]
    except (OSError, asyncio.TimeoutError):  # Dask's errors of its connections are OSErrors
        return 0


class _DeafToInterrupts(WorkerPlugin):  # type: ignore[misc, unused-ignore]
    """For a terminal sends Ctrl-C to all processes, and the one that started the others ends them."""

    def setup(self, worker: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Tasks(Executor):
    """Dask's executor with the shutdown that Python's has had since 3.9."""

    def __init__(self, tasks: Any) -> None:
        self._tasks = tasks

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = self._tasks.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._tasks.shutdown(wait=wait and not cancel_futures)
