"""Sources and stores in worker processes: what travels is how they are opened, never what they hold.

Each is opened once a process, however many steps come along, and closed when the process ends.
"""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from attrs import field, frozen

from finra_core.domain.clock import new_run_id

KEPT = 8
"""How many are kept open in a process that serves run after run; the least recently used are closed."""


class Closeable(Protocol):
    """A source or a store."""

    def close(self) -> None:
        """Release what it holds."""


@frozen
class Journey:
    """Where steps go. processes: how many take them. one_machine: whether all of them see this machine's files."""

    processes: int
    one_machine: bool


_journey: ContextVar[Journey | None] = ContextVar("journey", default=None)


@contextmanager
def traveling(journey: Journey) -> Iterator[None]:
    """What is pickled in this block goes on this journey."""
    token = _journey.set(journey)
    try:
        yield
    finally:
        _journey.reset(token)


def current_journey() -> Journey | None:
    """The journey of what is being pickled; None where an executor that we do not know pickles it."""
    return _journey.get()


@frozen
class Reopening:
    """How a source or store is opened again; `opener` must pickle. `token` tells apart two that are opened alike.

    A long-lived worker must not serve a run with what an earlier run's source has cached.
    """

    opener: Callable[[], Any]
    token: str = field(factory=new_run_id)


@frozen
class _Opened:
    thing: Closeable
    name: str = field(factory=new_run_id)


_opened: OrderedDict[str, _Opened] = OrderedDict()
_lock = threading.Lock()


def reopened(reopening: Reopening) -> Any:
    """What `reopening` opens, in this process; opened by the first call.

    Raises:
        FinraError: it cannot be opened here.
    """
    with _lock:
        if reopening.token not in _opened:
            _opened[reopening.token] = _Opened(reopening.opener())
            while len(_opened) > KEPT:
                _opened.popitem(last=False)[1].thing.close()
        _opened.move_to_end(reopening.token)
        return _opened[reopening.token].thing


def reopened_as(thing: object) -> str | None:
    """The unique name of what was reopened, None for what was not."""
    with _lock:
        return next((opened.name for opened in _opened.values() if opened.thing is thing), None)


@atexit.register
def _close_all() -> None:
    with _lock:
        while _opened:
            _opened.popitem()[1].thing.close()
