"""Opening a PostgreSQL store: its schema is made or brought up to date, unless it is only read."""

from __future__ import annotations

import psycopg
from sqlalchemy import Engine, create_engine

from finra_postgres.dialect import PostgresDialect
from finra_postgres.location import Location, parse_url
from finra_sql.empty import empty_store
from finra_sql.failures import translate_errors
from finra_sql.migrate import HEAD, readable_version, stored_version, upgrade
from finra_sql.store import SqlStore

_SCHEMA = "schema"
"""The turn of whoever upgrades."""


def open_store(url: str, *, read_only: bool = False) -> SqlStore:
    """Open the store in the database, and the first schema of its search_path, that the URL names.

    Its schema is made and upgraded where needed. With `read_only` nothing is written: a database that has nothing
    of ours is an empty store, and transactions are refused, by the server too.

    Raises:
        ConfigurationError: the URL is malformed.
        StoreUnavailableError: the database cannot be reached or entered, or may not be written.
        StoreLockedError: another process was upgrading it for too long.
        StoreSchemaError: it is newer than this library, not this library's, or read_only and outdated.
    """
    location = parse_url(url)
    dialect = PostgresDialect(location)
    engine = _engine(location, dialect, read_only=read_only)
    try:
        if read_only:
            with dialect.reading(engine) as connection:
                empty = readable_version(connection, location.name) is None
        else:
            _upgrade_if_needed(engine, dialect)
            empty = False
    except BaseException:
        engine.dispose()
        raise
    if empty:
        engine.dispose()
        return empty_store(location.url)
    return SqlStore(engine, dialect, location.url, read_only=read_only)


def _upgrade_if_needed(engine: Engine, dialect: PostgresDialect) -> None:
    name = dialect.location.name
    with dialect.reading(engine) as connection:
        if stored_version(connection, name) == HEAD:
            return
    with dialect.writing(engine, None) as connection:
        dialect.take_turn(connection, _SCHEMA)
        # Asked again: between the two another process may have upgraded it.
        if stored_version(connection, name) != HEAD:
            upgrade(connection)


def _engine(location: Location, dialect: PostgresDialect, *, read_only: bool) -> Engine:
    def connect() -> psycopg.Connection:
        # Statements are not prepared: they are few, and poolers between us and the server may not pass them on.
        connection = psycopg.connect(location.conninfo, prepare_threshold=None)
        if read_only:
            connection.execute("SET default_transaction_read_only = on")
            connection.commit()
        return connection

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        isolation_level="READ COMMITTED",
        max_overflow=-1,
        pool_pre_ping=True,
        use_native_hstore=False,
    )
    translate_errors(engine, dialect)
    return engine
