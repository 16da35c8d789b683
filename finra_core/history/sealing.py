"""Units of work whose puts the chain vouches for: the one place in which entries are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from attrs import define, field

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture, NewCapture
from finra_core.domain.chain import EntryKind, Vouched, next_entries
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.domain.scopes import Scope
from finra_core.history import vouching
from finra_core.ports.store import DecisionRecord, Lock, RowCounts, RunRecord, Store, UnitOfWork
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload


@contextmanager
def writing(store: Store, scope: Scope, clock: Callable[[], datetime]) -> Iterator[UnitOfWork]:
    """Begin a unit of work, as `Store.write` does. At its end the chain vouches for all that was put.

    Raises:
        PartitionLockedError, StoreLockedError: as `Store.write`.
    """
    with store.write(scope) as unit:
        noting = _Noting(unit)
        yield cast("UnitOfWork", noting)
        if noting.vouched:
            # Last, so that others wait for no longer than the commit takes, and nobody in a circle.
            unit.hold(Lock.CHAIN)
            unit.put_chain(next_entries(unit.chain_head(), list(noting.vouched.items()), clock()))


@define
class _Noting:
    """A unit of work that notes what is put. What it does not note is the unit's own."""

    unit: UnitOfWork
    vouched: dict[EntryKind, list[Vouched]] = field(factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unit, name)

    def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        stored = self.unit.put_capture(capture, payload)
        self._note(EntryKind.CAPTURES, [vouching.of_capture(stored, payload.documents_hash)])
        self._note(EntryKind.CHECKS, [vouching.of_check(stored)])
        return stored

    def put_checked(self, captures: Sequence[Capture]) -> None:
        self.unit.put_checked(captures)
        self._note(EntryKind.CHECKS, map(vouching.of_check, captures))

    def put_records(
        self,
        capture: Capture,
        records: Records,
        rejects: Sequence[Reject],
        coverage: Sequence[HalfCoverage],
        at: datetime,
    ) -> RowCounts:
        counts = self.unit.put_records(capture, records, rejects, coverage, at)
        self._note(EntryKind.RECORDS, [vouching.of_records(capture.number, len(rejects), coverage, at)])
        return counts

    def put_analysis(self, analysis: Analysis) -> None:
        self.unit.put_analysis(analysis)
        self._note(EntryKind.ANALYSES, [vouching.of_analysis(analysis)])

    def put_judgments(self, judgments: Sequence[Judgment]) -> None:
        self.unit.put_judgments(judgments)
        self._note(EntryKind.JUDGMENTS, map(vouching.of_judgment, judgments))

    def put_anomalies(self, records: Sequence[AnomalyRecord]) -> None:
        self.unit.put_anomalies(records)
        words = map(vouching.words_of, records)
        self._note(EntryKind.ACKNOWLEDGMENTS, [each for each in words if each is not None])
        self._note(EntryKind.ANOMALIES, map(vouching.of_anomaly, records))

    def put_decisions(self, records: Sequence[DecisionRecord]) -> None:
        self.unit.put_decisions(records)
        self._note(EntryKind.DECISIONS, map(vouching.of_decision, records))

    def put_run(self, run: RunRecord) -> None:
        self.unit.put_run(run)
        self._note(EntryKind.RUNS, vouching.of_run(run))

    def put_pin(self, pin: Pin) -> None:
        self.unit.put_pin(pin)
        self._note(EntryKind.PINS, [vouching.of_pin(pin)])

    def remove_pin(self, pin: Pin) -> None:
        self.unit.remove_pin(pin)
        self._note(EntryKind.PINS, [vouching.of_removed_pin(pin)])

    def remove_captures(self, captures: Sequence[Capture]) -> None:
        weeks = {capture.partition.week_ending for capture in captures}
        removed = vouching.of_removals(captures, self.unit.analysis_keys(weeks))
        self.unit.remove_captures(captures)
        self._note(EntryKind.REMOVALS, removed)

    def put_prune(self, record: PruneRecord) -> None:
        self.unit.put_prune(record)
        self._note(EntryKind.PRUNES, [vouching.of_prune(record)])

    def _note(self, kind: EntryKind, vouched: Iterable[Vouched]) -> None:
        if given := list(vouched):
            self.vouched.setdefault(kind, []).extend(given)
