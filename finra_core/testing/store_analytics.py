"""What a store does with analytics."""

from __future__ import annotations

import pytest
from attrs import evolve

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports.store import Store
from finra_core.testing.examples import (
    AAPL,
    CITADEL,
    DE_MINIMIS,
    IBM,
    NEXT_WEEK,
    OTC,
    T1,
    UBSA,
    WEEK,
    analysis_of,
    ask,
    put_analysis,
    put_normalized,
    put_whole_week,
    row,
    writing,
)
from finra_core.testing.store_fixtures import StoreFixtures


class AnalyticsContract(StoreFixtures):
    """Analytics are stored once for the captures that they rest on. Whether they are outdated is not asked here."""

    def test_analytics_of_a_tier_are_read_back_as_they_were(self, store: Store) -> None:
        """To the last digit of every fraction, and both bounds of the index."""
        rows = [row(AAPL, UBSA, 1), row(IBM, UBSA, 6), row(IBM, CITADEL, 22), row(IBM, DE_MINIMIS, 5)]
        analysis = put_analysis(store, [put_normalized(store, rows=rows)])
        assert ask(store, lambda view: view.analyses()) == [analysis]
        assert analysis.hhi != analysis.hhi_upper

    def test_analytics_across_tiers_are_read_back_as_they_were(self, store: Store) -> None:
        """With their inputs in tier order, whatever the order of their numbers."""
        otc = put_normalized(store, OTC, 0)
        captures = [*put_whole_week(store)[:2], otc]
        analysis = put_analysis(store, captures)
        found = ask(store, lambda view: view.analyses())
        assert found == [analysis]
        assert found[0].inputs == tuple(capture.number for capture in captures)

    def test_a_tier_in_which_nothing_was_traded_has_no_shares_and_no_index(self, store: Store) -> None:
        """None, which is not 0."""
        put_analysis(store, [put_normalized(store, rows=[row(shares=0)])])
        found = ask(store, lambda view: view.analyses())[0]
        assert (found.hhi, found.hhi_upper, found.venue_shares) == (None, None, (None,))

    @pytest.mark.parametrize("tiers", [1, 3])
    def test_the_same_analytics_are_stored_once(self, store: Store, tiers: int) -> None:
        """Of one week, tier, inputs and version: a second time is an error."""
        captures = put_whole_week(store)[:tiers]
        put_analysis(store, captures)
        with pytest.raises(StoreError):
            put_analysis(store, captures, minute=1)
        assert len(ask(store, lambda view: view.analyses())) == 1

    def test_another_version_of_the_calculation_is_stored_besides(self, store: Store) -> None:
        """Oldest first."""
        capture = put_normalized(store)
        for version in (CALC_VERSION, CALC_VERSION + 1):
            put_analysis(store, [capture], calc_version=version)
        versions = [analysis.calc_version for analysis in ask(store, lambda view: view.analyses())]
        assert versions == [CALC_VERSION, CALC_VERSION + 1]

    def test_analytics_across_tiers_count_their_own_revisions(self, store: Store) -> None:
        """Two that were made on one run date share a capture_id."""
        captures = put_whole_week(store)
        first = put_analysis(store, captures)
        second = put_analysis(store, [*captures[:2], put_normalized(store, OTC, 9, [row(shares=5)])])
        assert ask(store, lambda view: view.analyses()) == [first, second]
        assert (first.capture_id, first.revision, second.revision) == (second.capture_id, 1, 2)

    def test_analytics_may_rest_on_an_older_capture(self, store: Store) -> None:
        """Every version has its own, and whether it is still the newest is the caller's to know."""
        older = put_normalized(store, T1, 0)
        put_normalized(store, T1, 1, [row(shares=5)])
        analysis = put_analysis(store, [older])
        assert ask(store, lambda view: view.analyses()) == [analysis]

    def test_analytics_can_be_had_of_some_weeks(self, store: Store) -> None:
        """And of no others."""
        for minute, week in enumerate([WEEK, NEXT_WEEK]):
            put_analysis(store, [put_normalized(store, Partition(week, Tier.OTC), minute)])
        with store.read() as view:
            assert [analysis.week_ending for analysis in view.analyses([NEXT_WEEK])] == [NEXT_WEEK]
            assert (view.analyses([]), view.analysis_keys([])) == ([], [])

    def test_the_keys_of_analytics_are_theirs(self, store: Store) -> None:
        """In the same order, and of the same weeks."""
        captures = put_whole_week(store)
        made = [put_analysis(store, [captures[2]]), put_analysis(store, captures), put_analysis(store, captures[:1])]
        next_week = put_analysis(store, [put_normalized(store, Partition(NEXT_WEEK, Tier.OTC), 5)])
        with store.read() as view:
            assert view.analysis_keys() == [analysis.key for analysis in [*made, next_week]]
            assert view.analysis_keys({NEXT_WEEK}) == [next_week.key]

    def test_numbers_beyond_a_double_are_kept(self, store: Store) -> None:
        """Sums of shares are exact."""
        analysis = evolve(analysis_of(store, [put_normalized(store)]), shares_micros=2**62 + 1, trades=2**53 + 1)
        with writing(store) as unit:
            unit.put_analysis(analysis)
        assert ask(store, lambda view: view.analyses()) == [analysis]
