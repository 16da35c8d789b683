"""`main`: every path through it ends in 0, 1, 2 or 128 + a signal's number.

Nothing but the standard library's `signal` and its like is imported before the signals are handled: loading the rest
takes long enough for somebody to press Ctrl-C.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn


class _TerminatedError(BaseException):
    """SIGTERM came. Like KeyboardInterrupt, nothing but `main` may catch it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; nothing is raised."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        signal.signal(signal.SIGTERM, _on_sigterm)
        _collect_rarely()
        from finra_cli.application import execute  # noqa: PLC0415

        return execute(arguments)
    except (KeyboardInterrupt, _TerminatedError, BrokenPipeError) as error:
        _die(_signal_behind(error), arguments)


def _collect_rarely() -> None:
    """Look for cycles once in 200,000 new objects, not in 700, and not at all at the end of the process.

    What is imported is kept, and a run makes a few tuples a row and drops them together: looking for cycles among them
    takes a fifth of a short command's time, and took a seventh of a long run's.
    """
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)


def _die(number: signal.Signals, arguments: Sequence[str]) -> NoReturn:
    """Leave at once: worker threads that wait for the network would hold a normal exit back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one is enough
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if number is not signal.SIGPIPE:  # whoever closed the pipe has seen enough
        from finra_cli.logs import say_last  # noqa: PLC0415

        advice = (
            "; what was committed stays, the next run goes on from there"
            if "run" in arguments[:1] or "--heal" in arguments
            else ""
        )
        say_last(f"ended by {number.name}{advice}")
    os._exit(128 + number)


def _signal_behind(error: BaseException) -> signal.Signals:
    if isinstance(error, BrokenPipeError):
        return signal.SIGPIPE
    return signal.SIGTERM if isinstance(error, _TerminatedError) else signal.SIGINT


def _on_sigterm(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TerminatedError
