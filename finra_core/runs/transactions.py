"""What the steps of a run do in their transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from finra_core.domain.anomalies import Check, settle
from finra_core.domain.errors import StoreInterruptedError
from finra_core.ports.observer import TransactionRetried
from finra_core.ports.store import AnomalyQuery, DecisionQuery, DecisionRecord, Lock, UnitOfWork
from finra_core.runs.context import Run

R = TypeVar("R")

TRIES = 3
"""How often a transaction is begun if the database breaks it off."""


def again(run: Run, transaction: Callable[[], R], tries: int = TRIES) -> R:
    """Do a transaction, and do it again, once or twice, if it was broken off. It must begin by reading what is done."""
    try:
        return transaction()
    except StoreInterruptedError as error:
        if tries == 1:
            raise
        run.tell(TransactionRetried, message=error.message)
    return again(run, transaction, tries - 1)


def put_decisions(unit: UnitOfWork, records: Sequence[DecisionRecord]) -> None:
    """Add a run's decisions, except on partitions on which it has decided already: a step may be done twice."""
    if not records:
        return
    partition = records[0].partition if len(records) == 1 else None
    known = unit.decisions(DecisionQuery(run_id=records[0].run_id, partition=partition))
    decided = {record.partition for record in known}
    unit.put_decisions([record for record in records if record.partition not in decided])


def record_checks(unit: UnitOfWork, checks: Sequence[Check], at: datetime) -> None:
    """Open, renew, reopen and resolve anomalies by what checks found."""
    if not checks:
        return
    unit.hold(Lock.ANOMALIES)
    found = [anomaly for check in checks for anomaly in check.found]
    # A scope has few fingerprints. What is found may have been resolved before, and all else that matters is open.
    scopes = frozenset(check.scope for check in checks) | frozenset(anomaly.scope for anomaly in found)
    known = unit.anomalies(AnomalyQuery(scopes=scopes, open_only=not found))
    changed = settle(checks, known, at)
    if changed:
        unit.put_anomalies(changed)
