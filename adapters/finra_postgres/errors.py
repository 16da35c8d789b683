"""What PostgreSQL's errors mean here, by SQLSTATE.

A failed connection has none: libpq passes on only the server's words, which may be in any language. So every one of
them is a store that is unavailable, and words that are known only make the advice better.
"""

from __future__ import annotations

import psycopg

from finra_core.domain.errors import (
    StoreError,
    StoreInterruptedError,
    StoreLockedError,
    StoreSchemaError,
    StoreUnavailableError,
)

_Meaning = tuple[type[StoreError], str]

_GOES_ON = "nothing of this transaction was written, the next run goes on from there"
_NO_CONNECTION: _Meaning = (StoreUnavailableError, "cannot be reached: check host, port and network, and that it runs")
_LOST: _Meaning = (StoreInterruptedError, f"the connection was lost: {_GOES_ON}")
_FULL: _Meaning = (StoreUnavailableError, "the server's disk is full: make room and run again")
_PASSWORD: _Meaning = (StoreUnavailableError, "user or password is wrong: check the URL, PGPASSWORD or the passfile")
_NO_DATABASE: _Meaning = (StoreUnavailableError, "there is no such database: make it with createdb")
_NO_ENTRY: _Meaning = (StoreUnavailableError, "the server admits no such connection: see its pg_hba.conf")
_STARTING: _Meaning = (StoreUnavailableError, "the server is starting up or shutting down: try again")
_TOO_MANY: _Meaning = (StoreUnavailableError, "the server has no connection left: try again or raise max_connections")
_NOT_OURS: _Meaning = (StoreSchemaError, "a table or column is not as this library made it: restore it")

_MEANINGS: dict[str, _Meaning] = {
    "08": _LOST,
    "2BP01": (StoreSchemaError, "what rests on our views is in the way: drop it, and make it again after the upgrade"),
    "22003": (StoreError, "a number is beyond 64 bits"),
    "25006": (
        StoreUnavailableError,
        "it can only be read: give the URL of the primary server, as a role that may write",
    ),
    "28": _PASSWORD,
    "3D000": _NO_DATABASE,
    "40001": (StoreInterruptedError, f"another run changed the same rows: {_GOES_ON}"),
    "40P01": (StoreInterruptedError, f"this run and another waited for each other: {_GOES_ON}"),
    "42501": (StoreUnavailableError, "permission denied: have its owner GRANT what docs/postgres.md lists"),
    "42703": _NOT_OURS,
    "42P01": _NOT_OURS,
    "53100": _FULL,
    "53200": (StoreUnavailableError, "the server is out of memory: try again"),
    "53300": _TOO_MANY,
    "55P03": (StoreLockedError, "another process held a lock for too long: try again when it has ended"),
    "57014": (StoreUnavailableError, f"a statement was cancelled (statement_timeout?): {_GOES_ON}"),
    "57P": _LOST,
    "57P03": _STARTING,
    "58": (StoreUnavailableError, "the server's disk failed: see its log"),
    "XX": (StoreUnavailableError, "the database is damaged: see the server's log, restore a backup"),
}
"""By SQLSTATE, or by the beginning that a class of them shares."""

_WORDS: tuple[tuple[str, _Meaning], ...] = (
    ("too many", _TOO_MANY),
    ("connection slots", _TOO_MANY),
    ("starting up", _STARTING),
    ("shutting down", _STARTING),
    ("pg_hba.conf", _NO_ENTRY),
    ("password", _PASSWORD),
    ("role", _PASSWORD),
    ("database", _NO_DATABASE),
)


def translate(error: BaseException, name: str) -> StoreError | None:
    """The StoreError for an error of the driver, None for another's. `name` is the database's, without secrets."""
    if not isinstance(error, psycopg.Error):
        return None
    text = " ".join(str(error).split())
    if error.sqlstate is None:
        return _without_sqlstate(error, text, name)
    kind, meaning = _meaning_of(error.sqlstate) or (StoreError, f"{type(error).__name__} {error.sqlstate}")
    said = f"{error.diag.message_primary or text} {error.diag.message_detail or ''}"
    return kind(f"{name}: {meaning} ({' '.join(said.split())})")


def _meaning_of(sqlstate: str) -> _Meaning | None:
    prefixes = (sqlstate[:length] for length in (5, 3, 2))
    return next((_MEANINGS[prefix] for prefix in prefixes if prefix in _MEANINGS), None)


def _without_sqlstate(error: psycopg.Error, text: str, name: str) -> StoreError:
    if not isinstance(error, psycopg.OperationalError):
        return StoreError(f"{name}: {type(error).__name__}: {text}")
    if "FATAL" not in text:
        kind, meaning = _LOST if "connection" in text and "failed" not in text else _NO_CONNECTION
        return kind(f"{name}: {meaning} ({text})")
    kind, meaning = next((found for words, found in _WORDS if words in text), _NO_CONNECTION)
    return kind(f"{name}: {meaning} ({text})")
