"""What SQLite's errors mean here.

Python 3.10 gives no error codes, so they are told apart by SQLite's own messages, which are fixed in its source.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from stat import S_ISDIR

from finra_core.domain.errors import StoreError, StoreLockedError, StoreUnavailableError
from finra_sqlite.location import Location, kind_of

_MEANINGS: tuple[tuple[str, type[StoreError], str], ...] = (
    ("is locked", StoreLockedError, "locked by another process for over {timeout:g} s: try again when it has ended"),
    ("unable to open", StoreUnavailableError, "cannot be opened: check that its folder exists and may be written"),
    ("readonly database", StoreUnavailableError, "cannot be written: check the permissions of the file and its folder"),
    ("is full", StoreUnavailableError, "the disk is full: make room and run again"),
    ("disk I/O error", StoreUnavailableError, "the disk failed or is full: check it and run again"),
    ("not a database", StoreUnavailableError, "is no SQLite database: check the path"),
    ("malformed", StoreUnavailableError, "is damaged: restore a backup"),
)

_INTERRUPTED = "the last run was interrupted: a normal run repairs it, reading alone cannot"


def translate(error: BaseException, location: Location, *, read_only: bool) -> StoreError | None:
    """The StoreError for an error of the driver, None for another's."""
    if isinstance(error, OverflowError):
        return StoreError(f"{location.path}: a number is beyond 64 bits: {error}")
    if isinstance(error, UnicodeDecodeError):
        return StoreError(f"{location.path}: a text is no UTF-8: it is damaged: restore a backup")
    if not isinstance(error, sqlite3.Error):
        return None
    text = " ".join(str(error).split())
    if read_only and "readonly database" in text:
        return StoreUnavailableError(f"{location.path}: {_INTERRUPTED}")
    for fragment, kind, meaning in _MEANINGS:
        if fragment in text:
            return kind(f"{location.path}: {_specific(location.path, meaning.format(timeout=location.timeout))}")
    return StoreError(f"{location.path}: {type(error).__name__}: {text}")


def _specific(path: Path, meaning: str) -> str:
    return "is a folder: give the path of a file" if S_ISDIR(kind_of(path) or 0) else meaning
