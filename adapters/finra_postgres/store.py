"""Opening a PostgreSQL store: its schema is made or brought up to date, unless it is only read."""

from __future__ import annotations

from finra_postgres.dialect import PostgresDialect
from finra_postgres.location import parse_url
from finra_postgres.words import DATABASE, WORDS
from finra_sql.admin import SqlSchemaAdmin
from finra_sql.migrate import ddl
from finra_sql.store import SqlStore


def open_store(url: str, *, read_only: bool = False) -> SqlStore:
    """Open the store in the database, and the first schema of its search_path, that the URL names.

    Its schema is made and upgraded where needed. With `read_only` nothing is written: a database that has nothing
    of ours is an empty store, and writing is refused, by the server too.

    Raises:
        ConfigurationError: the URL is malformed.
        StoreUnavailableError: the database cannot be reached or entered, or may not be written.
        StoreLockedError: another process was upgrading it for too long.
        StoreSchemaError: it is newer than this library, not this library's, or read_only and outdated.
    """
    return SqlStore(PostgresDialect(parse_url(url), read_only))


def open_schema(url: str) -> SqlSchemaAdmin:
    """Who looks after the schema of the store in the database that the URL names."""
    return SqlSchemaAdmin(
        lambda read_only: PostgresDialect(parse_url(url), read_only=read_only), lambda: ddl(WORDS, DATABASE)
    )
