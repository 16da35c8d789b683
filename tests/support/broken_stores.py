"""Stores with one fault each, to prove that the suite of stores catches it. They are the memory store, but for it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone

from attrs import evolve
from finra_memory.transaction import MemoryTransaction

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord, Check
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Records
from finra_core.ports import NewCapture, RowChanges, RunRecord
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload
from finra_memory import MemoryStore


class Sound(MemoryStore):
    """No fault; the faulty ones have a transaction of their own."""

    begin: type[MemoryTransaction] = MemoryTransaction

    def __init__(self) -> None:
        super().__init__("memory:", read_only=False)

    @contextmanager
    def transaction(self, key: str | None = None) -> Iterator[MemoryTransaction]:
        with super().transaction(key) as sound:
            yield self.begin(sound._state)


class CommitsWhatRaised(Sound):
    @contextmanager
    def transaction(self, key: str | None = None) -> Iterator[MemoryTransaction]:
        with self._writing:
            state = self._state.copy()
            try:
                yield MemoryTransaction(state)
            finally:
                self._state = state


class RollsBackErrorsAlone(Sound):
    @contextmanager
    def transaction(self, key: str | None = None) -> Iterator[MemoryTransaction]:
        interrupt = None
        with super().transaction(key) as transaction:
            try:
                yield transaction
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt:
            raise interrupt


class ShowsTheUncommitted(Sound):
    @contextmanager
    def transaction(self, key: str | None = None) -> Iterator[MemoryTransaction]:
        with self._writing:
            before = self._state.copy()
            try:
                yield MemoryTransaction(self._state)
            except BaseException:
                self._state = before
                raise


class LocksNothing(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def latest_capture(self, partition: Partition) -> Capture | None:
            latest = super().latest_capture(partition)
            time.sleep(0.02)  # the others read it too, meanwhile
            return latest

    @contextmanager
    def transaction(self, key: str | None = None) -> Iterator[MemoryTransaction]:
        state = self._state.copy()
        yield self.begin(state)
        self._state = state


class NumbersDownwards(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            added = super().add_capture(capture, payload)
            held = self._state
            renumbered = evolve(added, number=1000 - added.number)
            del held.captures[added.number]
            held.captures[renumbered.number] = renumbered
            held.documents[renumbered.number] = held.documents.pop(added.number)
            return renumbered


class CountsNoRevision(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            added = evolve(super().add_capture(capture, payload), revision=1)
            self._state.captures[added.number] = added
            return added


class TakesTheLatestByTheClock(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def latest_capture(self, partition: Partition) -> Capture | None:
            return max(self._state.list_captures([partition]), key=lambda c: c.captured_at, default=None)


class TakesAnyPartitionsLatest(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def latest_capture(self, partition: Partition) -> Capture | None:
            return max(self._state.captures.values(), key=lambda capture: capture.number, default=None)


class KeepsWholeSeconds(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            return super().add_capture(evolve(capture, captured_at=capture.captured_at.replace(microsecond=0)), payload)


class KeepsTheLastVerification(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def mark_verified(self, capture: Capture, at: datetime) -> None:
            stored = self._state.captures[capture.number]
            self._state.captures[capture.number] = evolve(stored, verified_at=at.astimezone(timezone.utc))


class ReencodesDocuments(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            documents = (document.decode("utf-8", "replace").encode() for document in payload.documents)
            return super().add_capture(capture, evolve(payload, documents=documents))


class KeepsOneDocumentAHash(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            same = [c for c in self._state.captures.values() if c.content_hash == capture.content_hash]
            documents = self._state.documents[same[0].number] if same else payload.documents
            return super().add_capture(capture, evolve(payload, documents=documents))


class KeepsWithdrawnRows(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_records(
            self, capture: Capture, records: Records, rejects: Sequence[Reject], at: datetime
        ) -> RowChanges | None:
            newest = self._state.newest_normalized(capture.partition)
            before = list(self._state.records[newest.number].rows()) if newest else []
            held = {row[:2] for row in records.rows()}
            rows = [*records.rows(), *(row for row in before if row[:2] not in held)]
            return super().add_records(capture, Records.of(rows), rejects, at)


class NormalizesAgain(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_records(
            self, capture: Capture, records: Records, rejects: Sequence[Reject], at: datetime
        ) -> RowChanges | None:
            self._state.records.pop(capture.number, None)
            return super().add_records(capture, records, rejects, at)


class DropsRejects(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_records(
            self, capture: Capture, records: Records, rejects: Sequence[Reject], at: datetime
        ) -> RowChanges | None:
            return super().add_records(capture, records, [], at)


class KeepsSharesAsDoubles(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_records(
            self, capture: Capture, records: Records, rejects: Sequence[Reject], at: datetime
        ) -> RowChanges | None:
            rounded = [int(float(micros)) for micros in records.shares_micros]
            return super().add_records(capture, evolve(records, shares_micros=rounded), rejects, at)


class SharesSymbolsWithinACapture(Sound):
    def shared_symbols(self, captures: Sequence[Capture]) -> frozenset[str]:
        rows = Counter(security[0] for capture in captures for security in self.records(capture).securities)
        return frozenset(symbol for symbol, count in rows.items() if count > 1)


class AcceptsOutdatedAnalytics(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_analysis(self, analysis: Analysis) -> bool:
            identity = (analysis.week_ending, analysis.tier, analysis.inputs, analysis.calc_version)
            if self._state.has_analysis(*identity):
                return False
            self._state.analyses.append(analysis)
            return True


class StoresAnalyticsTwice(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def add_analysis(self, analysis: Analysis) -> bool:
            if not super().add_analysis(analysis):
                self._state.analyses.append(analysis)
            return True


class NeverResolves(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def record_checks(self, checks: Sequence[Check], at: datetime) -> None:
            super().record_checks([check for check in checks if check.found], at)


class NeverReopens(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def record_checks(self, checks: Sequence[Check], at: datetime) -> None:
            resolved = {k: record for k, record in self._state.anomalies.items() if record.resolved_at}
            super().record_checks(checks, at)
            self._state.anomalies.update(resolved)


class ResolvesWhatNobodyChecked(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def record_checks(self, checks: Sequence[Check], at: datetime) -> None:
            super().record_checks(checks, at)
            found = {anomaly.fingerprint for check in checks for anomaly in check.found}
            for fingerprint, record in self._state.anomalies.items():
                self._state.anomalies[fingerprint] = record if fingerprint in found else _resolved(record, at)


def _resolved(record: AnomalyRecord, at: datetime) -> AnomalyRecord:
    return evolve(record, resolved_at=record.resolved_at or at)


class WithdrawsNothing(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def withdraw_readiness(self, week_ending: object, issue: str, at: datetime) -> None:
            """The week stays ready."""


class LosesUnstartedRuns(Sound):
    class begin(MemoryTransaction):  # noqa: N801
        def finish_run(self, run: RunRecord) -> None:
            if run.run_id in self._state.runs:
                super().finish_run(run)
