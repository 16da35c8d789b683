"""What a store says of weeks, and the judgments on them that it keeps."""

from __future__ import annotations

from datetime import date

import pytest

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.partitions import week_key
from finra_core.domain.readiness import TRADING, Readiness, TierState, WeekState
from finra_core.domain.tiers import Tier
from finra_core.ports import Store
from finra_core.testing.examples import (
    NEXT_WEEK,
    OTC,
    T1,
    WEEK,
    add_analysis,
    add_capture,
    add_normalized,
    add_records,
    add_whole_week,
    at,
    row,
)
from finra_core.testing.store_fixtures import StoreFixtures
from finra_core.weekly_summary.delimited import Reject


class JudgmentsContract(StoreFixtures):
    """Week states follow from what is stored; judgments stay until they are replaced or withdrawn."""

    def test_a_week_without_captures_has_an_empty_state(self, store: Store) -> None:
        """It is in the answer all the same."""
        empty = WeekState(week_ending=WEEK, tiers={}, cross_tier_analyzed=False, open_criticals=0)
        assert store.week_states([WEEK], CALC_VERSION) == {WEEK: empty}

    def test_a_captured_tier_is_not_normalized(self, store: Store) -> None:
        """Its newest capture is there, nothing else."""
        capture = add_capture(store)
        state = TierState(newest=capture, normalized=None, rejected_rows=0, analyzed=False)
        assert _state(store).tiers == {Tier.NMS_TIER_1: state}

    def test_a_tier_has_its_newest_capture_and_its_newest_with_records(self, store: Store) -> None:
        """They differ while a run is under way or after one that was killed."""
        add_normalized(store, T1, 0)
        normalized = add_normalized(store, T1, 1)
        newest = add_capture(store, T1, 2)
        found = _state(store).tiers[Tier.NMS_TIER_1]
        assert (found.newest, found.normalized) == (newest, normalized)

    def test_rejected_rows_are_those_of_the_newest_capture_with_records(self, store: Store) -> None:
        """A restatement without bad rows clears them."""
        rejects = [Reject(0, line, "bad", "") for line in (2, 3)]
        add_records(store, add_capture(store, T1, 0), [row()], rejects)
        assert [_state(store).tiers[Tier.NMS_TIER_1].rejected_rows] == [2]
        add_normalized(store, T1, 1)
        assert _state(store).tiers[Tier.NMS_TIER_1].rejected_rows == 0

    def test_a_tier_is_analyzed_when_its_newest_records_are(self, store: Store) -> None:
        """By this version of the calculation."""
        assert add_analysis(store, [add_normalized(store, T1, 0)])
        assert _state(store).tiers[Tier.NMS_TIER_1].analyzed
        assert not _state(store, CALC_VERSION + 1).tiers[Tier.NMS_TIER_1].analyzed
        add_normalized(store, T1, 1)
        assert not _state(store).tiers[Tier.NMS_TIER_1].analyzed

    def test_a_week_is_analyzed_across_tiers_when_its_newest_records_are(self, store: Store) -> None:
        """A restatement of any tier undoes it."""
        captures = add_whole_week(store)
        assert not _state(store).cross_tier_analyzed
        assert add_analysis(store, captures)
        assert _state(store).cross_tier_analyzed
        assert not _state(store, CALC_VERSION + 1).cross_tier_analyzed
        add_normalized(store, OTC, 9)
        assert not _state(store).cross_tier_analyzed

    def test_states_are_each_weeks_own(self, store: Store) -> None:
        """One question for several weeks."""
        captures = add_whole_week(store, NEXT_WEEK)
        states = store.week_states([WEEK, NEXT_WEEK], CALC_VERSION)
        assert [list(states[week].tiers) for week in (WEEK, NEXT_WEEK)] == [[], list(Tier)]
        assert states[NEXT_WEEK].cross_tier_inputs() == tuple(captures)

    @pytest.mark.parametrize("key", [T1.key, week_key(WEEK)])
    def test_an_open_critical_anomaly_counts_for_the_week_that_it_names(self, store: Store, key: str) -> None:
        """With or without a tier, and for no other week."""
        _check(store, key, Severity.CRITICAL)
        states = store.week_states([WEEK, NEXT_WEEK], CALC_VERSION)
        assert [states[week].open_criticals for week in (WEEK, NEXT_WEEK)] == [1, 0]

    @pytest.mark.parametrize("later", [Severity.ERROR, None])
    def test_an_anomaly_that_is_critical_no_longer_does_not_count(self, store: Store, later: Severity | None) -> None:
        """It became milder, or was resolved."""
        _check(store, T1.key, Severity.CRITICAL)
        _check(store, T1.key, later)
        assert _state(store).open_criticals == 0

    def test_an_anomaly_about_something_else_counts_for_no_week(self, store: Store) -> None:
        """A file that names none."""
        _check(store, '{"file": "x.csv"}', Severity.CRITICAL)
        assert _state(store).open_criticals == 0

    def test_judgments_are_read_back_newest_week_first(self, store: Store) -> None:
        """With their issues in order."""
        judged = [_judgment(WEEK, "b", "a"), _judgment(NEXT_WEEK)]
        _put(store, *judged)
        assert store.readiness() == [judged[1], judged[0]]
        assert store.readiness([WEEK]) == [judged[0]]
        assert store.readiness([]) == []

    def test_a_judgment_replaces_the_earlier_one_on_the_same_week_and_use(self, store: Store) -> None:
        """And no other."""
        _put(store, _judgment(WEEK, "Missing tier: OTC"), _judgment(NEXT_WEEK))
        _put(store, _judgment(WEEK))
        assert store.readiness() == [_judgment(NEXT_WEEK), _judgment(WEEK)]

    def test_judgments_for_another_use_stand_beside_each_other(self, store: Store) -> None:
        """A week may be good enough for one and not for the other."""
        _put(store, _judgment(WEEK, ready_for="research"), _judgment(WEEK, "Missing tier: OTC"))
        assert [(found.ready_for, found.is_ready) for found in store.readiness()] == [
            ("research", True),
            (TRADING, False),
        ]

    def test_a_withdrawn_week_is_not_ready_for_that_reason(self, store: Store) -> None:
        """Its stages are not complete any more; other weeks stay as they are."""
        _put(store, _judgment(WEEK), _judgment(NEXT_WEEK))
        _withdraw(store, "OTC: restated")
        next_week, week = store.readiness()
        assert next_week == _judgment(NEXT_WEEK)
        assert (week.is_ready, week.all_stages_complete, week.blocking_issues) == (False, False, ("OTC: restated",))

    def test_a_week_withdrawn_twice_for_one_reason_has_it_once(self, store: Store) -> None:
        """And keeps the issues that it had."""
        _put(store, _judgment(WEEK, "Missing tier: OTC"))
        for _ in range(2):
            _withdraw(store, "restated")
        assert store.readiness()[0].blocking_issues == ("Missing tier: OTC", "restated")

    def test_a_week_never_judged_is_not_withdrawn(self, store: Store) -> None:
        """There is nothing to take back."""
        _withdraw(store, "restated")
        assert store.readiness() == []

    def test_a_withdrawn_week_can_be_judged_again(self, store: Store) -> None:
        """As if nothing had been."""
        _put(store, _judgment(WEEK))
        _withdraw(store, "restated")
        _put(store, _judgment(WEEK))
        assert store.readiness() == [_judgment(WEEK)]


def _state(store: Store, calc_version: int = CALC_VERSION) -> WeekState:
    return store.week_states([WEEK], calc_version)[WEEK]


def _check(store: Store, key: str, severity: Severity | None) -> None:
    found = () if severity is None else (Anomaly(severity, Category.BAD_DATA, key, Stage.RAW, "bad"),)
    with store.transaction() as transaction:
        transaction.record_checks([Check(key, Stage.RAW, found)], at(0))


def _judgment(week: date, *issues: str, ready_for: str = TRADING) -> Readiness:
    return Readiness(
        week_ending=week,
        ready_for=ready_for,
        is_ready=not issues,
        all_partitions_present=not issues,
        all_stages_complete=True,
        no_critical_anomalies=True,
        no_rejected_rows=not issues,
        blocking_issues=issues,
    )


def _put(store: Store, *judged: Readiness) -> None:
    with store.transaction() as transaction:
        transaction.put_readiness(judged, at(0))


def _withdraw(store: Store, issue: str) -> None:
    with store.transaction() as transaction:
        transaction.withdraw_readiness(WEEK, issue, at(1))
