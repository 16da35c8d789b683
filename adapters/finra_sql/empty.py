"""What is read where nothing has been stored yet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NoReturn

from finra_core.domain.analytics import Analysis, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture
from finra_core.domain.chain import ChainEntry
from finra_core.domain.changes import RowChange
from finra_core.domain.errors import StoreError
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    DecisionQuery,
    DecisionRecord,
    JudgmentQuery,
    ReadView,
    RestatementQuery,
    RunQuery,
    RunRecord,
)
from finra_core.weekly_summary.delimited import Reject


class EmptyView(ReadView):
    """A view of a database that has no schema yet."""

    def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
        return []

    def payload(self, capture: Capture) -> tuple[bytes, ...]:
        _not_here(capture)

    def records(self, capture: Capture) -> Records:
        _not_here(capture)

    def rejects(self, capture: Capture) -> list[Reject]:
        _not_here(capture)

    def symbols(self, capture: Capture) -> frozenset[str]:
        _not_here(capture)

    def changes(self, before: Capture, after: Capture) -> list[RowChange]:
        _not_here(before)

    def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
        return {}

    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        return []

    def analysis_keys(self, weeks: Collection[date] | None = None) -> list[AnalysisKey]:
        return []

    def judgments(self, query: JudgmentQuery = JudgmentQuery()) -> list[Judgment]:
        return []

    def anomalies(self, query: AnomalyQuery = AnomalyQuery()) -> list[AnomalyRecord]:
        return []

    def decisions(self, query: DecisionQuery = DecisionQuery()) -> list[DecisionRecord]:
        return []

    def runs(self, query: RunQuery = RunQuery()) -> list[RunRecord]:
        return []

    def pins(self) -> list[Pin]:
        return []

    def prunes(self) -> list[PruneRecord]:
        return []

    def chain(self, after: int = 0, limit: int | None = None) -> list[ChainEntry]:
        return []

    def chain_head(self) -> ChainEntry | None:
        return None


def _not_here(capture: Capture) -> NoReturn:
    raise StoreError(f"{capture} is not in this store", partition=capture.partition)
