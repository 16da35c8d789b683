"""What a store does with the findings of checks and with the ledger of runs."""

from __future__ import annotations

import pytest
from attrs import evolve

from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.errors import StoreError
from finra_core.ports import RunRecord, Store
from finra_core.testing.examples import OTC, RUN_DATE, T1, at
from finra_core.testing.store_fixtures import StoreFixtures

BAD = Anomaly(Severity.ERROR, Category.BAD_DATA, T1.key, Stage.RAW, "broken header", {"line": 1, "names": ["a", "Ä"]})
LATE = Anomaly(Severity.WARN, Category.LATE, T1.key, Stage.RAW, "late")


class FindingsContract(StoreFixtures):
    """Anomalies open, recur, resolve and reopen; runs are entered and completed."""

    def test_a_finding_opens_an_anomaly(self, store: Store) -> None:
        """With its details, seen once."""
        _record(store, 0, BAD)
        record = store.anomalies()[0]
        assert (record.anomaly, record.fingerprint) == (BAD, BAD.fingerprint)
        assert (record.first_seen, record.last_seen, record.occurrences, record.resolved_at) == (at(0), at(0), 1, None)

    def test_the_same_finding_again_is_the_same_anomaly(self, store: Store) -> None:
        """It says what was found last, and counts."""
        again = evolve(BAD, message="still broken", severity=Severity.CRITICAL, details={"line": 2})
        for minute, anomaly in enumerate((BAD, again)):
            _record(store, minute, anomaly)
        found = store.anomalies()
        assert [record.anomaly for record in found] == [again]
        assert [(r.first_seen, r.last_seen, r.occurrences) for r in found] == [(at(0), at(1), 2)]

    def test_a_check_that_passes_resolves_what_it_found_before(self, store: Store) -> None:
        """The record stays."""
        _record(store, 0, BAD)
        _record(store, 1)
        assert store.anomalies() == []
        assert [record.resolved_at for record in store.anomalies(include_resolved=True)] == [at(1)]

    def test_a_check_resolves_only_what_it_did_not_find(self, store: Store) -> None:
        """Of two findings one is gone."""
        _record(store, 0, BAD, LATE)
        _record(store, 1, LATE)
        assert [record.anomaly for record in store.anomalies()] == [LATE]

    def test_the_time_of_resolution_is_that_of_the_first_passing_check(self, store: Store) -> None:
        """Later ones find nothing to resolve."""
        _record(store, 0, BAD)
        for minute in (1, 2):
            _record(store, minute)
        assert [record.resolved_at for record in store.anomalies(include_resolved=True)] == [at(1)]

    def test_a_resolved_anomaly_reopens(self, store: Store) -> None:
        """With its first time and its count."""
        _record(store, 0, BAD)
        _record(store, 1)
        _record(store, 2, BAD)
        record = store.anomalies()[0]
        assert (record.first_seen, record.last_seen, record.occurrences) == (at(0), at(2), 2)

    @pytest.mark.parametrize(
        "passing",
        [pytest.param(Check(OTC.key, Stage.RAW), id="thing"), pytest.param(Check(T1.key, Stage.CALC), id="stage")],
    )
    def test_a_check_of_another_thing_or_stage_resolves_nothing(self, store: Store, passing: Check) -> None:
        """It did not look there."""
        _record(store, 0, BAD)
        with store.transaction() as transaction:
            transaction.record_checks([passing], at(1))
        assert [record.anomaly for record in store.anomalies()] == [BAD]

    def test_one_check_that_finds_the_same_twice_counts_it_once_at_its_worst(self, store: Store) -> None:
        """`occurrences` counts runs."""
        _record(store, 0, evolve(BAD, severity=Severity.CRITICAL), evolve(BAD, severity=Severity.INFO))
        assert [(r.anomaly.severity, r.occurrences) for r in store.anomalies()] == [(Severity.CRITICAL, 1)]

    def test_anomalies_are_latest_seen_first_then_by_fingerprint(self, store: Store) -> None:
        """Resolved ones among them, if asked for."""
        _record(store, 0, BAD, LATE)
        with store.transaction() as transaction:
            newer = evolve(BAD, partition_key=OTC.key)
            transaction.record_checks([Check(OTC.key, Stage.RAW, (newer,))], at(1))
        _record(store, 2)
        together = sorted((BAD.fingerprint, LATE.fingerprint))
        found = store.anomalies(include_resolved=True)
        assert [record.fingerprint for record in found] == [newer.fingerprint, *together]

    def test_runs_are_newest_first(self, store: Store) -> None:
        """By the time of their start."""
        for name, minute in (("a", 1), ("b", 2), ("c", 0)):
            _start(store, name, minute)
        assert [run.run_id for run in store.runs()] == ["b", "a", "c"]

    def test_a_run_that_was_killed_stays_unfinished_in_the_ledger(self, store: Store) -> None:
        """All that is known of it is its start."""
        started = _start(store, "a", 0)
        assert store.runs() == [started]

    def test_a_run_is_completed(self, store: Store) -> None:
        """And no other."""
        started, other = _start(store, "a", 0), _start(store, "b", 1)
        finished = evolve(started, finished_at=at(2), exit_code=1, report_json='{"schema_version": 1}')
        with store.transaction() as transaction:
            transaction.finish_run(finished)
        assert store.runs() == [other, finished]

    def test_a_run_cannot_be_started_twice(self, store: Store) -> None:
        """A run_id names one run."""
        _start(store, "a", 0)
        with pytest.raises(StoreError):
            _start(store, "a", 1)

    def test_a_run_that_was_not_started_cannot_be_finished(self, store: Store) -> None:
        """It would be lost in silence."""
        with pytest.raises(StoreError), store.transaction() as transaction:
            transaction.finish_run(_run("a", 0))


def _record(store: Store, minute: int, *found: Anomaly) -> None:
    with store.transaction() as transaction:
        transaction.record_checks([Check(T1.key, Stage.RAW, found)], at(minute))


def _run(run_id: str, minute: int) -> RunRecord:
    return RunRecord(
        run_id=run_id,
        started_at=at(minute),
        finished_at=None,
        mode="run",
        run_date=RUN_DATE,
        exit_code=None,
        report_json=None,
    )


def _start(store: Store, run_id: str, minute: int) -> RunRecord:
    run = _run(run_id, minute)
    with store.transaction() as transaction:
        transaction.start_run(run)
    return run
