"""The schema's version: reading it, refusing what is not ours or too new, and upgrading.

Alembic is imported only where there is something to upgrade: it costs more than opening the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, inspect, select, table

from finra_core.domain.errors import StoreSchemaError
from finra_sql.dialect import SchemaWords, SqlDialect
from finra_sql.schema import metadata
from finra_sql.views import create_views, drop_views

REVISIONS = ("0001",)
"""Every schema that ever was, oldest first: the revisions of `migrations/versions`."""
HEAD = REVISIONS[-1]
VERSION_TABLE = "finra_schema_version"

_MIGRATIONS = Path(__file__).parent / "migrations"


def found_version(connection: Connection, where: str) -> str | None:
    """What this database says its schema is, None where there is nothing of ours.

    Raises:
        StoreSchemaError: it is somebody else's, or damaged. `where` names it in the message.
    """
    names = set(inspect(connection).get_table_names())
    ours = sorted(names & metadata.tables.keys())
    if VERSION_TABLE not in names:
        if ours:
            raise StoreSchemaError(
                f"{where}: it has a table {ours[0]} that this library did not make: use another database"
            )
        return None
    version = connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()
    if version is None:
        raise StoreSchemaError(f"{where}: its {VERSION_TABLE} is empty: restore a backup")
    return str(version)


def stored_version(connection: Connection, where: str) -> str | None:
    """The revision of the schema in this database, None where there is nothing of ours.

    Raises:
        StoreSchemaError: as `found_version`, or it is one that this library does not know.
    """
    version = found_version(connection, where)
    if version is None or version in REVISIONS:
        return version
    if version > HEAD:
        raise StoreSchemaError(
            f"{where}: its schema {version} is newer than this library, which knows {HEAD}: upgrade finra-core"
        )
    raise StoreSchemaError(f"{where}: its schema {version} is none that this library ever made: use another database")


def readable_version(connection: Connection, where: str) -> str | None:
    """HEAD, or None where there is nothing of ours.

    Raises:
        StoreSchemaError: as `stored_version`, or it is older, which reading alone cannot change.
    """
    version = stored_version(connection, where)
    if version not in {None, HEAD}:
        raise StoreSchemaError(
            f"{where}: its schema {version} is older than this library's {HEAD}: "
            "open it once without read_only to upgrade it"
        )
    return version


def upgrade(connection: Connection, dialect: SqlDialect) -> None:
    """Bring the schema to HEAD in the connection's transaction, which the caller commits."""
    drop_views(connection.exec_driver_sql)
    _run_migrations(dialect.words, {"connection": connection})


def ddl(words: SchemaWords, database: str) -> str:
    """The SQL that makes the schema in an empty database. database: the name of its SQLAlchemy dialect."""
    script = StringIO()
    _run_migrations(words, {"dialect_name": database, "output_buffer": script, "as_sql": True}, offline=True)
    return script.getvalue()


def _run_migrations(words: SchemaWords, target: Mapping[str, Any], *, offline: bool = False) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    def afterwards(execute: Callable[[str], object]) -> None:
        create_views(execute, words)

    config = Config(
        attributes={
            "target": {**target, "version_table": VERSION_TABLE, "transactional_ddl": True},
            "words": words,
            "afterwards": afterwards,
        }
    )
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, HEAD, sql=offline)
