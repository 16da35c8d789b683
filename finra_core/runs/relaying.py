"""The log of a step that another process does, brought back to the process that is watched."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_LIBRARY = logging.getLogger("finra_core")
_FORMATTER = logging.Formatter()


def wanted_level() -> int:
    """The least severe level that this process wants to hear of."""
    return logging.getLogger("finra_core.run").getEffectiveLevel()


@contextmanager
def overheard(level: int) -> Iterator[list[logging.LogRecord]]:
    """What this thread says from `level` upward during the block, ready to be pickled."""
    keeper = _Keeper(level)
    if _LIBRARY.getEffectiveLevel() > level:
        _LIBRARY.setLevel(level)  # not set back: a thread beside this one may be heard too
    _LIBRARY.addHandler(keeper)
    try:
        yield keeper.records
    finally:
        _LIBRARY.removeHandler(keeper)


def say_again(records: Sequence[logging.LogRecord]) -> None:
    """Say here what was said elsewhere."""
    for record in records:
        logging.getLogger(record.name).handle(record)


class _Keeper(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.records.append(_as_text(record))


def _as_text(record: logging.LogRecord) -> logging.LogRecord:
    """A copy whose arguments and traceback, which may not pickle, are text."""
    copy = logging.makeLogRecord(record.__dict__)
    copy.msg, copy.args = record.getMessage(), None
    if record.exc_info:
        copy.exc_text, copy.exc_info = _FORMATTER.formatException(record.exc_info), None
    return copy
