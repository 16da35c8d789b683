"""One committed state of a memory store: plain containers, and copies of them."""

from __future__ import annotations

from attrs import Factory, define, fields

from finra_core.domain.analytics import Analysis, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture
from finra_core.domain.chain import ChainEntry
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.ports.store import DecisionRecord, RunRecord
from finra_core.weekly_summary.delimited import Reject


@define
class State:
    """Captures, payloads, records and rejects are by capture number; lists are in the order of the puts."""

    captures: dict[int, Capture] = Factory(dict)
    payloads: dict[int, tuple[bytes, ...]] = Factory(dict)
    records: dict[int, Records] = Factory(dict)
    rejects: dict[int, list[Reject]] = Factory(dict)
    analyses: dict[AnalysisKey, Analysis] = Factory(dict)
    judgments: list[Judgment] = Factory(list)
    anomalies: dict[str, AnomalyRecord] = Factory(dict)
    decisions: list[DecisionRecord] = Factory(list)
    runs: dict[str, RunRecord] = Factory(dict)
    pins: dict[tuple[str, int], Pin] = Factory(dict)
    prunes: list[PruneRecord] = Factory(list)
    chain: list[ChainEntry] = Factory(list)

    def copy(self) -> State:
        """A state that can be changed without changing this one: what the containers hold is never changed."""
        return State(*(getattr(self, field.name).copy() for field in fields(State)))
