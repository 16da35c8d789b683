"""All or nothing, one after the other, and readers that see whole states."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import TRADING, Readiness
from finra_core.ports import RunRecord, Store, Transaction
from finra_core.testing.examples import (
    OTC,
    RUN_DATE,
    T1,
    T2,
    WEEK,
    add_capture,
    add_normalized,
    analysis_of,
    at,
    new_capture,
    payload,
    records,
    row,
)
from finra_core.testing.store_fixtures import StoreFixtures
from finra_core.weekly_summary.delimited import Reject

_WRITES = 8


class _StopError(Exception):
    """Raised by the tests themselves."""


class TransactionsContract(StoreFixtures):
    """A transaction is one change, whatever happens to it."""

    @pytest.mark.parametrize("change", ["capture", "verified", "records", "analysis", "readiness", "checks", "run"])
    def test_a_block_that_raises_leaves_nothing(self, store: Store, change: str) -> None:
        """Whatever it had written before."""
        capture, raw = add_normalized(store, T1, 0), add_capture(store, T2, 1)
        analysis = analysis_of(store, [capture])
        changes: dict[str, Callable[[Transaction], object]] = {
            "capture": lambda t: t.add_capture(new_capture(OTC, 5), payload(b"other")),
            "verified": lambda t: t.mark_verified(capture, at(9)),
            "records": lambda t: t.add_records(raw, records([row()]), [Reject(0, 2, "why", "")], at(9)),
            "analysis": lambda t: t.add_analysis(analysis),
            "readiness": lambda t: t.put_readiness([_READY], at(9)),
            "checks": lambda t: t.record_checks([Check(T1.key, Stage.RAW, (_BAD,))], at(9)),
            "run": lambda t: t.start_run(_RUN),
        }
        before = _everything(store)
        with pytest.raises(_StopError), store.transaction(T1.key) as transaction:
            _change_and_raise(partial(changes[change], transaction), _StopError)
        assert _everything(store) == before

    def test_the_store_works_on_after_a_block_that_raised(self, store: Store) -> None:
        """Its lock is free and the numbers are as if nothing had been."""
        with pytest.raises(_StopError), store.transaction(T1.key) as transaction:
            _change_and_raise(
                partial(transaction.add_capture, new_capture(T1, 0, capture_id="x"), payload()), _StopError
            )
        with store.transaction(T1.key) as transaction:
            assert transaction.add_capture(new_capture(T1, 1, capture_id="x"), payload()).revision == 1

    def test_an_interrupt_rolls_back_too(self, store: Store) -> None:
        """Ctrl-C is no Exception."""
        with pytest.raises(KeyboardInterrupt), store.transaction(T1.key) as transaction:
            _change_and_raise(partial(transaction.add_capture, new_capture(), payload()), KeyboardInterrupt)
        assert store.captures() == []

    def test_nobody_sees_a_transaction_before_it_ends(self, store: Store) -> None:
        """Not even its own thread, when it asks the store."""
        with store.transaction(T1.key) as transaction:
            capture = transaction.add_capture(new_capture(), payload())
            transaction.add_records(capture, records([row()]), [], at(0))
            assert store.captures() == []
        assert store.captures() == [capture]

    def test_a_transaction_without_a_key_is_for_bookkeeping(self, store: Store) -> None:
        """Such as the ledger."""
        with store.transaction() as transaction:
            transaction.start_run(_RUN)
        assert store.runs() == [_RUN]

    def test_writers_of_one_partition_take_their_turn(self, store: Store) -> None:
        """Each sees the capture before as the latest; none is lost, no number and no revision is given twice."""

        def write(minute: int) -> tuple[int | None, int]:
            with store.transaction(T1.key) as transaction:
                latest = transaction.latest_capture(T1)
                added = transaction.add_capture(new_capture(T1, minute, capture_id="x"), payload())
            return latest.number if latest else None, added.number

        with ThreadPoolExecutor(_WRITES) as pool:
            written = list(pool.map(write, range(_WRITES)))
        captures = store.captures()
        numbers = [capture.number for capture in captures]
        assert [capture.revision for capture in captures] == list(range(1, _WRITES + 1))
        assert sorted(written, key=lambda pair: pair[1]) == list(zip([None, *numbers], numbers, strict=False))

    def test_writers_of_several_partitions_lose_nothing(self, store: Store) -> None:
        """Their records share securities and venues that neither had seen."""
        partitions = [T1, T2, OTC]
        rows = [row((f"S{i}", "", "")) for i in range(20)]

        def write(task: tuple[int, Partition]) -> None:
            minute, partition = task
            with store.transaction(partition.key) as transaction:
                capture = transaction.add_capture(new_capture(partition, minute), payload())
                transaction.add_records(capture, records(rows), [], at(minute))

        with ThreadPoolExecutor(len(partitions)) as pool:
            list(pool.map(write, enumerate(partitions)))
        assert [sorted(store.records(capture).rows()) for capture in store.captures()] == [sorted(rows)] * 3

    def test_readers_see_whole_transactions(self, store: Store) -> None:
        """A capture written together with its records is never seen without them."""

        def write() -> None:
            for minute in range(_WRITES):
                with store.transaction(T1.key) as transaction:
                    capture = transaction.add_capture(new_capture(T1, minute), payload())
                    transaction.add_records(capture, records([row(shares=minute)]), [], at(minute))

        def read() -> bool:
            whole = []
            while len(store.captures()) < _WRITES and not writing.done():
                tiers = store.week_states([WEEK], 1)[WEEK].tiers.values()
                whole.append(all(tier.newest == tier.normalized for tier in tiers))
            return all(whole)

        with ThreadPoolExecutor(3) as pool:
            writing = pool.submit(write)
            reading = [pool.submit(read) for _ in range(2)]
            assert all(future.result() for future in reading)
            writing.result()
        assert [capture.number for capture in store.unnormalized()] == []


_READY = Readiness(
    week_ending=WEEK,
    ready_for=TRADING,
    is_ready=True,
    all_partitions_present=True,
    all_stages_complete=True,
    no_critical_anomalies=True,
    no_rejected_rows=True,
    blocking_issues=(),
)
_BAD = Anomaly(Severity.ERROR, Category.BAD_DATA, T1.key, Stage.RAW, "broken header")
_RUN = RunRecord(
    run_id="run-1",
    started_at=at(0),
    finished_at=None,
    mode="run",
    run_date=RUN_DATE,
    exit_code=None,
    report_json=None,
)


def _change_and_raise(change: Callable[[], object], error: type[BaseException]) -> None:
    change()
    raise error


def _everything(store: Store) -> list[object]:
    return [
        store.captures(),
        store.unnormalized(),
        store.analyses(),
        store.readiness(),
        store.anomalies(include_resolved=True),
        store.runs(),
    ]
