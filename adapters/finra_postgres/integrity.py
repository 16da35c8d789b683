"""What PostgreSQL can say of its own pages and indexes: the extension amcheck, where it is installed and allowed."""

from __future__ import annotations

from sqlalchemy import Connection, TextClause, text

from finra_core.domain.errors import StoreError, StoreUnavailableError
from finra_core.ports.audit import Integrity
from finra_sql.schema import metadata

_HAS_AMCHECK = text("SELECT extversion FROM pg_extension WHERE extname = 'amcheck'")
_NOT_INSTALLED = (
    "PostgreSQL's own check of pages and indexes was left out: CREATE EXTENSION amcheck lets finra verify use it"
)
_INDEXES = text(
    "SELECT i.indexrelid::regclass::text FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid "
    "JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_am AS m ON m.oid = x.relam "
    "WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY(:tables) AND m.amname = 'btree'"
)
_CHECK_INDEX = text("SELECT bt_index_check(CAST(:name AS regclass), true)")
_CHECK_TABLE = text("SELECT blkno, msg FROM verify_heapam(CAST(:name AS regclass))")
_BAD_KEYS = text(
    "SELECT c.conname FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid "
    "WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY(:tables) AND NOT c.convalidated"
)


def check_integrity(connection: Connection) -> Integrity:
    """By amcheck, if it can be used; otherwise a note says so. That constraints were validated is looked at anyway."""
    tables = sorted(metadata.tables)
    bad = connection.execute(_BAD_KEYS, {"tables": tables}).scalars().all()
    problems = [f"the constraint {name} does not hold for all rows" for name in bad]
    if connection.execute(_HAS_AMCHECK).scalar() is None:
        return Integrity(tuple(problems), (_NOT_INSTALLED,))
    indexes = list(connection.execute(_INDEXES, {"tables": tables}).scalars())
    checks = [(_CHECK_INDEX, name) for name in indexes] + [(_CHECK_TABLE, name) for name in tables]
    refused: list[str] = []
    for check, name in checks:
        problems += _of_one(connection, check, name, refused)
    notes = (f"amcheck could not be used ({refused[0]}): grant EXECUTE on its functions",) if refused else ()
    return Integrity(tuple(problems), notes)


def _of_one(connection: Connection, check: TextClause, name: str, refused: list[str]) -> list[str]:
    try:
        # What fails is undone alone: the transaction goes on.
        with connection.begin_nested():
            found = connection.execute(check, {"name": name}).all()
    except StoreUnavailableError as error:
        if "permission denied" not in error.message:
            return [f"{name}: {error.message}"]
        refused.append(error.message)
        return []
    except StoreError as error:
        return [f"{name}: {error.message}"]
    return [f"{name}: block {row[0]}: {row[1]}" for row in found] if check is _CHECK_TABLE else []
