"""What a unit of work does to the state that it works on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture, NewCapture
from finra_core.domain.chain import ChainEntry
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import StoreError
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.ports.store import DecisionRecord, Lock, RowCounts, RunRecord, UnitOfWork
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload
from finra_memory.view import MemoryView


class MemoryUnitOfWork(MemoryView, UnitOfWork):
    """Reads and changes a state of its own, which the store makes the committed one when the block ends well."""

    def hold(self, lock: Lock) -> None:
        """Units of work follow each other, so each holds all locks from its beginning."""

    def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        stored = Capture(
            number=max(self._state.captures, default=0) + 1,
            capture_id=capture.capture_id,
            revision=capture.revision,
            partition=capture.partition,
            captured_at=capture.captured_at,
            content_hash=capture.content_hash,
            version=capture.version,
            row_count=capture.row_count,
            size_bytes=payload.size_bytes,
            source_url=payload.source_url,
            run_id=capture.run_id,
            reason=capture.reason,
            verified_at=capture.verified_at,
            checked_at=capture.verified_at,
        )
        self._state.captures[stored.number] = stored
        self._state.payloads[stored.number] = payload.documents
        return stored

    def put_checked(self, captures: Sequence[Capture]) -> None:
        for capture in captures:
            stored = self._stored(capture)
            self._state.captures[capture.number] = evolve(
                stored, verified_at=capture.verified_at, checked_at=capture.checked_at
            )

    def put_records(
        self,
        capture: Capture,
        records: Records,
        rejects: Sequence[Reject],
        coverage: Sequence[HalfCoverage],
        at: datetime,
    ) -> RowCounts:
        stored = self._stored(capture)
        same = [c for c in self._state.captures.values() if c.partition == capture.partition and c.is_normalized]
        newest = max((c.number for c in same), default=0)
        if newest >= capture.number:
            raise StoreError(f"{capture}: it or a later capture has records already", partition=capture.partition)
        before = set(self._state.records[newest].rows()) if newest else set()
        after = set(records.rows())
        self._state.captures[capture.number] = evolve(
            stored, normalized_at=at, rejected_rows=len(rejects), coverage=tuple(coverage)
        )
        self._state.records[capture.number] = Records.of(sorted(records.rows()))
        self._state.rejects[capture.number] = sorted(rejects, key=lambda reject: (reject.document, reject.line))
        return RowCounts(len(after - before), len(before - after), len(after & before))

    def put_analysis(self, analysis: Analysis) -> None:
        if analysis.key in self._state.analyses:
            raise StoreError(f"{analysis.week_ending} / {analysis.tier}: these analytics are stored already")
        self._state.analyses[analysis.key] = analysis

    def put_judgments(self, judgments: Sequence[Judgment]) -> None:
        self._state.judgments.extend(judgments)

    def put_anomalies(self, records: Sequence[AnomalyRecord]) -> None:
        self._state.anomalies.update((record.fingerprint, record) for record in records)

    def put_decisions(self, records: Sequence[DecisionRecord]) -> None:
        self._state.decisions.extend(records)

    def put_run(self, run: RunRecord) -> None:
        self._state.runs[run.run_id] = run

    def put_pin(self, pin: Pin) -> None:
        self._state.pins[pin.name] = pin

    def remove_pin(self, pin: Pin) -> None:
        self._state.pins.pop(pin.name, None)

    def remove_captures(self, captures: Sequence[Capture]) -> None:
        if len({capture.partition for capture in captures}) > 1:
            raise StoreError("captures of two partitions: remove those of one at a time")
        for stored in [self._stored(capture) for capture in captures]:
            del self._state.captures[stored.number], self._state.payloads[stored.number]
            self._state.records.pop(stored.number, None)
            self._state.rejects.pop(stored.number, None)
            self._state.pins.pop((stored.capture_id, stored.revision), None)
            for key in [key for key in self._state.analyses if stored.number in key.inputs]:
                del self._state.analyses[key]

    def put_prune(self, record: PruneRecord) -> None:
        self._state.prunes.append(record)

    def put_chain(self, entries: Sequence[ChainEntry]) -> None:
        known = {entry.seq for entry in self._state.chain}
        if any(entry.seq in known for entry in entries):
            raise StoreError("the chain has an entry with this number already")
        self._state.chain.extend(entries)

    def _stored(self, capture: Capture) -> Capture:
        if capture.number not in self._state.captures:
            raise StoreError(f"{capture} is not in this store", partition=capture.partition)
        return self._state.captures[capture.number]
