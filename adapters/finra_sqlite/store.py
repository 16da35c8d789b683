"""Opening a SQLite store: the file is made and its schema brought up to date, unless it is only read."""

from __future__ import annotations

from finra_sql.admin import SqlSchemaAdmin
from finra_sql.migrate import ddl
from finra_sql.store import SqlStore
from finra_sqlite.dialect import SqliteDialect
from finra_sqlite.location import parse_url
from finra_sqlite.words import DATABASE, WORDS


def open_store(url: str, *, read_only: bool = False) -> SqlStore:
    """Open the store in the file that the URL names.

    It is made, and its schema upgraded, where needed. With `read_only` no byte is written and no file made:
    a file that is not there, or has nothing of ours, is an empty store, and nothing can be written.

    Raises:
        ConfigurationError: the URL is malformed.
        StoreUnavailableError: the file cannot be opened, or is no SQLite database.
        StoreLockedError: another process was upgrading or writing it for too long.
        StoreSchemaError: it is newer than this library, not this library's, or read_only and outdated.
    """
    return SqlStore(SqliteDialect(parse_url(url), read_only))


def open_schema(url: str) -> SqlSchemaAdmin:
    """Who looks after the schema of the store in the file that the URL names."""
    return SqlSchemaAdmin(
        lambda read_only: SqliteDialect(parse_url(url), read_only=read_only), lambda: ddl(WORDS, DATABASE)
    )
