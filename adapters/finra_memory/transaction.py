"""What a transaction does to the state that it works on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from attrs import evolve, frozen

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import Anomaly, AnomalyRecord, Check, Severity
from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness
from finra_core.domain.records import Records
from finra_core.domain.tiers import ALL_TIERS
from finra_core.ports import NewCapture, RowChanges, RunRecord
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload
from finra_memory.state import State

_WORST_FIRST = tuple(Severity)


@frozen
class MemoryTransaction:
    """Changes a state of its own, which the store makes the committed one when the block ends well."""

    _state: State

    def latest_capture(self, partition: Partition) -> Capture | None:
        """See `Transaction.latest_capture`."""
        return self._state.newest(partition)

    def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        """See `Transaction.add_capture`."""
        captures = self._state.captures
        revisions = [c.revision for c in captures.values() if c.capture_id == capture.capture_id]
        stored = Capture(
            number=len(captures) + 1,
            capture_id=capture.capture_id,
            revision=max(revisions, default=0) + 1,
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
        )
        captures[stored.number] = stored
        self._state.documents[stored.number] = payload.documents
        return stored

    def mark_verified(self, capture: Capture, at: datetime) -> None:
        """See `Transaction.mark_verified`."""
        stored = self._state.captures[capture.number]
        self._state.captures[capture.number] = evolve(stored, verified_at=max(at, stored.verified_at))

    def add_records(
        self,
        capture: Capture,
        records: Records,
        rejects: Sequence[Reject],
        at: datetime,
    ) -> RowChanges | None:
        """See `Transaction.add_records`."""
        previous = self._state.newest_normalized(capture.partition)
        if previous is not None and previous.number >= capture.number:
            return None
        before = set(self._state.records[previous.number].rows()) if previous else set()
        after = set(records.rows())
        self._state.records[capture.number] = _sorted(records)
        self._state.rejects[capture.number] = sorted(rejects, key=lambda reject: (reject.document, reject.line))
        return RowChanges(len(after - before), len(before - after), len(after & before))

    def add_analysis(self, analysis: Analysis) -> bool:
        """See `Transaction.add_analysis`."""
        if self._state.has_analysis(analysis.week_ending, analysis.tier, analysis.inputs, analysis.calc_version):
            return False
        if analysis.tier == ALL_TIERS and not all(map(self._is_newest_normalized, analysis.inputs)):
            return False
        self._state.analyses.append(analysis)
        return True

    def withdraw_readiness(self, week_ending: date, issue: str, at: datetime) -> None:
        """See `Transaction.withdraw_readiness`."""
        for key, judged in self._state.readiness.items():
            if judged.week_ending == week_ending:
                issues = tuple(dict.fromkeys((*judged.blocking_issues, issue)))
                self._state.readiness[key] = evolve(
                    judged, is_ready=False, all_stages_complete=False, blocking_issues=issues
                )

    def put_readiness(self, readiness: Sequence[Readiness], at: datetime) -> None:
        """See `Transaction.put_readiness`."""
        for judged in readiness:
            self._state.readiness[judged.week_ending, judged.ready_for] = judged

    def record_checks(self, checks: Sequence[Check], at: datetime) -> None:
        """See `Transaction.record_checks`."""
        for check in checks:
            found = {a.fingerprint: a for a in sorted(check.found, key=_mildest_first)}
            for fingerprint, anomaly in found.items():
                self._see(fingerprint, anomaly, at)
            self._resolve_all_but(found, check, at)

    def start_run(self, run: RunRecord) -> None:
        """See `Transaction.start_run`."""
        if run.run_id in self._state.runs:
            raise StoreError(f"run {run.run_id} has been started already: give every run its own run_id")
        self._state.runs[run.run_id] = run

    def finish_run(self, run: RunRecord) -> None:
        """See `Transaction.finish_run`."""
        if run.run_id not in self._state.runs:
            raise StoreError(f"run {run.run_id} is not in the ledger: start it before it is finished")
        self._state.runs[run.run_id] = run

    def _is_newest_normalized(self, number: int) -> bool:
        capture = self._state.captures[number]
        return self._state.newest_normalized(capture.partition) == capture

    def _see(self, fingerprint: str, anomaly: Anomaly, at: datetime) -> None:
        known = self._state.anomalies.get(fingerprint)
        self._state.anomalies[fingerprint] = AnomalyRecord(
            fingerprint=fingerprint,
            anomaly=anomaly,
            first_seen=known.first_seen if known else at,
            last_seen=at,
            occurrences=known.occurrences + 1 if known else 1,
            resolved_at=None,
        )

    def _resolve_all_but(self, found: dict[str, Anomaly], check: Check, at: datetime) -> None:
        for fingerprint, record in self._state.anomalies.items():
            of_check = (record.anomaly.partition_key, record.anomaly.stage) == (check.partition_key, check.stage)
            if of_check and fingerprint not in found and record.resolved_at is None:
                self._state.anomalies[fingerprint] = evolve(record, resolved_at=at)


def _mildest_first(anomaly: Anomaly) -> int:
    """Of findings with one fingerprint the worst is kept: a dictionary keeps the last."""
    return -_WORST_FIRST.index(anomaly.severity)


def _sorted(records: Records) -> Records:
    return Records.of(sorted(records.rows()))
