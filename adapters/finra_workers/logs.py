"""The log of a call in a worker, brought back to the process that is watched."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock, get_ident

from finra_core.domain.clock import new_run_id

Levels = Mapping[str, int]
"""Levels by the logger's name; the root logger's name is empty."""

HERE = new_run_id()
"""This process: what is logged in it reaches its own handlers anyway."""
_FORMATTER = logging.Formatter()


def wanted_levels() -> Levels:
    """The levels that are set in this process."""
    named = logging.root.manager.loggerDict
    levels = {name: logger.level for name, logger in named.items() if isinstance(logger, logging.Logger)}
    return {"": logging.root.level} | {name: level for name, level in levels.items() if level}


@contextmanager
def heard(levels: Levels, sender: str, keep: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    """Keep what this thread logs in the block and the process `sender` wants, in a form that pickles.

    This process's loggers have the sender's levels meanwhile.
    """
    if sender == HERE:
        yield
        return
    keeper = _Keeper(levels, keep)
    with _LEVELS.lowered_to(levels):
        logging.root.addHandler(keeper)
        try:
            yield
        finally:
            logging.root.removeHandler(keeper)


def say_again(record: logging.LogRecord) -> None:
    """Log here what was logged in a worker."""
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


class _Keeper(logging.Handler):
    def __init__(self, levels: Levels, keep: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._levels = levels
        self._keep = keep
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and record.levelno >= _level(record.name, self._levels):
            self._keep(_as_text(record))


class _SharedLevels:
    """The levels of this process's loggers while calls run in it: where several do, what the most curious wants."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wanted: list[Levels] = []
        self._own: dict[str, int] = {}

    @contextmanager
    def lowered_to(self, levels: Levels) -> Iterator[None]:
        self._change(self._wanted.append, levels)
        try:
            yield
        finally:
            self._change(self._wanted.remove, levels)

    def _change(self, change: Callable[[Levels], None], levels: Levels) -> None:
        with self._lock:
            change(levels)
            names = set().union(*self._wanted)
            for name in self._own.keys() - names:
                logging.getLogger(name).setLevel(self._own.pop(name))
            for name in names:
                own = self._own.setdefault(name, logging.getLogger(name).level)
                wanted = min(_level(name, each) for each in self._wanted)
                logging.getLogger(name).setLevel(min(own, wanted) if own else wanted)


_LEVELS = _SharedLevels()


def _level(name: str, levels: Levels) -> int:
    """The effective level of a logger by these levels."""
    while name and name not in levels:
        name = name.rpartition(".")[0]
    return levels.get(name, logging.NOTSET)


def _as_text(record: logging.LogRecord) -> logging.LogRecord:
    """A copy whose arguments and traceback, which may not pickle, are text."""
    copy = logging.makeLogRecord(record.__dict__)
    copy.msg, copy.args = record.getMessage(), None
    if record.exc_info:
        copy.exc_text, copy.exc_info = _FORMATTER.formatException(record.exc_info), None
    for name, value in copy.__dict__.items():
        if not isinstance(value, str | int | float | None):
            copy.__dict__[name] = str(value)
    return copy
