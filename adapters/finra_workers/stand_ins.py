"""What travels in place of what cannot: a source or a store as the way to open it, an observer as its number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen


class Closeable(Protocol):
    """A source or a store."""

    def close(self) -> None:
        """Release what it holds."""


@frozen
class Reopened:
    """A source or store that the worker opens for itself. token: equal for the same one in every call."""

    token: str
    open: Callable[[], Closeable]


@frozen
class Recorded:
    """One of the call's observers, by its number: the worker records its events."""

    number: int
