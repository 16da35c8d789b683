"""Readiness: a week is ready to trade on when nothing blocks it, and says what does."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness, TierState, WeekState, evaluate_readiness
from finra_core.domain.tiers import Tier

WEEK = date(2026, 1, 2)
# The week of Monday 2025-12-29: Tier 1 comes after Martin Luther King Day, the others on 2 February.
TIER_1_DUE = date(2026, 1, 20)
OTHERS_DUE = date(2026, 2, 2)
NOW = datetime(2026, 2, 3, 12, tzinfo=timezone.utc)


def capture_of(tier: Tier, number: int = 1) -> Capture:
    return Capture(
        number=number,
        capture_id=f"finra.otc_transparency:{tier}:2026-01-02:20260203",
        revision=number,
        partition=Partition(WEEK, tier),
        captured_at=NOW + timedelta(minutes=number),
        content_hash="0" * 64,
        version=None,
        row_count=1,
        size_bytes=1,
        source_url="file:///week.csv",
        run_id="run",
        reason="first",
        verified_at=NOW,
    )


def done(tier: Tier) -> TierState:
    return TierState(newest=capture_of(tier), normalized=capture_of(tier), rejected_rows=0, analyzed=True)


READY = WeekState(
    week_ending=WEEK, tiers={tier: done(tier) for tier in Tier}, cross_tier_analyzed=True, open_criticals=0
)


def with_tier(tier: Tier, state: TierState) -> WeekState:
    return evolve(READY, tiers={**READY.tiers, tier: state})


def without(*tiers: Tier) -> WeekState:
    kept = {tier: state for tier, state in READY.tiers.items() if tier not in tiers}
    return evolve(READY, tiers=kept, cross_tier_analyzed=False)


def criteria(readiness: Readiness) -> dict[str, bool]:
    names = ("all_partitions_present", "all_stages_complete", "no_critical_anomalies", "no_rejected_rows")
    return {name: getattr(readiness, name) for name in names}


@st.composite
def tier_states(draw: st.DrawFn, tier: Tier) -> TierState | None:
    if draw(st.integers(0, 5)) == 0:
        return None
    newest = capture_of(tier, draw(st.integers(1, 2)))
    normalized = draw(st.sampled_from([newest, newest, newest, capture_of(tier, 1), None]))
    return TierState(
        newest=newest,
        normalized=normalized,
        rejected_rows=draw(st.sampled_from([0, 0, 0, 3])) if normalized else 0,
        analyzed=normalized is not None and draw(st.sampled_from([True, True, True, False])),
    )


@st.composite
def week_states(draw: st.DrawFn) -> WeekState:
    drawn = {tier: draw(tier_states(tier)) for tier in Tier}
    return WeekState(
        week_ending=WEEK,
        tiers={tier: state for tier, state in drawn.items() if state is not None},
        cross_tier_analyzed=draw(st.sampled_from([True, True, False])),
        open_criticals=draw(st.sampled_from([0, 0, 2])),
    )


days = st.dates(date(2026, 1, 5), date(2026, 3, 1))


def test_a_week_with_everything_done_is_ready_for_trading() -> None:
    readiness = evaluate_readiness(READY, OTHERS_DUE)
    assert readiness.is_ready
    assert readiness.blocking_issues == ()
    assert all(criteria(readiness).values())
    assert (readiness.week_ending, readiness.ready_for) == (WEEK, "trading")


@given(week_states(), days)
def test_a_week_is_ready_exactly_when_nothing_blocks_it(state: WeekState, on: date) -> None:
    readiness = evaluate_readiness(state, on)
    assert readiness.is_ready == (not readiness.blocking_issues) == all(criteria(readiness).values())


@given(week_states(), days)
def test_a_week_is_ready_exactly_when_all_of_it_is_captured_normalized_analyzed_and_sound(
    state: WeekState, on: date
) -> None:
    expected = (
        len(state.tiers) == 3
        and all(s.normalized == s.newest and s.analyzed and s.rejected_rows == 0 for s in state.tiers.values())
        and state.cross_tier_analyzed
        and state.open_criticals == 0
    )
    assert evaluate_readiness(state, on).is_ready == expected


@given(week_states(), days)
def test_each_criterion_stands_for_what_it_says(state: WeekState, on: date) -> None:
    readiness = evaluate_readiness(state, on)
    assert readiness.all_partitions_present == (len(state.tiers) == 3)
    stages_done = all(s.normalized == s.newest and s.analyzed for s in state.tiers.values())
    assert readiness.all_stages_complete == (len(state.tiers) == 3 and stages_done and state.cross_tier_analyzed)
    assert readiness.no_critical_anomalies == (state.open_criticals == 0)
    assert readiness.no_rejected_rows == (not any(s.rejected_rows for s in state.tiers.values()))


@given(week_states(), days)
def test_no_issue_is_listed_twice_and_each_is_one_line(state: WeekState, on: date) -> None:
    issues = evaluate_readiness(state, on).blocking_issues
    assert len(set(issues)) == len(issues)
    assert not any("\n" in issue for issue in issues)


def test_a_due_tier_that_is_absent_is_missing_in_the_documents_words() -> None:
    readiness = evaluate_readiness(without(Tier.OTC), OTHERS_DUE)
    assert not readiness.is_ready
    assert not readiness.all_partitions_present
    assert readiness.blocking_issues == ("Missing tier: OTC",)


def test_a_tier_that_is_not_due_yet_is_waited_for_until_its_date() -> None:
    readiness = evaluate_readiness(without(Tier.NMS_TIER_2, Tier.OTC), OTHERS_DUE - timedelta(days=1))
    assert not readiness.is_ready
    assert readiness.blocking_issues == (
        "Waiting for tier: NMS_TIER_2, due 2026-02-02",
        "Waiting for tier: OTC, due 2026-02-02",
    )


@pytest.mark.parametrize(
    ("on", "issue"),
    [
        (TIER_1_DUE - timedelta(days=1), "Waiting for tier: NMS_TIER_1, due 2026-01-20"),
        (TIER_1_DUE, "Missing tier: NMS_TIER_1"),
        (TIER_1_DUE + timedelta(days=1), "Missing tier: NMS_TIER_1"),
    ],
)
def test_after_a_holiday_a_tier_goes_missing_on_the_tuesday(on: date, issue: str) -> None:
    assert issue in evaluate_readiness(without(Tier.NMS_TIER_1), on).blocking_issues


def test_a_week_of_which_nothing_is_known_waits_for_all_three_tiers_in_order() -> None:
    empty = WeekState(week_ending=WEEK, tiers={}, cross_tier_analyzed=False, open_criticals=0)
    issues = evaluate_readiness(empty, OTHERS_DUE).blocking_issues
    assert issues == ("Missing tier: NMS_TIER_1", "Missing tier: NMS_TIER_2", "Missing tier: OTC")


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("analyzed", [True, False])
def test_a_restatement_unreadies_a_week_until_it_is_normalized(tier: Tier, analyzed: bool) -> None:
    restated = TierState(newest=capture_of(tier, 2), normalized=capture_of(tier, 1), rejected_rows=0, analyzed=analyzed)
    readiness = evaluate_readiness(with_tier(tier, restated), OTHERS_DUE)
    assert not readiness.is_ready
    assert criteria(readiness) == {**dict.fromkeys(criteria(readiness), True), "all_stages_complete": False}
    assert readiness.blocking_issues == (
        f"{tier}: finra.otc_transparency:{tier}:2026-01-02:20260203 r2 is not normalized",
    )


@pytest.mark.parametrize("tier", Tier)
def test_a_restatement_unreadies_a_week_until_it_is_analyzed(tier: Tier) -> None:
    restated = evolve(done(tier), newest=capture_of(tier, 2), normalized=capture_of(tier, 2), analyzed=False)
    readiness = evaluate_readiness(with_tier(tier, restated), OTHERS_DUE)
    assert not readiness.is_ready
    assert readiness.blocking_issues == (
        f"{tier}: finra.otc_transparency:{tier}:2026-01-02:20260203 r2 is not analyzed",
    )


def test_a_restatement_unreadies_a_week_until_the_analytics_across_tiers_rest_on_it() -> None:
    readiness = evaluate_readiness(evolve(READY, cross_tier_analyzed=False), OTHERS_DUE)
    assert not readiness.is_ready
    assert not readiness.all_stages_complete
    assert len(readiness.blocking_issues) == 1
    assert "across tiers" in readiness.blocking_issues[0]


def test_a_capture_without_records_is_not_normalized() -> None:
    raw = TierState(newest=capture_of(Tier.OTC), normalized=None, rejected_rows=0, analyzed=False)
    readiness = evaluate_readiness(with_tier(Tier.OTC, raw), OTHERS_DUE)
    assert readiness.blocking_issues == ("OTC: finra.otc_transparency:OTC:2026-01-02:20260203 is not normalized",)


def test_rejected_rows_block_with_their_number_and_capture() -> None:
    readiness = evaluate_readiness(with_tier(Tier.OTC, evolve(done(Tier.OTC), rejected_rows=1_234)), OTHERS_DUE)
    assert not readiness.is_ready
    assert criteria(readiness) == {**dict.fromkeys(criteria(readiness), True), "no_rejected_rows": False}
    assert readiness.blocking_issues == ("OTC: 1,234 rows rejected in finra.otc_transparency:OTC:2026-01-02:20260203",)


def test_an_unresolved_critical_anomaly_blocks() -> None:
    readiness = evaluate_readiness(evolve(READY, open_criticals=2), OTHERS_DUE)
    assert not readiness.is_ready
    assert criteria(readiness) == {**dict.fromkeys(criteria(readiness), True), "no_critical_anomalies": False}
    assert readiness.blocking_issues == ("2 unresolved CRITICAL anomalies",)


def test_all_that_blocks_is_said_at_once() -> None:
    rejected = evolve(done(Tier.NMS_TIER_1), rejected_rows=5)
    state = evolve(without(Tier.OTC), open_criticals=1)
    state = evolve(state, tiers={**state.tiers, Tier.NMS_TIER_1: rejected})
    assert len(evaluate_readiness(state, OTHERS_DUE).blocking_issues) == 3


def test_analytics_across_tiers_need_a_normalized_capture_of_every_tier() -> None:
    inputs = READY.cross_tier_inputs()
    assert inputs is not None
    assert [capture.partition.tier for capture in inputs] == [Tier.NMS_TIER_1, Tier.NMS_TIER_2, Tier.OTC]
    assert without(Tier.NMS_TIER_2).cross_tier_inputs() is None
    assert with_tier(Tier.OTC, evolve(done(Tier.OTC), normalized=None)).cross_tier_inputs() is None


def test_the_order_in_which_tiers_came_changes_nothing() -> None:
    backwards = evolve(READY, tiers={tier: done(tier) for tier in reversed(Tier)}, cross_tier_analyzed=False)
    assert backwards.cross_tier_inputs() == READY.cross_tier_inputs()
    assert evaluate_readiness(backwards, WEEK) == evaluate_readiness(evolve(READY, cross_tier_analyzed=False), WEEK)
