"""What a worker answers: the call's result or error, and all that it told on the way."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Sequence
from logging import LogRecord
from typing import Any

from attrs import evolve, frozen

from finra_core.domain.failures import describe
from finra_core.ports.observer import Event, Observer, StepFailed
from finra_workers.logs import say_again


class RemoteTracebackError(Exception):
    """Where in the worker an error came from: the cause of an error that was brought back."""


@frozen
class Failed:
    """An error, and the text of its traceback, which does not pickle."""

    error: Exception
    trace: str

    @classmethod
    def of(cls, error: Exception) -> Failed:
        """The error itself if it can travel, else one that says what it was."""
        trace = "".join(traceback.format_exception(error))
        return cls(error if _travels(error) else RuntimeError(describe(error)), trace)

    def restored(self) -> Exception:
        """The error, with its traceback as its cause."""
        self.error.__cause__ = RemoteTracebackError(f"\n{self.trace}")
        return self.error


@frozen
class Told:
    """An event for the observer of that number. failed: the event's error, where it has one."""

    number: int
    event: Event
    failed: Failed | None = None

    @classmethod
    def of(cls, number: int, event: Event) -> Told:
        """The event in a form that travels."""
        if not isinstance(event, StepFailed):
            return cls(number, event)
        failed = Failed.of(event.error)
        return cls(number, evolve(event, error=failed.error), failed)

    def restored(self) -> Event:
        """The event with its error's traceback."""
        if self.failed is not None:
            self.failed.restored()
        return self.event


@frozen
class Answer:
    """The result, or what failed; and events and log records in the order in which they came."""

    result: Any
    failed: Failed | None
    told: Sequence[Told | LogRecord]


class CallFailedError(Exception):
    """Raised in a worker, for whoever hands out work to see that it failed; its argument is the answer as bytes."""


def replay(told: Sequence[Told | LogRecord], observers: Sequence[Observer]) -> None:
    """Tell it here, in its order."""
    for each in told:
        if isinstance(each, LogRecord):
            say_again(each)
        else:
            observers[each.number].on_event(each.restored())


def _travels(error: Exception) -> bool:
    """Whether it is itself again after the journey: many exceptions pickle and then do not unpickle."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301  what was just dumped
    except Exception:  # noqa: BLE001  it runs whatever code the error brings
        return False
