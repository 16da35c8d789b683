"""What can be put in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture, NewCapture
from finra_core.domain.chain import ChainEntry
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.ports.store import DecisionRecord, Lock, RowCounts, RunRecord, UnitOfWork
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload
from finra_sql import analytics, anomalies, decisions, removal, retention, rows, runs
from finra_sql import captures as stored_captures
from finra_sql import chain as stored_chain
from finra_sql import judgments as stored_judgments
from finra_sql.session import Session
from finra_sql.surrogate_keys import KeysInTransaction
from finra_sql.view import SqlView


class SqlUnitOfWork(SqlView, UnitOfWork):
    """The statements of a transaction that writes."""

    def __init__(self, session: Session, keys: KeysInTransaction) -> None:
        super().__init__(session)
        self._keys = keys

    def hold(self, lock: Lock) -> None:
        self._session.dialect.hold(self._session.connection, lock.value)

    def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        return stored_captures.add(self._session, self._keys, capture, payload)

    def put_checked(self, captures: Sequence[Capture]) -> None:
        stored_captures.put_checked(self._session, captures)

    def put_records(
        self,
        capture: Capture,
        records: Records,
        rejects: Sequence[Reject],
        coverage: Sequence[HalfCoverage],
        at: datetime,
    ) -> RowCounts:
        return rows.put(self._session, self._keys, capture, records, rejects=rejects, coverage=coverage, at=at)

    def put_analysis(self, analysis: Analysis) -> None:
        analytics.put(self._session, analysis)

    def put_judgments(self, judgments: Sequence[Judgment]) -> None:
        stored_judgments.put(self._session, judgments)

    def put_anomalies(self, records: Sequence[AnomalyRecord]) -> None:
        anomalies.put(self._session, records)

    def put_decisions(self, records: Sequence[DecisionRecord]) -> None:
        decisions.put(self._session, records)

    def put_run(self, run: RunRecord) -> None:
        runs.put(self._session, run)

    def put_pin(self, pin: Pin) -> None:
        retention.put_pin(self._session, pin)

    def remove_pin(self, pin: Pin) -> None:
        retention.remove_pin(self._session, pin)

    def remove_captures(self, captures: Sequence[Capture]) -> None:
        removal.remove(self._session, captures)

    def put_prune(self, record: PruneRecord) -> None:
        retention.put_prune(self._session, record)

    def put_chain(self, entries: Sequence[ChainEntry]) -> None:
        stored_chain.put(self._session, entries)
