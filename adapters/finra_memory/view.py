"""What can be read from one state of a memory store.

Naive on purpose: every capture has its complete records, and every answer is looked up by going through
all there is, so that reading the code is enough to believe it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from finra_core.domain.analytics import Analysis, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture
from finra_core.domain.chain import ChainEntry
from finra_core.domain.changes import RowChange, compare_records
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
from finra_memory.state import State


class MemoryView(ReadView):
    """A view of one state. Nobody changes a committed state, so it stays as it is."""

    def __init__(self, state: State) -> None:
        self._state = state

    def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
        return query.select(self._state.captures.values())

    def payload(self, capture: Capture) -> tuple[bytes, ...]:
        if capture.number not in self._state.payloads:
            raise StoreError(f"{capture} is not in this store", partition=capture.partition)
        return self._state.payloads[capture.number]

    def records(self, capture: Capture) -> Records:
        self._check_normalized(capture)
        return self._state.records[capture.number]

    def rejects(self, capture: Capture) -> list[Reject]:
        self._check_normalized(capture)
        return list(self._state.rejects[capture.number])

    def symbols(self, capture: Capture) -> frozenset[str]:
        return frozenset(security.symbol for security in self.records(capture).securities.values)

    def changes(self, before: Capture, after: Capture) -> list[RowChange]:
        if before.partition != after.partition:
            raise StoreError(f"{before} and {after} are captures of two partitions: compare captures of one")
        return compare_records(self.records(before).rows(), self.records(after).rows())

    def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
        return query.select(self._state.captures.values(), lambda capture: self._state.records[capture.number].rows())

    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        return [a for a in self._state.analyses.values() if weeks is None or a.week_ending in weeks]

    def analysis_keys(self, weeks: Collection[date] | None = None) -> list[AnalysisKey]:
        return [analysis.key for analysis in self.analyses(weeks)]

    def judgments(self, query: JudgmentQuery = JudgmentQuery()) -> list[Judgment]:
        return query.select(self._state.judgments)

    def anomalies(self, query: AnomalyQuery = AnomalyQuery()) -> list[AnomalyRecord]:
        return query.select(self._state.anomalies.values())

    def decisions(self, query: DecisionQuery = DecisionQuery()) -> list[DecisionRecord]:
        return query.select(self._state.decisions)

    def runs(self, query: RunQuery = RunQuery()) -> list[RunRecord]:
        return query.select(self._state.runs.values())

    def pins(self) -> list[Pin]:
        return sorted(self._state.pins.values(), key=lambda pin: pin.name)

    def prunes(self) -> list[PruneRecord]:
        return list(self._state.prunes)

    def chain(self, after: int = 0, limit: int | None = None) -> list[ChainEntry]:
        return [entry for entry in self._state.chain if entry.seq > after][:limit]

    def chain_head(self) -> ChainEntry | None:
        return self._state.chain[-1] if self._state.chain else None

    def _check_normalized(self, capture: Capture) -> None:
        if capture.number not in self._state.records:
            raise StoreError(f"{capture} has no records: it is not normalized", partition=capture.partition)
