"""Connections to the file: how it is opened decides what stands beside it and who waits for whom.

docs/adr/0010-sqlite-journal.md has the reasons.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TypeVar

from finra_core.domain.errors import StoreUnavailableError
from finra_sqlite.location import Location, kind_of

C = TypeVar("C", bound=sqlite3.Connection)

_JOURNAL_BYTES = slice(18, 20)
"""Of the file's header; both are 2 where its journal is WAL."""
_RETRY_SECONDS = 0.02
_KEPT_JOURNAL_BYTES = 64 * 1024 * 1024
"""What is kept of a log that a long view had let grow."""


def open_to_write(location: Location) -> sqlite3.Connection:
    """A connection that can write; the file is made where there is none."""
    _check_kind(location.path)
    connection = _open(location, "mode=rwc", sqlite3.Connection)
    try:
        _keep_journal(connection, location)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_KEPT_JOURNAL_BYTES}")
        # A large transaction that spilled its pages would lock readers of a rollback journal out before it commits.
        connection.execute("PRAGMA cache_spill = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(location: Location) -> sqlite3.Connection:
    """A connection that writes no byte of the store.

    A log needs two files beside the database. Where nobody has them open, whoever may write makes them and takes them
    away again when it closes; whoever may not reads the file as it is, and `FrozenFile` tells if it was written.
    """
    path = location.path
    _check_kind(path)
    if not _has_log(path) or exists(path.with_name(f"{path.name}-wal")):
        return _open(location, "mode=ro", sqlite3.Connection)
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return _open(location, "mode=ro&immutable=1", FrozenFile)
    connection = _open(location, "mode=rw", sqlite3.Connection)
    connection.execute("PRAGMA query_only = ON")
    return connection


class FrozenFile(sqlite3.Connection):
    """A connection that takes the file for one that nobody writes, as it could not see if somebody did."""

    def __init__(self, *args: object, **options: object) -> None:
        self._path: Path | None = None
        self._seen: tuple[int, ...] = ()
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def watch(self, path: Path) -> None:
        """Remember how the file is now."""
        self._path, self._seen = path, _identity(path)

    @property
    def was_written(self) -> bool:
        """Whether the file is another than it was."""
        return self._path is not None and _identity(self._path) != self._seen


def exists(path: Path) -> bool:
    """Whether there is something, or might be: what cannot be looked at, SQLite says when it opens it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _open(location: Location, mode: str, kind: type[C]) -> C:
    seen = location.path
    connection = sqlite3.connect(
        location.uri(mode),
        uri=True,
        timeout=location.timeout,
        isolation_level=None,
        check_same_thread=False,
        factory=kind,
    )
    if isinstance(connection, FrozenFile):
        connection.watch(seen)
    return connection


def _check_kind(path: Path) -> None:
    """Opening a pipe would wait for whoever writes into it."""
    kind = kind_of(path)
    if kind is not None and not S_ISREG(kind) and not S_ISDIR(kind):
        raise StoreUnavailableError(f"{path}: is no regular file: give the path of a file")


def _has_log(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(_JOURNAL_BYTES.stop)[_JOURNAL_BYTES] == b"\x02\x02"
    except OSError:
        return False  # SQLite says what is wrong with it


def _keep_journal(connection: sqlite3.Connection, location: Location) -> None:
    """Switching needs the file for oneself for a moment, and SQLite does not wait for that moment."""
    patience = time.monotonic() + location.timeout
    while (kept := _switch(connection, location, last_try=time.monotonic() >= patience)) is None:
        time.sleep(_RETRY_SECONDS)
    if kept != location.journal.value:
        raise StoreUnavailableError(
            f"{location.path}: its file system has no shared memory, which SQLite's log needs: add ?journal=delete"
        )


def _switch(connection: sqlite3.Connection, location: Location, *, last_try: bool) -> str | None:
    """The journal that is kept now; None where others have the file open, unless this is the last try."""
    try:
        kept: str = connection.execute(f"PRAGMA journal_mode = {location.journal.value}").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) or last_try:
            raise
        return None
    return kept


def _identity(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
