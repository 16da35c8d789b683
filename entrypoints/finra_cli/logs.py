"""The log on standard error: the document's lines for people, or JSON records for programs."""

from __future__ import annotations

import logging
import sys
from datetime import datetime, timezone
from typing import TextIO

from finra_cli.streams import printable, settle

_NAMES = {"WARNING": "WARN"}
_FIELDS = ("run_id", "week_ending", "tier", "stage", "capture_id", "duration")
"""What a record may say of its subject, beside its message."""


def configure(*, quiet: bool = False, verbose: bool = False, form: str = "text") -> None:
    """Send the library's log to standard error.

    form: `text` or `json`. Lines of text have a time stamp where no person is watching.
    """
    logging.raiseExceptions = False  # a full disk under the log is not worth a traceback for each line
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    handler = _Handler()
    handler.setFormatter(_JsonLines() if form == "json" else _Lines(stamped=not sys.stderr.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level if verbose else logging.WARNING)
    for name in ("finra_core", "finra_cli"):
        logging.getLogger(name).setLevel(level)


def say_last(message: str) -> None:
    """Log as critical what a process that is about to end at once has to say."""
    if not logging.getLogger().handlers:  # the end came before the log did
        configure()
    logging.getLogger("finra_cli").critical("%s", message)
    settle()


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the time: a progress bar may stand in for it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # it is ours to say, as in logging.lastResort
        return sys.stderr


class _Lines(logging.Formatter):
    """`2026-01-05T15:30:00Z [INFO] message`, or without the time."""

    def __init__(self, *, stamped: bool) -> None:
        super().__init__()
        self._stamped = stamped

    def format(self, record: logging.LogRecord) -> str:
        stamp = f"{_instant(record):%Y-%m-%dT%H:%M:%SZ} " if self._stamped else ""
        line = f"{stamp}[{_level(record)}] {printable(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonLines(logging.Formatter):
    """An object on each line: time, level, message, and what is known of the subject."""

    def format(self, record: logging.LogRecord) -> str:
        import json  # noqa: PLC0415  a log for people need not import it

        entry = {
            "time": f"{_instant(record):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": _level(record),
            "message": record.getMessage().strip(),
            **{name: getattr(record, name) for name in _FIELDS if hasattr(record, name)},
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def _instant(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, timezone.utc)


def _level(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelname, record.levelname)
