"""What a store does with judgments on weeks."""

from __future__ import annotations

from datetime import date

import pytest
from attrs import evolve

from finra_core.domain.policies import TRADING
from finra_core.domain.readiness import BlockingIssue, IssueKind, Judgment, Readiness
from finra_core.domain.tiers import Tier
from finra_core.ports.store import JudgmentQuery, Store
from finra_core.testing.examples import NEXT_WEEK, OTC, T1, WEEK, ask, judgment, put_capture, put_judgments
from finra_core.testing.store_fixtures import StoreFixtures

MISSING = BlockingIssue(
    IssueKind.MISSING_TIER, Tier.OTC, "Missing tier: OTC", "finra run --weeks 2025-12-26 --tiers OTC"
)
CRITICAL = BlockingIssue(IssueKind.OPEN_CRITICALS, None, "1 unresolved CRITICAL anomaly: Ä, 'x'", "finra anomalies")

_READY = judgment(WEEK).readiness
ONE_CRITERION_FAILS = [
    pytest.param(evolve(_READY, all_partitions_present=False), id="all_partitions_present"),
    pytest.param(evolve(_READY, all_stages_complete=False), id="all_stages_complete"),
    pytest.param(evolve(_READY, no_critical_anomalies=False), id="no_critical_anomalies"),
    pytest.param(evolve(_READY, no_rejected_rows=False), id="no_rejected_rows"),
    pytest.param(evolve(_READY, no_partial_coverage=False), id="no_partial_coverage"),
    pytest.param(evolve(_READY, is_ready=False), id="is_ready"),
]


class JudgmentsContract(StoreFixtures):
    """A judgment holds until the next one on its week and use, and stays in the history after."""

    def test_a_judgment_is_read_back_as_it_was(self, store: Store) -> None:
        """With its issues in order, and the captures that it rests on."""
        put = judgment(WEEK, MISSING, CRITICAL, captures=[put_capture(store, OTC, 0), put_capture(store, T1, 1)])
        put_judgments(store, put)
        assert _judgments(store) == [put]

    @pytest.mark.parametrize("readiness", ONE_CRITERION_FAILS)
    def test_each_criterion_is_kept_for_itself(self, store: Store, readiness: Readiness) -> None:
        """They are not derived from each other."""
        put = evolve(judgment(WEEK), readiness=readiness)
        put_judgments(store, put)
        assert _judgments(store) == [put]

    def test_the_day_on_which_a_week_can_be_ready_is_kept(self, store: Store) -> None:
        """None where it does not only wait for a publication day."""
        waiting, ready = judgment(WEEK, MISSING), judgment(NEXT_WEEK)
        waiting = evolve(waiting, readiness=evolve(waiting.readiness, ready_on=date(2026, 2, 2)))
        put_judgments(store, waiting, ready)
        assert [j.readiness.ready_on for j in _judgments(store)] == [None, date(2026, 2, 2)]

    def test_judgments_are_by_week_newest_first_then_by_use(self, store: Store) -> None:
        """Whatever the order in which they were put."""
        put = [judgment(WEEK), judgment(NEXT_WEEK, ready_for="research"), judgment(NEXT_WEEK, ready_for="archive")]
        put_judgments(store, *put)
        assert _judgments(store) == [put[2], put[1], put[0]]

    def test_a_judgment_takes_the_place_of_the_earlier_one_on_its_week_and_use(self, store: Store) -> None:
        """And of no other."""
        put_judgments(store, judgment(WEEK, MISSING), judgment(NEXT_WEEK), judgment(WEEK, ready_for="research"))
        later = judgment(WEEK, minute=1)
        put_judgments(store, later)
        assert _judgments(store) == [judgment(NEXT_WEEK), judgment(WEEK, ready_for="research"), later]

    def test_the_history_has_all_judgments(self, store: Store) -> None:
        """Of each week and use the latest first."""
        put = [judgment(WEEK, MISSING, minute=0), judgment(WEEK, minute=1), judgment(WEEK, CRITICAL, minute=2)]
        for each in put:
            put_judgments(store, each)
        other = judgment(NEXT_WEEK, minute=1)
        put_judgments(store, other)
        assert _judgments(store, JudgmentQuery(history=True)) == [other, *reversed(put)]

    def test_a_judgment_that_comes_back_is_in_the_history_twice(self, store: Store) -> None:
        """Not ready, ready, not ready for the same reason again."""
        put = [judgment(WEEK, MISSING, minute=0), judgment(WEEK, minute=1), judgment(WEEK, MISSING, minute=2)]
        for each in put:
            put_judgments(store, each)
        assert _judgments(store, JudgmentQuery(history=True)) == [*reversed(put)]

    def test_the_judgment_put_last_holds_whatever_its_time(self, store: Store) -> None:
        """A clock may be set back."""
        for minute in (9, 5):
            put_judgments(store, judgment(WEEK, minute=minute))
        assert _judgments(store) == [judgment(WEEK, minute=5)]
        assert _judgments(store, JudgmentQuery(history=True)) == [judgment(minute=5), judgment(minute=9)]

    def test_judgments_can_be_had_of_some_weeks_and_of_one_use(self, store: Store) -> None:
        """Both must hold."""
        put_judgments(store, judgment(WEEK), judgment(NEXT_WEEK), judgment(NEXT_WEEK, ready_for="research"))
        both = frozenset([WEEK, NEXT_WEEK])
        assert _judgments(store, JudgmentQuery(weeks=frozenset([WEEK]))) == [judgment(WEEK)]
        assert _judgments(store, JudgmentQuery(ready_for=TRADING.name)) == [judgment(NEXT_WEEK), judgment(WEEK)]
        assert _judgments(store, JudgmentQuery(weeks=both, ready_for="research")) == [
            judgment(NEXT_WEEK, ready_for="research")
        ]
        assert _judgments(store, JudgmentQuery(weeks=frozenset())) == []


def _judgments(store: Store, query: JudgmentQuery | None = None) -> list[Judgment]:
    return ask(store, lambda view: view.judgments(query) if query else view.judgments())
