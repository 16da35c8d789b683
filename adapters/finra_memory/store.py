"""The memory store: one committed state, swapped as a whole by each unit of work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from finra_core.domain.errors import ConfigurationError, StoreUnavailableError
from finra_core.domain.scopes import Scope
from finra_core.ports.store import Store
from finra_memory.state import State
from finra_memory.unit_of_work import MemoryUnitOfWork
from finra_memory.view import MemoryView


def open_store(url: str = "memory://", *, read_only: bool = False) -> MemoryStore:
    """A new, empty store. It lives as long as the object."""
    return MemoryStore(url, read_only=read_only)


class MemoryStore(Store):
    """A committed state is never changed, only replaced, so readers need no lock."""

    def __init__(self, url: str = "memory://", *, read_only: bool = False) -> None:
        self._url = url
        self._read_only = read_only
        self._state = State()
        self._writing = threading.Lock()

    @property
    def url(self) -> str:
        return self._url

    @contextmanager
    def read(self) -> Iterator[MemoryView]:
        yield MemoryView(self._state)

    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        """One writer at a time, whatever its scope: the others wait for as long as it takes."""
        if self._read_only:
            raise StoreUnavailableError(f"{self._url} was opened read-only: open it without read_only to write")
        with self._writing:
            state = self._state.copy()
            yield MemoryUnitOfWork(state)
            self._state = state

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        raise ConfigurationError(
            "the memory store lives in one process: give a postgresql: or sqlite: store, or keep to --executor threads:"
        )

    def close(self) -> None:
        """Nothing to release."""

    def __enter__(self) -> MemoryStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()
