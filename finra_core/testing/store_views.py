"""Views are whole states that stay as they are; units of work are all or nothing, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest
from attrs import evolve

from finra_core.domain.anomalies import Category
from finra_core.domain.captures import Capture
from finra_core.domain.chain import EntryKind, next_entries
from finra_core.domain.errors import PartitionLockedError, StoreLockedError
from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import STORE, Scope
from finra_core.ports.store import AnomalyQuery, JudgmentQuery, Lock, ReadView, Store, UnitOfWork
from finra_core.testing.examples import (
    AAPL,
    IBM,
    OTC,
    T1,
    T2,
    WEEK,
    analysis_of,
    anomaly,
    ask,
    at,
    captures_of,
    decision_record,
    judgment,
    new_capture,
    payload,
    put_analysis,
    put_anomalies,
    put_capture,
    put_decisions,
    put_judgments,
    put_normalized,
    put_rows,
    put_runs,
    row,
    rows_of,
    run_record,
    seen,
    writing,
)
from finra_core.testing.store_fixtures import StoreFixtures
from finra_core.weekly_summary.delimited import Reject

_WRITES = 8
_MOMENT = 0.2
"""Seconds in which a writer that nobody keeps out would have come in."""

Change = Callable[[UnitOfWork], object]

CHANGES = ("capture", "checked", "records", "analysis", "judgments", "anomalies", "decisions", "run", "chain")


class _StopError(Exception):
    """Raised by the tests themselves."""


class ViewsContract(StoreFixtures):
    """A view is one committed state, whatever others do while it is open."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_view_does_not_see_what_is_committed_while_it_is_open(self, store: Store, change: str) -> None:
        """Not even what it had not asked for before."""
        make = _changes(store)[change]
        with store.read() as before:
            expected = _everything(before)
        with store.read() as view:
            _in_a_thread(lambda: _commit(store, make))
            assert _everything(view) == expected
            assert _everything(view) == expected
        assert ask(store, _everything) != expected

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_view_does_not_see_what_another_process_commits_while_it_is_open(
        self, store: Store, other: Store, change: str
    ) -> None:
        """Here another handle on the same store."""
        make = _changes(store)[change]
        with store.read() as view:
            expected = _everything(view)
            _commit(other, make)
            assert _everything(view) == expected
        assert ask(store, _everything) == ask(other, _everything) != expected

    def test_a_view_opened_after_a_commit_sees_it(self, store: Store) -> None:
        """Though an older one is still open."""
        with store.read() as old:
            capture = _in_a_thread(lambda: put_capture(store))
            with store.read() as new:
                assert (old.captures(), new.captures()) == ([], [capture])

    def test_several_threads_may_read_at_once(self, store: Store) -> None:
        """Each in its own view."""
        put_analysis(store, [put_normalized(store)])
        expected = ask(store, _everything)
        with ThreadPoolExecutor(_WRITES) as pool:
            found = list(pool.map(lambda _i: ask(store, _everything), range(_WRITES * 2)))
        assert all(each == expected for each in found)

    def test_a_view_that_is_left_by_an_error_lets_it_through(self, store: Store) -> None:
        """And the store goes on."""
        with pytest.raises(_StopError), store.read() as view:
            _raise_after(view.captures)
        assert captures_of(store) == []

    def test_readers_see_whole_units_of_work(self, store: Store) -> None:
        """A capture put together with its records is never seen without them."""

        def write() -> None:
            for minute in range(_WRITES):
                with writing(store, Scope.partition(T1)) as unit:
                    capture = unit.put_capture(new_capture(T1, minute), payload())
                    put_rows(unit, capture, [row(shares=minute)], minute=minute)

        def read() -> bool:
            whole, count = [], 0
            while count < _WRITES and not written.done():
                with store.read() as view:
                    count = len(view.captures())
                    whole.append(all(len(view.records(capture)) == 1 for capture in view.captures()))
            return all(whole)

        with ThreadPoolExecutor(3) as pool:
            written = pool.submit(write)
            reading = [pool.submit(read) for _ in range(2)]
            assert all(future.result() for future in reading)
            written.result()
        assert all(capture.is_normalized for capture in captures_of(store))


class UnitsOfWorkContract(StoreFixtures):
    """A unit of work is one change, which reads what it puts, whatever happens to it."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_unit_of_work_reads_what_it_has_put(self, store: Store, change: str) -> None:
        """As it will be read once it is committed."""
        make = _changes(store)[change]
        before = ask(store, _everything)
        with writing(store, Scope.partition(T1)) as unit:
            make(unit)
            inside = _everything(unit)
        assert inside != before
        assert ask(store, _everything) == inside

    def test_a_unit_of_work_reads_what_was_committed_before(self, store: Store) -> None:
        """By others and by itself."""
        made = [put_capture(store, T1, 0), put_capture(store, T2, 1)]
        with writing(store, Scope.partition(T1)) as unit:
            assert unit.captures() == made
            added = unit.put_capture(new_capture(OTC, 2), payload())
            assert unit.captures() == [*made, added]

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_block_that_raises_leaves_nothing(self, store: Store, change: str) -> None:
        """Whatever it had put before."""
        make = _changes(store)[change]
        before = ask(store, _everything)
        with pytest.raises(_StopError), writing(store, Scope.partition(T1)) as unit:
            _raise_after(lambda: make(unit))
        assert ask(store, _everything) == before

    def test_several_changes_are_undone_together(self, store: Store) -> None:
        """All that was put in the block."""
        changes = _changes(store)
        before = ask(store, _everything)
        with pytest.raises(_StopError), writing(store) as unit:
            _raise_after(lambda: [make(unit) for make in changes.values()])
        assert ask(store, _everything) == before

    def test_the_store_works_on_after_a_block_that_raised(self, store: Store) -> None:
        """Its locks are free."""

        def put(unit: UnitOfWork) -> None:
            unit.hold(Lock.ANOMALIES)
            unit.put_capture(new_capture(), payload())

        with pytest.raises(_StopError), writing(store, Scope.partition(T1)) as unit:
            _raise_after(lambda: put(unit))
        with writing(store, Scope.partition(T1)) as unit:
            unit.hold(Lock.ANOMALIES)
            added = unit.put_capture(new_capture(), payload())
        assert captures_of(store) == [added]

    def test_an_interrupt_rolls_back_too(self, store: Store) -> None:
        """Ctrl-C is no Exception."""
        with pytest.raises(KeyboardInterrupt), writing(store, Scope.partition(T1)) as unit:
            _raise_after(lambda: unit.put_capture(new_capture(), payload()), KeyboardInterrupt)
        assert captures_of(store) == []

    def test_nobody_sees_a_unit_of_work_before_it_ends(self, store: Store) -> None:
        """Not even its own thread, when it asks the store."""
        with writing(store, Scope.partition(T1)) as unit:
            capture = unit.put_capture(new_capture(), payload())
            put_rows(unit, capture, [row()])
            assert captures_of(store) == []
        assert len(captures_of(store)) == 1

    @pytest.mark.parametrize("scope", [Scope.partition(T1), Scope.across_tiers(WEEK)], ids=str)
    def test_writers_of_one_scope_take_their_turn(self, store: Store, scope: Scope) -> None:
        """Each sees what the one before has put; nothing is lost."""

        def write(minute: int) -> list[Capture]:
            with writing(store, scope) as unit:
                before = unit.captures()
                revision = len(before) + 1
                unit.put_capture(new_capture(T1, minute, capture_id="x", revision=revision), payload())
            return before

        with ThreadPoolExecutor(_WRITES) as pool:
            saw = sorted(pool.map(write, range(_WRITES)), key=len)
        stored = captures_of(store)
        assert [capture.revision for capture in stored] == list(range(1, _WRITES + 1))
        assert saw == [stored[:i] for i in range(_WRITES)]

    @pytest.mark.parametrize("lock", Lock)
    def test_holders_of_one_lock_take_their_turn(self, store: Store, lock: Lock) -> None:
        """What is read after it is taken has all that earlier holders have committed."""

        def count(_i: int) -> None:
            with writing(store) as unit:
                unit.hold(lock)
                (known,) = unit.anomalies()
                unit.put_anomalies([evolve(known, occurrences=known.occurrences + 1)])

        put_anomalies(store, evolve(seen(anomaly()), occurrences=0))
        with ThreadPoolExecutor(_WRITES) as pool:
            list(pool.map(count, range(_WRITES)))
        assert [record.occurrences for record in ask(store, lambda view: view.anomalies())] == [_WRITES]

    def test_both_locks_may_be_held_and_one_of_them_twice(self, store: Store) -> None:
        """In their order, from whatever scope."""
        for scope in (STORE, Scope.partition(T1), Scope.across_tiers(WEEK)):
            with writing(store, scope) as unit:
                for lock in (*Lock, Lock.JUDGMENTS):
                    unit.hold(lock)

    def test_writers_of_several_partitions_lose_nothing(self, store: Store) -> None:
        """Their records share securities and venues that neither had seen."""
        partitions = [T1, T2, OTC]
        rows = [row(AAPL._replace(symbol=f"S{i}")) for i in range(20)]

        def write(task: tuple[int, Partition]) -> None:
            minute, partition = task
            with writing(store, Scope.partition(partition)) as unit:
                capture = unit.put_capture(new_capture(partition, minute), payload())
                put_rows(unit, capture, rows, minute=minute)

        with ThreadPoolExecutor(len(partitions)) as pool:
            list(pool.map(write, enumerate(partitions)))
        assert [sorted(rows_of(store, capture)) for capture in captures_of(store)] == [sorted(rows)] * 3

    @pytest.mark.parametrize("scope", [Scope.partition(T1), Scope.across_tiers(WEEK)], ids=str)
    def test_a_writer_in_another_process_waits_or_is_refused(self, store: Store, other: Store, scope: Scope) -> None:
        """Here another handle on the same store. It never writes into the same scope meanwhile."""
        entered = Event()

        def write() -> None:
            with suppress(PartitionLockedError, StoreLockedError), writing(other, scope) as unit:
                entered.set()
                unit.put_capture(new_capture(T1, len(unit.captures())), payload())

        with ThreadPoolExecutor(1) as pool:
            with writing(store, scope) as unit:
                writer = pool.submit(write)
                unit.put_capture(new_capture(T1, 0), payload())
                assert not entered.wait(_MOMENT)
            writer.result()
        expected = [at(0), at(1)] if entered.is_set() else [at(0)]
        assert [capture.captured_at for capture in captures_of(store)] == expected


def _changes(store: Store) -> Mapping[str, Change]:
    """One change of each kind, of a store that has something of everything."""
    capture, raw = put_normalized(store, T1, 0), put_capture(store, T2, 1)
    put_analysis(store, [capture])
    put_judgments(store, judgment())
    put_anomalies(store, seen(anomaly()))
    put_decisions(store, decision_record())
    put_runs(store, run_record())
    another = analysis_of(store, [capture], minute=9, calc_version=99)
    return {
        "capture": lambda unit: unit.put_capture(new_capture(OTC, 5), payload(b"other")),
        "checked": lambda unit: unit.put_checked([evolve(capture, verified_at=at(9), checked_at=at(9))]),
        "records": lambda unit: put_rows(unit, raw, [row(IBM)], [Reject(0, 2, "why", "")], 9),
        "analysis": lambda unit: unit.put_analysis(another),
        "judgments": lambda unit: unit.put_judgments([judgment(ready_for="research"), judgment(minute=9)]),
        "anomalies": lambda unit: unit.put_anomalies([seen(anomaly(), 9), seen(anomaly(category=Category.BAD_DATA))]),
        "decisions": lambda unit: unit.put_decisions([decision_record(T2, 9)]),
        "run": lambda unit: unit.put_run(evolve(run_record(), finished_at=at(9), exit_code=0)),
        "chain": lambda unit: unit.put_chain(next_entries(unit.chain_head(), [(EntryKind.RUNS, [])], at(9))),
    }


def _everything(view: ReadView) -> list[object]:
    captures = view.captures()
    normalized = [capture for capture in captures if capture.is_normalized]
    return [
        captures,
        [view.payload(capture) for capture in captures],
        [(list(view.records(c).rows()), view.rejects(c), view.symbols(c)) for c in normalized],
        [view.changes(normalized[0], capture) for capture in normalized if capture.partition == T1],
        view.restatements(),
        (view.analyses(), view.analysis_keys()),
        view.judgments(JudgmentQuery(history=True)),
        view.anomalies(AnomalyQuery()),
        view.decisions(),
        view.runs(),
        (view.chain(), view.chain_head()),
    ]


def _commit(store: Store, change: Change) -> None:
    with writing(store) as unit:
        change(unit)


def _in_a_thread(work: Callable[[], Capture | None]) -> Capture | None:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _raise_after(change: Callable[[], object], error: type[BaseException] = _StopError) -> None:
    change()
    raise error
