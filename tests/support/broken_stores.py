"""Stores with one fault each, to prove that the suite of stores catches it. They are the memory store, but for it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any

from attrs import Factory, define, evolve

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import Anomaly, AnomalyRecord
from finra_core.domain.captures import Capture, NewCapture, by_partition
from finra_core.domain.chain import ChainEntry
from finra_core.domain.changes import ChangeKind, RowChange
from finra_core.domain.coverage import HalfCoverage, coverage_of
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.domain.revision import Evidence
from finra_core.domain.scopes import Scope
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    DecisionQuery,
    DecisionRecord,
    JudgmentQuery,
    Lock,
    RestatementQuery,
    RowCounts,
    RunQuery,
    RunRecord,
)
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload
from finra_memory import MemoryStore
from finra_memory.state import State
from finra_memory.unit_of_work import MemoryUnitOfWork
from finra_memory.view import MemoryView


class Sound(MemoryStore):
    """No fault; the faulty ones have views or units of work of their own."""

    view: type[MemoryView] = MemoryView
    unit: type[MemoryUnitOfWork] = MemoryUnitOfWork

    def __init__(self) -> None:
        super().__init__("memory:")

    @contextmanager
    def read(self) -> Iterator[MemoryView]:
        yield self.view(self._state)

    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        with super().write(scope) as sound:
            yield self.unit(sound._state)


# Views ------------------------------------------------------------------------------------------------


class SeesLaterCommits(Sound):
    """As a connection does that begins a transaction for each statement."""

    @contextmanager
    def read(self) -> Iterator[MemoryView]:
        store = self

        class Live(MemoryView):
            @property
            def _state(self) -> Any:
                return store._state

            @_state.setter
            def _state(self, state: object) -> None:
                """It is always the newest."""

        yield Live(self._state)


class OpensItsViewsLate(Sound):
    """As a database does that takes its snapshot at the first statement."""

    @contextmanager
    def read(self) -> Iterator[MemoryView]:
        store = self

        class Late(MemoryView):
            def __getattribute__(self, name: str) -> Any:
                attributes = object.__getattribute__(self, "__dict__")
                if name != "__init__" and not attributes.get("opened"):
                    attributes.update(opened=True, _state=store._state)
                return object.__getattribute__(self, name)

        late = Late.__new__(Late)
        late.__dict__["opened"] = False
        yield late


class ReadsTheCommittedInUnits(Sound):
    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        committed = MemoryView(self._state)

        class Blind(MemoryUnitOfWork):
            def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
                return committed.captures(query)

            def anomalies(self, query: AnomalyQuery = AnomalyQuery()) -> list[AnomalyRecord]:
                return committed.anomalies(query)

        with MemoryStore.write(self, scope) as sound:
            yield Blind(sound._state)


# Transactions -----------------------------------------------------------------------------------------


class CommitsWhatRaised(Sound):
    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        with self._writing:
            state = self._state.copy()
            try:
                yield MemoryUnitOfWork(state)
            finally:
                self._state = state


class RollsBackErrorsAlone(Sound):
    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        interrupt = None
        with super().write(scope) as unit:
            try:
                yield unit
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt:
            raise interrupt


class ShowsTheUncommitted(Sound):
    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        with self._writing:
            before = self._state.copy()
            try:
                yield MemoryUnitOfWork(self._state)
            except BaseException:
                self._state = before
                raise


class LocksNothing(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
            found = super().captures(query)
            time.sleep(0.02)  # the others read them too, meanwhile
            return found

    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        state = self._state.copy()
        yield self.unit(state)
        self._state = state


class HoldsNoLock(Sound):
    """Writers of one scope take their turn. Those of the store as a whole go by locks, of which there are none."""

    class unit(MemoryUnitOfWork):  # noqa: N801
        def hold(self, lock: Lock) -> None:
            time.sleep(0.02)  # the others come here too, meanwhile

    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        if scope.week_ending:
            with super().write(scope) as unit:
                yield unit
        else:
            state = self._state.copy()
            yield self.unit(state)
            self._state = state


class ReadsBeforeItHolds(Sound):
    """As a transaction does whose snapshot is older than its lock."""

    def __init__(self) -> None:
        super().__init__()
        self._locks = {lock: threading.RLock() for lock in Lock}

    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        if scope.week_ending:
            with super().write(scope) as unit:
                yield unit
            return
        held: list[Any] = []
        locks = self._locks

        class Early(MemoryUnitOfWork):
            def hold(self, lock: Lock) -> None:
                time.sleep(0.02)  # the others begin, meanwhile
                locks[lock].acquire()
                held.append(locks[lock])

        state = self._state.copy()
        try:
            yield Early(state)
            self._state = state
        finally:
            for lock in held:
                lock.release()


class SwallowsErrors(Sound):
    def __exit__(  # type: ignore[override]
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> bool:
        return True


# Opened twice ------------------------------------------------------------------------------------------


@define(eq=False)
class _Shelf:
    """What stores of one number share, as processes share a file."""

    state: State = Factory(State)
    lock: threading.Lock = Factory(threading.Lock)


_shelves: defaultdict[int, _Shelf] = defaultdict(_Shelf)
_numbers = count()


class Shared(Sound):
    """No fault, and it can be opened a second time."""

    def __init__(self, number: int | None = None) -> None:
        self.number = next(_numbers) if number is None else number
        kept = _shelves[self.number].state
        super().__init__()
        self._state, self._writing = kept, _shelves[self.number].lock

    @property
    def _state(self) -> State:
        return _shelves[self.number].state

    @_state.setter
    def _state(self, state: State) -> None:
        _shelves[self.number].state = state

    def reopener(self, *, same_machine: bool) -> Callable[[], MemoryStore]:
        return partial(type(self), self.number)


class ReopensAnother(Shared):
    """It says that it can be opened elsewhere, and what is opened there is empty."""

    def reopener(self, *, same_machine: bool) -> Callable[[], MemoryStore]:
        return type(self)


class TakesItsConnectionsAlong(Shared):
    """Its reopener does not pickle."""

    def reopener(self, *, same_machine: bool) -> Callable[[], MemoryStore]:
        return lambda: type(self)(self.number)


class LocksOnlyItsOwnThreads(Shared):
    def __init__(self, number: int | None = None) -> None:
        super().__init__(number)
        self._writing = threading.Lock()


class RemembersWhatItRead(Shared):
    """As a cache does that knows nothing of other processes."""

    def __init__(self, number: int | None = None) -> None:
        super().__init__(number)
        self._read: State | None = None

    @contextmanager
    def read(self) -> Iterator[MemoryView]:
        if self._read is None:
            self._read = self._state
        yield MemoryView(self._read)

    @contextmanager
    def write(self, scope: Scope) -> Iterator[MemoryUnitOfWork]:
        with super().write(scope) as unit:
            yield unit
        self._read = None


# Captures ---------------------------------------------------------------------------------------------


class NumbersDownwards(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            put = super().put_capture(capture, payload)
            held = self._state
            renumbered = evolve(put, number=1000 - put.number)
            del held.captures[put.number]
            held.captures[renumbered.number] = renumbered
            held.payloads[renumbered.number] = held.payloads.pop(put.number)
            return renumbered


class KeepsNoRevision(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            return super().put_capture(evolve(capture, revision=1), payload)


class TakesTheNewestByTheClock(Sound):
    class view(MemoryView):  # noqa: N801
        def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
            found = super().captures(evolve(query, newest=False))
            if query.newest:
                latest = {c.partition: c for c in sorted(found, key=lambda c: c.captured_at)}
                found = [capture for capture in found if latest[capture.partition] == capture]
            return found


class TakesOneNewestForAll(Sound):
    class view(MemoryView):  # noqa: N801
        def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
            found = super().captures(evolve(query, newest=False))
            return [max(found, key=lambda c: c.number)] if query.newest and found else found


class TakesTheNewestAndThenLooksAtTheTime(Sound):
    class view(MemoryView):  # noqa: N801
        def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
            found = super().captures(evolve(query, captured_by=None))
            return [c for c in found if query.captured_by is None or c.captured_at <= query.captured_by]


class LeavesOutTheInstantItself(Sound):
    class view(MemoryView):  # noqa: N801
        def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
            return [
                c for c in super().captures(query) if query.captured_by is None or c.captured_at < query.captured_by
            ]


class TakesNoneForAll(Sound):
    class view(MemoryView):  # noqa: N801
        def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
            return super().captures(evolve(query, partitions=query.partitions or None, weeks=query.weeks or None))


class KeepsWholeSeconds(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            return super().put_capture(evolve(capture, captured_at=capture.captured_at.replace(microsecond=0)), payload)


class KeepsTheLatestCheck(Sound):
    """A rule of its own, where it is to keep what it is given."""

    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_checked(self, captures: Sequence[Capture]) -> None:
            stored = self._state.captures
            super().put_checked(
                [evolve(c, verified_at=max(c.verified_at, stored[c.number].verified_at)) for c in captures]
            )


class StoresAllOfWhatWasChecked(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_checked(self, captures: Sequence[Capture]) -> None:
            super().put_checked(captures)
            self._state.captures.update((capture.number, capture) for capture in captures)


class LosesChecksOfTheUnknown(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_checked(self, captures: Sequence[Capture]) -> None:
            super().put_checked([capture for capture in captures if capture.number in self._state.captures])


class ReencodesDocuments(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            documents = (document.decode("utf-8", "replace").encode() for document in payload.documents)
            return super().put_capture(capture, evolve(payload, documents=documents))


class KeepsOneDocumentAHash(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            same = [c for c in self._state.captures.values() if c.content_hash == capture.content_hash]
            documents = self._state.payloads[same[0].number] if same else payload.documents
            return super().put_capture(capture, evolve(payload, documents=documents))


# Records ----------------------------------------------------------------------------------------------


class _PutsRecords(MemoryUnitOfWork):
    """Puts records after something was done to them."""

    def put_records(
        self,
        capture: Capture,
        records: Records,
        rejects: Sequence[Reject],
        coverage: Sequence[HalfCoverage],
        at: datetime,
    ) -> RowCounts:
        return super().put_records(
            capture, self.altered(capture, records), self.kept(rejects), self.covered(records, coverage), at
        )

    def altered(self, capture: Capture, records: Records) -> Records:
        return records

    def kept(self, rejects: Sequence[Reject]) -> Sequence[Reject]:
        return rejects

    def covered(self, records: Records, coverage: Sequence[HalfCoverage]) -> Sequence[HalfCoverage]:
        return coverage


class KeepsWithdrawnRows(Sound):
    class unit(_PutsRecords):  # noqa: N801
        def altered(self, capture: Capture, records: Records) -> Records:
            earlier = [n for n, own in self._state.captures.items() if own.partition == capture.partition]
            newest = max((number for number in earlier if number in self._state.records), default=None)
            before = list(self._state.records[newest].rows()) if newest else []
            held = {(row.security, row.venue) for row in records.rows()}
            gone = [row for row in before if (row.security, row.venue) not in held]
            return Records.of([*records.rows(), *gone])


class NormalizesAgain(Sound):
    class unit(_PutsRecords):  # noqa: N801
        def altered(self, capture: Capture, records: Records) -> Records:
            self._state.captures[capture.number] = evolve(self._state.captures[capture.number], normalized_at=None)
            return records


class DropsRejects(Sound):
    class unit(_PutsRecords):  # noqa: N801
        def kept(self, rejects: Sequence[Reject]) -> Sequence[Reject]:
            return ()


class KeepsSharesAsDoubles(Sound):
    class unit(_PutsRecords):  # noqa: N801
        def altered(self, capture: Capture, records: Records) -> Records:
            return evolve(records, shares_micros=[int(float(micros)) for micros in records.shares_micros])


class FoldsCase(Sound):
    class unit(_PutsRecords):  # noqa: N801
        def altered(self, capture: Capture, records: Records) -> Records:
            return Records.of(
                row._replace(security=row.security._replace(symbol=row.security.symbol.upper()))
                for row in records.rows()
            )


class WorksOutCoverageItself(Sound):
    class unit(_PutsRecords):  # noqa: N801
        def covered(self, records: Records, coverage: Sequence[HalfCoverage]) -> Sequence[HalfCoverage]:
            return coverage_of(records)


class HasTheSymbolsOfAllCaptures(Sound):
    class view(MemoryView):  # noqa: N801
        def symbols(self, capture: Capture) -> frozenset[str]:
            same = [c for c in self.captures() if c.partition == capture.partition and c.is_normalized]
            super().symbols(capture)
            return frozenset().union(*(super(type(self), self).symbols(c) for c in same))


class MissesWithdrawnRows(Sound):
    """As a join does that starts from the newer capture's rows."""

    class view(MemoryView):  # noqa: N801
        def changes(self, before: Capture, after: Capture) -> list[RowChange]:
            return [c for c in super().changes(before, after) if c.kind is not ChangeKind.WITHDRAWN]


class TakesARenamedVenueForAnother(Sound):
    class view(MemoryView):  # noqa: N801
        def changes(self, before: Capture, after: Capture) -> list[RowChange]:
            found = []
            for change in super().changes(before, after):
                if change.before and change.after and change.before.venue != change.after.venue:
                    found += [
                        RowChange(ChangeKind.WITHDRAWN, change.before, None),
                        RowChange(ChangeKind.ADDED, None, change.after),
                    ]
                else:
                    found.append(change)
            return found


class ComparesForwardAlone(Sound):
    """It always goes from the older capture to the newer one."""

    class view(MemoryView):  # noqa: N801
        def changes(self, before: Capture, after: Capture) -> list[RowChange]:
            older, newer = sorted((before, after), key=lambda capture: capture.number)
            return super().changes(older, newer)


class CountsTheFirstCaptureAsARestatement(Sound):
    class view(MemoryView):  # noqa: N801
        def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
            found = super().restatements(query)
            for capture in self.captures(CaptureQuery(normalized=True)):
                added = [RowChange(ChangeKind.ADDED, None, row) for row in self.records(capture).rows()]
                found.setdefault(capture.number, added)
            return found


class ComparesAllRestatementsWithTheFirst(Sound):
    class view(MemoryView):  # noqa: N801
        def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
            found = super().restatements(query)
            captures = by_partition(self.captures(CaptureQuery(normalized=True)))
            first = {own.number: captures[own.partition][0] for same in captures.values() for own in same}
            of = {own.number: own for same in captures.values() for own in same}
            return {n: changes for n in found if (changes := self.changes(first[n], of[n]))}


class FoldsTheCaseOfASymbol(Sound):
    class view(MemoryView):  # noqa: N801
        def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
            wanted, every = query.symbol, super().restatements(evolve(query, symbol=None))
            own = {
                number: [c for c in changes if wanted is None or c.key[0].symbol.upper() == wanted.upper()]
                for number, changes in every.items()
            }
            return {number: changes for number, changes in own.items() if changes}


class ForgetsWhatWasBeforeSince(Sound):
    """It leaves the older captures out before it compares."""

    class view(MemoryView):  # noqa: N801
        def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
            since = query.known_since
            captures = [c for c in self._state.captures.values() if since is None or not c.is_known(since)]
            return query.select(captures, lambda capture: self._state.records[capture.number].rows())


# Analytics and judgments ------------------------------------------------------------------------------


class StoresAnalyticsTwice(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_analysis(self, analysis: Analysis) -> None:
            self._state.analyses[analysis.key] = analysis


class SortsInputs(Sound):
    """As a set of numbers does."""

    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_analysis(self, analysis: Analysis) -> None:
            super().put_analysis(evolve(analysis, inputs=tuple(sorted(analysis.inputs))))


class KeepsOneBoundOfTheIndex(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_analysis(self, analysis: Analysis) -> None:
            super().put_analysis(evolve(analysis, hhi_upper=analysis.hhi))


class GivesTheAnalyticsOfAllWeeks(Sound):
    class view(MemoryView):  # noqa: N801
        def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
            return super().analyses(weeks or None)


class LosesHistory(Sound):
    """As an UPDATE in place does."""

    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_judgments(self, judgments: Sequence[Judgment]) -> None:
            put = {(j.readiness.week_ending, j.readiness.ready_for) for j in judgments}
            kept = [j for j in self._state.judgments if (j.readiness.week_ending, j.readiness.ready_for) not in put]
            self._state.judgments[:] = [*kept, *judgments]


class KeepsAJudgmentOnce(Sound):
    """As a unique constraint on what was judged does."""

    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_judgments(self, judgments: Sequence[Judgment]) -> None:
            known = [judgment.readiness for judgment in self._state.judgments]
            super().put_judgments([judgment for judgment in judgments if judgment.readiness not in known])


class HoldsTheJudgmentOfTheLatestTime(Sound):
    class view(MemoryView):  # noqa: N801
        def judgments(self, query: JudgmentQuery = JudgmentQuery()) -> list[Judgment]:
            return query.select(sorted(self._state.judgments, key=lambda judgment: judgment.judged_at))


class DerivesReadiness(Sound):
    """A rule of its own, where it is to keep what it is given."""

    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_judgments(self, judgments: Sequence[Judgment]) -> None:
            super().put_judgments(
                [evolve(j, readiness=evolve(j.readiness, is_ready=not j.readiness.blocking_issues)) for j in judgments]
            )


# Findings ---------------------------------------------------------------------------------------------


class _PutsAnomalies(MemoryUnitOfWork):
    """Puts anomalies after something was done to each."""

    def put_anomalies(self, records: Sequence[AnomalyRecord]) -> None:
        super().put_anomalies([self.altered(record) for record in records])

    def altered(self, record: AnomalyRecord) -> AnomalyRecord:
        return record


class CountsByItself(Sound):
    """A rule of its own, where it is to keep what it is given."""

    class unit(_PutsAnomalies):  # noqa: N801
        def altered(self, record: AnomalyRecord) -> AnomalyRecord:
            known = self._state.anomalies.get(record.fingerprint)
            return evolve(record, occurrences=known.occurrences + 1) if known else record


class ForgetsAcknowledgments(Sound):
    class unit(_PutsAnomalies):  # noqa: N801
        def altered(self, record: AnomalyRecord) -> AnomalyRecord:
            return evolve(record, acknowledged=None)


class KeepsDetailsAsText(Sound):
    class unit(_PutsAnomalies):  # noqa: N801
        def altered(self, record: AnomalyRecord) -> AnomalyRecord:
            details = {name: str(value) for name, value in record.anomaly.details.items()}
            return evolve(record, anomaly=evolve(record.anomaly, details=details))


class KeepsTheFirstFinding(Sound):
    """As a statement does that does nothing on a conflict."""

    class unit(_PutsAnomalies):  # noqa: N801
        def altered(self, record: AnomalyRecord) -> AnomalyRecord:
            known = self._state.anomalies.get(record.fingerprint)
            return evolve(record, anomaly=known.anomaly) if known else record


class TakesAWeekForItsTiers(Sound):
    class view(MemoryView):  # noqa: N801
        def anomalies(self, query: AnomalyQuery = AnomalyQuery()) -> list[AnomalyRecord]:
            if query.scopes is None:
                return super().anomalies(query)
            weeks = {scope.week_ending for scope in query.scopes}
            found = super().anomalies(evolve(query, scopes=None))
            return [record for record in found if record.anomaly.scope.week_ending in weeks]


class LosesPlaces(Sound):
    """As a table does that has columns for week and tier alone."""

    class unit(_PutsAnomalies):  # noqa: N801
        def altered(self, record: AnomalyRecord) -> AnomalyRecord:
            found: Anomaly = record.anomaly
            return evolve(record, anomaly=evolve(found, scope=evolve(found.scope, place=None)))


class DropsEvidence(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_decisions(self, records: Sequence[DecisionRecord]) -> None:
            super().put_decisions([evolve(r, decision=evolve(r.decision, evidence=Evidence())) for r in records])


class KeepsOneDecisionAPartition(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_decisions(self, records: Sequence[DecisionRecord]) -> None:
            put = {(record.run_id, record.partition) for record in records}
            kept = [record for record in self._state.decisions if (record.run_id, record.partition) not in put]
            self._state.decisions[:] = [*kept, *{(r.run_id, r.partition): r for r in records}.values()]


class IgnoresLimits(Sound):
    class view(MemoryView):  # noqa: N801
        def decisions(self, query: DecisionQuery = DecisionQuery()) -> list[DecisionRecord]:
            return super().decisions(evolve(query, limit=None))


class TakesTheFirstDecisionForTheLatest(Sound):
    class view(MemoryView):  # noqa: N801
        def decisions(self, query: DecisionQuery = DecisionQuery()) -> list[DecisionRecord]:
            found = super().decisions(evolve(query, newest=False, limit=None))
            return list({record.partition: record for record in found}.values()) if query.newest else found


class LimitsBeforeItLooks(Sound):
    class view(MemoryView):  # noqa: N801
        def decisions(self, query: DecisionQuery = DecisionQuery()) -> list[DecisionRecord]:
            return [record for record in super().decisions(DecisionQuery(limit=query.limit)) if query.wants(record)]


class KeepsTheOldestRuns(Sound):
    class view(MemoryView):  # noqa: N801
        def runs(self, query: RunQuery = RunQuery()) -> list[RunRecord]:
            found = super().runs(evolve(query, limit=None))
            return found[-query.limit :] if query.limit else found


class EntersARunOnce(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_run(self, run: RunRecord) -> None:
            self._state.runs.setdefault(run.run_id, run)


class KeepsAnalyticsOfTheRemoved(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def remove_captures(self, captures: Sequence[Capture]) -> None:
            kept = dict(self._state.analyses)
            super().remove_captures(captures)
            self._state.analyses = kept


class RemovesAnalyticsByTheirFirstInput(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def remove_captures(self, captures: Sequence[Capture]) -> None:
            gone = {capture.number for capture in captures}
            kept = {key: each for key, each in self._state.analyses.items() if key.inputs[-1] not in gone}
            super().remove_captures(captures)
            self._state.analyses = kept


class EndsRowsWithTheRemoved(Sound):
    """As where rows that began in a removed capture go with it, though later ones have them too."""

    class unit(MemoryUnitOfWork):  # noqa: N801
        def remove_captures(self, captures: Sequence[Capture]) -> None:
            lost = set().union(
                *(self._state.records[c.number].rows() for c in captures if c.number in self._state.records)
            )
            super().remove_captures(captures)
            for number, records in self._state.records.items():
                self._state.records[number] = Records.of(row for row in records.rows() if row not in lost)


class NumbersByCounting(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
            stored = super().put_capture(capture, payload)
            number = len(self._state.captures)
            if number == stored.number:
                return stored
            self._state.captures[number] = renumbered = evolve(stored, number=number)
            self._state.payloads[number] = self._state.payloads.pop(stored.number)
            del self._state.captures[stored.number]
            return renumbered


class KeepsPinsOfTheRemoved(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def remove_captures(self, captures: Sequence[Capture]) -> None:
            kept = dict(self._state.pins)
            super().remove_captures(captures)
            self._state.pins = kept


class PinsAllRevisions(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def remove_pin(self, pin: Pin) -> None:
            self._state.pins = {name: each for name, each in self._state.pins.items() if name[0] != pin.capture_id}


class RemovesWhatItFinds(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def remove_captures(self, captures: Sequence[Capture]) -> None:
            super().remove_captures([c for c in captures if c.number in self._state.captures])


class ForgetsWhatWasRemoved(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_prune(self, record: PruneRecord) -> None:
            super().put_prune(evolve(record, removed=record.removed[:1]))


class ForgetsWhereTheSweepEnded(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_run(self, run: RunRecord) -> None:
            super().put_run(evolve(run, sweep_from=None))


class OverwritesEntries(Sound):
    class unit(MemoryUnitOfWork):  # noqa: N801
        def put_chain(self, entries: Sequence[ChainEntry]) -> None:
            held = {entry.seq: entry for entry in self._state.chain}
            held.update((entry.seq, entry) for entry in entries)
            self._state.chain[:] = held.values()


class ReadsTheChainFromItsBeginning(Sound):
    class view(MemoryView):  # noqa: N801
        def chain(self, after: int = 0, limit: int | None = None) -> list[ChainEntry]:
            return super().chain(limit=limit)
