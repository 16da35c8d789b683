"""Opening a SQLite store: the file is made and its schema brought up to date, unless it is only read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from sqlalchemy import Engine, QueuePool, create_engine

from finra_sql.empty import empty_store
from finra_sql.failures import translate_errors
from finra_sql.migrate import HEAD, readable_version, stored_version, upgrade
from finra_sql.store import SqlStore
from finra_sqlite.dialect import SqliteDialect
from finra_sqlite.location import Location, parse_url
from finra_sqlite.statistics import describe_sizes


def open_store(url: str, *, read_only: bool = False) -> SqlStore:
    """Open the store in the file that the URL names.

    It is made, and its schema upgraded, where needed. With `read_only` no byte is written and no file made:
    a file that is not there, or has nothing of ours, is an empty store, and transactions are refused.

    Raises:
        ConfigurationError: the URL is malformed.
        StoreUnavailableError: the file cannot be opened, or is no SQLite database.
        StoreLockedError: another process was upgrading or writing it for too long.
        StoreSchemaError: it is newer than this library, not this library's, or read_only and outdated.
    """
    location = parse_url(url)
    dialect = SqliteDialect(location, read_only)
    engine = _open_to_read(location, dialect) if read_only else _open_to_write(location, dialect)
    return empty_store(url) if engine is None else SqlStore(engine, dialect, url, read_only=read_only)


def _open_to_write(location: Location, dialect: SqliteDialect) -> Engine:
    engine = _engine(partial(_connect, location, "rwc"), dialect)
    try:
        if not _is_current(engine, location):
            with dialect.writing(engine) as connection:
                # Asked again: between the two another process may have upgraded it.
                if stored_version(connection, str(location.path)) != HEAD:
                    upgrade(connection)
                    describe_sizes(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _open_to_read(location: Location, dialect: SqliteDialect) -> Engine | None:
    """None where there is nothing to read."""
    if not location.path.exists():
        return None
    engine = _engine(partial(_connect, location, "ro"), dialect)
    try:
        with engine.connect() as connection:
            version = readable_version(connection, str(location.path))
    except BaseException:
        engine.dispose()
        raise
    if version is None:
        engine.dispose()
        return None
    return engine


def _is_current(engine: Engine, location: Location) -> bool:
    with engine.connect() as connection:
        return stored_version(connection, str(location.path)) == HEAD


def _engine(connect: Callable[[], sqlite3.Connection], dialect: SqliteDialect) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, max_overflow=-1)
    dialect.listen(engine)
    translate_errors(engine, dialect)
    return engine


def _connect(location: Location, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        location.uri(mode), uri=True, timeout=location.timeout, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # A large transaction that spilled its pages would lock readers out before it commits.
        connection.execute("PRAGMA cache_spill = OFF")
    except BaseException:
        connection.close()
        raise
    return connection
