"""What a store does with analytics."""

from __future__ import annotations

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports import Store
from finra_core.testing.examples import (
    AAPL,
    CITADEL,
    IBM,
    NEXT_WEEK,
    OTC,
    T1,
    UBSA,
    WEEK,
    add_analysis,
    add_capture,
    add_normalized,
    add_whole_week,
    analysis_of,
    row,
)
from finra_core.testing.store_fixtures import StoreFixtures

_NEXT_VERSION = CALC_VERSION + 1


class AnalyticsContract(StoreFixtures):
    """Analytics are stored once for the captures that they rest on."""

    def test_analytics_of_a_tier_are_read_back_as_they_were(self, store: Store) -> None:
        """To the last digit of every fraction."""
        rows = [row(AAPL, UBSA, 1), row(IBM, UBSA, 6), row(IBM, CITADEL, 22)]
        analysis = analysis_of(store, [add_normalized(store, rows=rows)])
        with store.transaction() as transaction:
            assert transaction.add_analysis(analysis)
        assert store.analyses() == [analysis]

    def test_analytics_across_tiers_are_read_back_as_they_were(self, store: Store) -> None:
        """With their inputs in tier order."""
        captures = add_whole_week(store)
        analysis = analysis_of(store, captures)
        with store.transaction() as transaction:
            assert transaction.add_analysis(analysis)
        assert store.analyses() == [analysis]
        assert store.analyses()[0].inputs == tuple(capture.number for capture in captures)

    def test_a_tier_in_which_nothing_was_traded_has_no_shares_and_no_index(self, store: Store) -> None:
        """None, which is not 0."""
        capture = add_normalized(store, rows=[row(shares=0)])
        assert add_analysis(store, [capture])
        found = store.analyses()[0]
        assert (found.hhi, found.venue_shares) == (None, (None,))

    def test_the_same_analytics_are_stored_once(self, store: Store) -> None:
        """Same tier, inputs and version: two runs that did the same work."""
        capture = add_normalized(store)
        assert [add_analysis(store, [capture]) for _ in range(2)] == [True, False]
        assert [analysis.inputs for analysis in store.analyses()] == [(capture.number,)]

    def test_the_same_analytics_across_tiers_are_stored_once(self, store: Store) -> None:
        """As those of one tier."""
        captures = add_whole_week(store)
        assert [add_analysis(store, captures) for _ in range(2)] == [True, False]

    def test_another_version_of_the_calculation_is_stored_besides(self, store: Store) -> None:
        """Oldest first."""
        capture = add_normalized(store)
        for version in (CALC_VERSION, _NEXT_VERSION):
            assert add_analysis(store, [capture], calc_version=version)
        assert [analysis.calc_version for analysis in store.analyses()] == [CALC_VERSION, _NEXT_VERSION]

    def test_analytics_across_tiers_that_rest_on_an_outdated_capture_are_refused(self, store: Store) -> None:
        """Another run restated a tier while they were computed."""
        captures = add_whole_week(store)
        add_normalized(store, OTC, 10, [row(shares=5)])
        assert not add_analysis(store, captures)
        assert store.analyses() == []

    def test_a_newer_capture_without_records_outdates_nothing(self, store: Store) -> None:
        """What counts is the newest normalized one."""
        captures = add_whole_week(store)
        add_capture(store, OTC, 10)
        assert add_analysis(store, captures)

    def test_analytics_of_one_tier_may_rest_on_an_older_capture(self, store: Store) -> None:
        """Every version has its own."""
        older = add_normalized(store, T1, 0)
        add_normalized(store, T1, 1, [row(shares=5)])
        assert add_analysis(store, [older])

    def test_analyzes_can_be_had_of_some_weeks(self, store: Store) -> None:
        """And of no others."""
        for minute, week in enumerate([WEEK, NEXT_WEEK]):
            assert add_analysis(store, [add_normalized(store, Partition(week, Tier.OTC), minute)])
        assert [analysis.week_ending for analysis in store.analyses([NEXT_WEEK])] == [NEXT_WEEK]
        assert store.analyses([]) == []

    def test_normalized_captures_without_analytics_are_unanalyzed(self, store: Store) -> None:
        """By week, tier and number; a capture without records is not among them."""
        later_tier, first = add_normalized(store, OTC, 0), add_normalized(store, T1, 1)
        analyzed = add_normalized(store, T1, 2, [row(shares=5)])
        add_capture(store, T1, 3)
        assert add_analysis(store, [analyzed])
        assert store.unanalyzed(CALC_VERSION) == [first, later_tier]

    def test_analytics_of_another_version_do_not_count(self, store: Store) -> None:
        """A calculation that changed its meaning is done again."""
        capture = add_normalized(store)
        assert add_analysis(store, [capture])
        assert (store.unanalyzed(CALC_VERSION), store.unanalyzed(_NEXT_VERSION)) == ([], [capture])

    def test_analytics_across_tiers_analyze_no_tier(self, store: Store) -> None:
        """Each tier has its own besides."""
        captures = add_whole_week(store)
        assert add_analysis(store, captures)
        assert store.unanalyzed(CALC_VERSION) == captures
