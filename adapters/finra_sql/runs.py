"""The ledger of runs."""

from __future__ import annotations

from attrs import asdict
from sqlalchemy import select

from finra_core.ports.store import RunQuery, RunRecord
from finra_sql.schema import runs
from finra_sql.session import Session

_COLUMNS = [column for column in runs.c if column is not runs.c.run_no]


def put(session: Session, run: RunRecord) -> None:
    """Store a run, in place of the one with its run_id."""
    session.dialect.upsert(session.connection, runs, ("run_id",), [asdict(run)])


def read(session: Session, query: RunQuery) -> list[RunRecord]:
    """The runs that a query asks for, latest started first."""
    wanted = []
    if query.run_id is not None:
        wanted.append(runs.c.run_id == query.run_id)
    if query.swept:
        wanted.append(runs.c.sweep_from.is_not(None))
    latest_first = (runs.c.started_at.desc(), runs.c.run_no.desc())
    rows = session.execute(select(*_COLUMNS).where(*wanted).order_by(*latest_first).limit(query.limit))
    return [RunRecord(**row._mapping) for row in rows]
