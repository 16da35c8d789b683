"""The log on standard error, in the document's form, and the progress bars beside it."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

_NAMES = {"WARNING": "WARN"}


class _Format(logging.Formatter):
    """`[INFO] message`."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return f"[{_NAMES.get(record.levelname, record.levelname)}] {line}"


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic only in stubs
    """Writes above a progress bar, where one is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        if "tqdm" in sys.modules:
            from tqdm import tqdm  # noqa: PLC0415

            with tqdm.external_write_mode(file=sys.stderr):
                super().emit(record)
        else:
            super().emit(record)


def configure(*, quiet: bool, verbose: bool) -> None:
    """Send the library's log to standard error."""
    logging.raiseExceptions = False  # a full disk under the log is not worth a traceback for each line
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    handler = _Handler(sys.stderr)
    handler.setFormatter(_Format())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level if verbose else logging.WARNING)
    for name in ("finra_core", "finra_cli"):
        logging.getLogger(name).setLevel(level)


class ProgressBars:
    """A bar per phase on a terminal, nothing elsewhere. Use as a context manager; call as a Scheduler's progress."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr.isatty()
        self._phase: str | None = None
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Show that `done` of the phase's `total` steps are done."""
        if not self._enabled:
            return
        if phase != self._phase or self._bar is None or self._bar.total != total:
            self._start(phase, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def _start(self, phase: str, total: int) -> None:
        from tqdm import tqdm  # noqa: PLC0415  a run without a terminal need not import it

        self._finish()
        self._phase = phase
        self._bar = tqdm(total=total, desc=phase, unit="partition", file=sys.stderr, leave=False)

    def _finish(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._finish()
