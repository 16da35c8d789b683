"""The chain: adding entries and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import asdict
from sqlalchemy import Row, insert, select

from finra_core.domain.chain import ChainEntry
from finra_sql.schema import chain
from finra_sql.session import Session


def put(session: Session, entries: Sequence[ChainEntry]) -> None:
    """Add entries."""
    if entries:
        session.execute(insert(chain), [asdict(entry) for entry in entries])


def read(session: Session, after: int, limit: int | None) -> list[ChainEntry]:
    """Entries with a greater number, in their order."""
    query = select(chain).where(chain.c.seq > after).order_by(chain.c.seq).limit(limit)
    return [_from_row(row) for row in session.execute(query)]


def head(session: Session) -> ChainEntry | None:
    """The last entry."""
    row = session.execute(select(chain).order_by(chain.c.seq.desc()).limit(1)).first()
    return None if row is None else _from_row(row)


def _from_row(row: Row[Any]) -> ChainEntry:
    return ChainEntry(**row._mapping)
