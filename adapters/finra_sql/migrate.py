"""The schema's version: reading it, refusing what is not ours or too new, and upgrading.

Alembic is imported only where there is something to upgrade: it costs more than opening the store.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from finra_core.domain.errors import StoreSchemaError
from finra_sql.schema import metadata
from finra_sql.views import create_views, drop_views

REVISIONS = ("0001",)
"""Every schema that ever was, oldest first: the revisions of `migrations/versions`."""
HEAD = REVISIONS[-1]
VERSION_TABLE = "finra_schema_version"

_MIGRATIONS = Path(__file__).parent / "migrations"


def stored_version(connection: Connection, where: str) -> str | None:
    """The revision of the schema in this database, None where there is nothing of ours.

    Raises:
        StoreSchemaError: it is newer than this library, or somebody else's. `where` names it in the message.
    """
    names = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in names:
        foreign = sorted(names & metadata.tables.keys())
        if foreign:
            raise StoreSchemaError(
                f"{where}: it has a table {foreign[0]} that this library did not make: use another database"
            )
        return None
    version = connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()
    if version is not None and version not in REVISIONS:
        raise StoreSchemaError(
            f"{where}: its schema {version} is newer than this library, which knows {HEAD}: upgrade finra-core"
        )
    return version


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


def upgrade(connection: Connection) -> None:
    """Bring the schema to HEAD in the connection's transaction, which the caller commits."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    drop_views(connection)
    command.upgrade(config, HEAD)
    create_views(connection)
