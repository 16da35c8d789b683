"""What can be read in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from finra_core.domain.analytics import Analysis, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture
from finra_core.domain.chain import ChainEntry
from finra_core.domain.changes import RowChange
from finra_core.domain.errors import StoreError
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.ports.audit import Fault, Integrity, StageRow, StoreAudit
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    DecisionQuery,
    DecisionRecord,
    JudgmentQuery,
    ReadView,
    RestatementQuery,
    RowCounts,
    RunQuery,
    RunRecord,
)
from finra_core.weekly_summary.delimited import Reject
from finra_sql import (
    analytics,
    anomalies,
    audit,
    captures,
    chain,
    decisions,
    judgments,
    payloads,
    restatements,
    retention,
    rows,
    runs,
)
from finra_sql.session import Session

P = ParamSpec("P")
T = TypeVar("T")


def _reading(
    method: Callable[Concatenate[SqlView, P], T],
) -> Callable[Concatenate[SqlView, P], T]:
    """Have a stored value that is none of ours raise a StoreError: users can write what they like into tables."""

    @wraps(method)
    def read(self: SqlView, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except (LookupError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self._session.dialect.name}: a stored value is not as this library writes it"
                f" ({type(error).__name__}: {' '.join(str(error).split())}): restore a backup"
            ) from error

    return read


class SqlView(ReadView, StoreAudit):
    """The statements of a transaction that reads."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @_reading
    def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
        return captures.read(self._session, query)

    @_reading
    def payload(self, capture: Capture) -> tuple[bytes, ...]:
        return payloads.get(self._session, capture)

    @_reading
    def records(self, capture: Capture) -> Records:
        return rows.read(self._session, capture)

    @_reading
    def rejects(self, capture: Capture) -> list[Reject]:
        return rows.rejects(self._session, capture)

    @_reading
    def symbols(self, capture: Capture) -> frozenset[str]:
        return rows.symbols(self._session, capture)

    @_reading
    def changes(self, before: Capture, after: Capture) -> list[RowChange]:
        return rows.changes(self._session, before, after)

    @_reading
    def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
        return restatements.read(self._session, query)

    @_reading
    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        return analytics.read(self._session, weeks)

    @_reading
    def analysis_keys(self, weeks: Collection[date] | None = None) -> list[AnalysisKey]:
        return analytics.read_keys(self._session, weeks)

    @_reading
    def judgments(self, query: JudgmentQuery = JudgmentQuery()) -> list[Judgment]:
        return judgments.read(self._session, query)

    @_reading
    def anomalies(self, query: AnomalyQuery = AnomalyQuery()) -> list[AnomalyRecord]:
        return anomalies.read(self._session, query)

    @_reading
    def decisions(self, query: DecisionQuery = DecisionQuery()) -> list[DecisionRecord]:
        return decisions.read(self._session, query)

    @_reading
    def runs(self, query: RunQuery = RunQuery()) -> list[RunRecord]:
        return runs.read(self._session, query)

    @_reading
    def pins(self) -> list[Pin]:
        return retention.pins_in(self._session)

    @_reading
    def prunes(self) -> list[PruneRecord]:
        return retention.prunes_in(self._session)

    @_reading
    def chain(self, after: int = 0, limit: int | None = None) -> list[ChainEntry]:
        return chain.read(self._session, after, limit)

    @_reading
    def chain_head(self) -> ChainEntry | None:
        return chain.head(self._session)

    # How rows are kept

    @_reading
    def integrity(self) -> Integrity:
        return self._session.dialect.integrity(self._session.connection)

    @_reading
    def faults(self) -> list[Fault]:
        return list(audit.faults(self._session))

    @_reading
    def manifest(self) -> list[StageRow]:
        return list(audit.stage_rows(self._session))

    @_reading
    def row_counts(self) -> Mapping[int, RowCounts]:
        return audit.row_counts(self._session)
