"""The schema as SQL text, for those whose database administrator runs it. Needs no database and no driver."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, create_mock_engine

from finra_sql.migrate import HEAD, VERSION_TABLE
from finra_sql.schema import metadata
from finra_sql.views import create_views


def sqlite() -> str:
    """The current schema for an empty SQLite file."""
    return _script("sqlite")


def postgresql() -> str:
    """The current schema for an empty PostgreSQL database."""
    return _script("postgresql")


def _script(database: str) -> str:
    statements: list[str] = []

    def note(statement: Any, *_parameters: object, **_options: object) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)).strip())

    engine: Any = create_mock_engine(f"{database}://", note)
    key = PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc")  # Alembic's name for it
    version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), nullable=False), key)
    metadata.create_all(engine, checkfirst=False)
    create_views(engine)
    version.create(engine, checkfirst=False)
    statements.append(f"INSERT INTO {VERSION_TABLE} (version_num) VALUES ('{HEAD}')")  # noqa: S608 - our own constants
    return "".join(f"{statement};\n\n" for statement in ["BEGIN", *statements, "COMMIT"])
