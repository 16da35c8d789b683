"""The ledger of runs."""

from __future__ import annotations

from attrs import asdict
from sqlalchemy import Connection, insert, select, update

from finra_core.domain.errors import StoreError
from finra_core.ports import RunRecord
from finra_sql.schema import runs


def start(connection: Connection, run: RunRecord) -> None:
    """See `Transaction.start_run`."""
    if connection.execute(select(runs.c.run_no).where(runs.c.run_id == run.run_id)).first():
        raise StoreError(f"run {run.run_id} has been started already: give every run its own run_id")
    connection.execute(insert(runs).values(asdict(run)))


def finish(connection: Connection, run: RunRecord) -> None:
    """See `Transaction.finish_run`."""
    finished = connection.execute(update(runs).where(runs.c.run_id == run.run_id).values(asdict(run)))
    if not finished.rowcount:
        raise StoreError(f"run {run.run_id} is not in the ledger: start it before it is finished")


def read(connection: Connection) -> list[RunRecord]:
    """See `Store.runs`."""
    query = select(*[column for column in runs.c if column is not runs.c.run_no])
    newest_first = query.order_by(runs.c.started_at.desc(), runs.c.run_no.desc())
    return [RunRecord(**row._mapping) for row in connection.execute(newest_first)]
