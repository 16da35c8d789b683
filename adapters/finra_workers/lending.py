"""The sources and stores that this process has open for the calls that reach it."""

from __future__ import annotations

import atexit
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from attrs import define

from finra_workers.stand_ins import Closeable, Reopened

KEPT = 8
"""So many stay open in a process that serves run after run; beyond that the least recently used is closed."""


@define
class _Open:
    port: Closeable
    users: int = 0


class Lender:
    """Opens each source and store once, however many calls use it, and closes none that is in use."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()

    @contextmanager
    def lending(self) -> Iterator[Callable[[Reopened], Closeable]]:
        """A function that gives what a stand-in stands for; what it gave may be closed once the block is left."""
        lent: list[_Open] = []

        def lend(stand_in: Reopened) -> Closeable:
            with self._lock:
                lent.append(self._take(stand_in))
            return lent[-1].port

        try:
            yield lend
        finally:
            with self._lock:
                for opened in lent:
                    opened.users -= 1
                self._close_down_to(self._kept)

    def close(self) -> None:
        """Close all that is not in use."""
        with self._lock:
            self._close_down_to(0)

    def _take(self, stand_in: Reopened) -> _Open:
        if stand_in.token not in self._open:
            self._open[stand_in.token] = _Open(stand_in.open())
        opened = self._open[stand_in.token]
        opened.users += 1
        self._open.move_to_end(stand_in.token)
        return opened

    def _close_down_to(self, kept: int) -> None:
        idle = [token for token, opened in self._open.items() if not opened.users]
        for token in idle[: max(len(self._open) - kept, 0)]:
            self._open.pop(token).port.close()


LENDER = Lender()
"""This process's."""
atexit.register(LENDER.close)
