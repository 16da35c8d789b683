"""Readiness: a week is ready for a use when all criteria of its policy hold, and says what does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.analytics import AnalysisKey
from finra_core.domain.anomalies import Acknowledgment, Anomaly, AnomalyRecord, Category, Severity, Stage
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import COMPLIANCE, TRADING, Criterion, Policy
from finra_core.domain.readiness import (
    IssueKind,
    Readiness,
    TierState,
    WeekState,
    empty_state,
    evaluate,
    week_states,
    withdraw,
)
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Half, Tier
from support.captures import a_capture

WEEK = date(2026, 1, 2)
# The week of Monday 2025-12-29: Tier 1 comes after Martin Luther King Day, the others on 2 February.
TIER_1_DUE = date(2026, 1, 20)
OTHERS_DUE = date(2026, 2, 2)
SEEN = datetime(2026, 2, 2, 12, tzinfo=timezone.utc)


def capture_of(tier: Tier, number: int = 1, *, rejected_rows: int = 0, halves: Sequence[Half] = tuple(Half)) -> Capture:
    """With records."""
    number += 10 * list(Tier).index(tier)
    return a_capture(
        number,
        Partition(WEEK, tier),
        normalized=True,
        revision=number % 10,
        rejected_rows=rejected_rows,
        halves=halves,
    )


def done(tier: Tier) -> TierState:
    return TierState(newest=capture_of(tier), normalized=capture_of(tier), analyzed=True)


READY = WeekState(week_ending=WEEK, tiers={tier: done(tier) for tier in Tier}, across_tiers_analyzed=True)


def with_tier(tier: Tier, state: TierState) -> WeekState:
    return evolve(READY, tiers={**READY.tiers, tier: state})


def without(*tiers: Tier) -> WeekState:
    kept = {tier: state for tier, state in READY.tiers.items() if tier not in tiers}
    return evolve(READY, tiers=kept, across_tiers_analyzed=False)


def found(
    severity: Severity, category: Category = Category.BAD_DATA, scope: Scope | None = None, **changes: object
) -> AnomalyRecord:
    anomaly = Anomaly(severity, category, scope or Scope.week(WEEK), Stage.RAW, "it is so")
    record = AnomalyRecord(
        fingerprint=anomaly.fingerprint, anomaly=anomaly, first_seen=SEEN, last_seen=SEEN, occurrences=1
    )
    return evolve(record, **changes)  # type: ignore[arg-type]


PARTIAL = found(Severity.WARN, Category.PARTIAL_COVERAGE, Scope(WEEK, "OTC"))


def fails(readiness: Readiness) -> set[str]:
    """The criteria that do not hold."""
    names = (
        "all_partitions_present",
        "all_stages_complete",
        "no_critical_anomalies",
        "no_rejected_rows",
        "no_partial_coverage",
    )
    return {name for name in names if not getattr(readiness, name)}


def kinds(readiness: Readiness) -> list[IssueKind]:
    return [issue.kind for issue in readiness.blocking_issues]


def messages(readiness: Readiness) -> list[str]:
    return [issue.message for issue in readiness.blocking_issues]


@st.composite
def tier_states(draw: st.DrawFn, tier: Tier) -> TierState | None:
    if draw(st.integers(0, 5)) == 0:
        return None
    halves = draw(st.sampled_from([tuple(Half), tuple(Half), tuple(Half), (Half.ATS,)]))
    newest = capture_of(tier, draw(st.integers(1, 2)), rejected_rows=draw(st.sampled_from([0, 0, 0, 3])), halves=halves)
    older = capture_of(tier, 1) if newest.revision > 1 else None
    normalized = draw(st.sampled_from([newest, newest, newest, older, None]))
    analyzed = normalized is not None and draw(st.sampled_from([True, True, True, False]))
    return TierState(newest=newest, normalized=normalized, analyzed=analyzed)


@st.composite
def any_week(draw: st.DrawFn) -> WeekState:
    drawn = {tier: draw(tier_states(tier)) for tier in Tier}
    return WeekState(
        week_ending=WEEK,
        tiers={tier: state for tier, state in drawn.items() if state is not None},
        across_tiers_analyzed=draw(st.sampled_from([True, True, False])),
        anomalies=tuple(draw(st.sets(st.sampled_from([found(Severity.CRITICAL), found(Severity.ERROR), PARTIAL])))),
    )


days = st.dates(date(2026, 1, 5), date(2026, 3, 1))
policies = st.builds(
    Policy,
    name=st.just("mine"),
    tiers=st.sets(st.sampled_from(Tier), min_size=1).map(lambda tiers: tuple(sorted(tiers))),
    halves=st.sampled_from([tuple(Half), (Half.ATS,), ()]),
    criteria=st.frozensets(st.sampled_from(Criterion)),
)


# One week -------------------------------------------------------------------------------------------------


def test_a_week_with_everything_done_is_ready_for_trading() -> None:
    readiness = evaluate(READY, OTHERS_DUE)
    assert readiness.is_ready
    assert (readiness.blocking_issues, fails(readiness)) == ((), set())
    assert (readiness.week_ending, readiness.ready_for) == (WEEK, "trading")


def test_a_judgment_names_the_newest_captures_that_it_rests_on() -> None:
    assert evaluate(READY, OTHERS_DUE).captures == (1, 11, 21)
    assert evaluate(READY, OTHERS_DUE, Policy(name="otc", tiers=(Tier.OTC,))).captures == (21,)


@given(any_week(), days, policies)
def test_a_week_is_ready_exactly_when_nothing_blocks_it(state: WeekState, on: date, policy: Policy) -> None:
    readiness = evaluate(state, on, policy)
    assert readiness.is_ready == (not readiness.blocking_issues)


@given(any_week(), days)
def test_a_week_is_ready_for_trading_exactly_when_all_of_it_is_there_whole_and_done(state: WeekState, on: date) -> None:
    expected = (
        len(state.tiers) == 3
        and all(s.normalized == s.newest and s.analyzed for s in state.tiers.values())
        and all(s.newest.rejected_rows == 0 and len(s.newest.halves) == 2 for s in state.tiers.values())
        and state.across_tiers_analyzed
        and not {Severity.CRITICAL, Severity.WARN} & {record.anomaly.severity for record in state.anomalies}
    )
    assert evaluate(state, on).is_ready == expected


@given(any_week(), days)
def test_each_criterion_stands_for_what_it_says(state: WeekState, on: date) -> None:
    readiness, tiers = evaluate(state, on), state.tiers.values()
    normalized = [tier.normalized for tier in tiers if tier.normalized]
    whole = len(tiers) == 3 and all(len(capture.halves) == 2 for capture in normalized)
    finished = all(tier.normalized == tier.newest and tier.analyzed for tier in tiers)
    severities = {record.anomaly.severity for record in state.anomalies}
    assert readiness.all_partitions_present == whole
    assert readiness.all_stages_complete == (len(tiers) == 3 and finished and state.across_tiers_analyzed)
    assert readiness.no_critical_anomalies == (Severity.CRITICAL not in severities)
    assert readiness.no_rejected_rows == (not any(capture.rejected_rows for capture in normalized))
    assert readiness.no_partial_coverage == (Severity.WARN not in severities)


@given(any_week(), days, policies)
def test_each_issue_is_said_once_in_one_line_with_what_to_do(state: WeekState, on: date, policy: Policy) -> None:
    issues = evaluate(state, on, policy).blocking_issues
    assert len(set(issues)) == len(issues)
    assert all(issue.message.isprintable() and issue.action.isprintable() and issue.action for issue in issues)


# Presence -------------------------------------------------------------------------------------------------


def test_a_due_tier_that_is_absent_is_missing_in_the_documents_words() -> None:
    readiness = evaluate(without(Tier.OTC), OTHERS_DUE)
    assert (readiness.is_ready, readiness.all_partitions_present) == (False, False)
    assert (messages(readiness), kinds(readiness)) == (["Missing tier: OTC"], [IssueKind.MISSING_TIER])
    assert readiness.blocking_issues[0].tier is Tier.OTC


def test_a_tier_that_is_not_due_yet_is_waited_for_until_its_date() -> None:
    readiness = evaluate(without(Tier.NMS_TIER_2, Tier.OTC), OTHERS_DUE - timedelta(days=1))
    assert messages(readiness) == [
        "Waiting for tier: NMS_TIER_2, due 2026-02-02",
        "Waiting for tier: OTC, due 2026-02-02",
    ]
    assert set(kinds(readiness)) == {IssueKind.WAITING_FOR_TIER}


@pytest.mark.parametrize(
    ("on", "message"),
    [
        (TIER_1_DUE - timedelta(days=1), "Waiting for tier: NMS_TIER_1, due 2026-01-20"),
        (TIER_1_DUE, "Missing tier: NMS_TIER_1"),
        (TIER_1_DUE + timedelta(days=1), "Missing tier: NMS_TIER_1"),
    ],
)
def test_after_a_holiday_a_tier_goes_missing_on_the_tuesday(on: date, message: str) -> None:
    assert message in messages(evaluate(without(Tier.NMS_TIER_1), on))


def test_a_week_of_which_nothing_is_known_is_missing_all_three_tiers_in_order() -> None:
    expected = ["Missing tier: NMS_TIER_1", "Missing tier: NMS_TIER_2", "Missing tier: OTC"]
    assert messages(evaluate(empty_state(WEEK), OTHERS_DUE)) == expected


def test_a_week_that_only_waits_says_the_day_on_which_it_can_be_ready() -> None:
    waiting = evaluate(without(*Tier), TIER_1_DUE - timedelta(days=1))
    assert (waiting.ready_on, waiting.is_waiting) == (OTHERS_DUE, True)
    assert evaluate(without(Tier.NMS_TIER_1), TIER_1_DUE - timedelta(days=1)).ready_on == TIER_1_DUE


@pytest.mark.parametrize(
    ("state", "on"),
    [
        pytest.param(READY, OTHERS_DUE, id="ready"),
        pytest.param(without(Tier.OTC), OTHERS_DUE, id="missing"),
        pytest.param(
            evolve(without(Tier.OTC), anomalies=(found(Severity.CRITICAL),)),
            OTHERS_DUE - timedelta(days=1),
            id="waiting and critical",
        ),
    ],
)
def test_a_week_that_does_not_only_wait_has_no_such_day(state: WeekState, on: date) -> None:
    readiness = evaluate(state, on)
    assert (readiness.ready_on, readiness.is_waiting) == (None, False)


@pytest.mark.parametrize("half", Half)
def test_half_a_tier_is_not_ready_and_the_missing_half_is_named(half: Half) -> None:
    capture = capture_of(Tier.OTC, halves=[other for other in Half if other is not half])
    readiness = evaluate(with_tier(Tier.OTC, TierState(newest=capture, normalized=capture, analyzed=True)), OTHERS_DUE)
    assert fails(readiness) == {"all_partitions_present"}
    assert messages(readiness) == [f"OTC: the {half} half is missing in {capture}"]
    assert kinds(readiness) == [IssueKind.MISSING_HALF]


# Stages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("analyzed", [True, False])
def test_a_restatement_unreadies_a_week_until_it_is_normalized(tier: Tier, analyzed: bool) -> None:
    restated = TierState(newest=capture_of(tier, 2), normalized=capture_of(tier, 1), analyzed=analyzed)
    readiness = evaluate(with_tier(tier, restated), OTHERS_DUE)
    assert fails(readiness) == {"all_stages_complete"}
    assert messages(readiness) == [f"{tier}: finra.otc_transparency:{tier}:2026-01-02:20260203 r2 is not normalized"]


@pytest.mark.parametrize("tier", Tier)
def test_a_restatement_unreadies_a_week_until_it_is_analyzed(tier: Tier) -> None:
    restated = TierState(newest=capture_of(tier, 2), normalized=capture_of(tier, 2), analyzed=False)
    readiness = evaluate(with_tier(tier, restated), OTHERS_DUE)
    assert fails(readiness) == {"all_stages_complete"}
    assert messages(readiness) == [f"{tier}: finra.otc_transparency:{tier}:2026-01-02:20260203 r2 is not analyzed"]


def test_a_restatement_unreadies_a_week_until_the_analytics_across_tiers_rest_on_it() -> None:
    readiness = evaluate(evolve(READY, across_tiers_analyzed=False), OTHERS_DUE)
    assert fails(readiness) == {"all_stages_complete"}
    assert kinds(readiness) == [IssueKind.NOT_ANALYZED_ACROSS_TIERS]


def test_a_capture_without_records_is_not_normalized() -> None:
    raw = TierState(newest=capture_of(Tier.OTC), normalized=None, analyzed=False)
    readiness = evaluate(with_tier(Tier.OTC, raw), OTHERS_DUE)
    assert messages(readiness) == ["OTC: finra.otc_transparency:OTC:2026-01-02:20260203 is not normalized"]


# Rows and findings ----------------------------------------------------------------------------------------


def test_rejected_rows_block_with_their_number_and_capture() -> None:
    capture = capture_of(Tier.OTC, rejected_rows=1_234)
    readiness = evaluate(with_tier(Tier.OTC, TierState(newest=capture, normalized=capture, analyzed=True)), OTHERS_DUE)
    assert fails(readiness) == {"no_rejected_rows"}
    assert messages(readiness) == [f"OTC: 1,234 rows rejected in {capture}"]


@pytest.mark.parametrize(
    ("count", "message"), [(1, "1 unresolved CRITICAL anomaly"), (2, "2 unresolved CRITICAL anomalies")]
)
def test_unresolved_critical_anomalies_block(count: int, message: str) -> None:
    anomalies = [found(Severity.CRITICAL, category) for category in (Category.BAD_DATA, Category.LATE)]
    readiness = evaluate(evolve(READY, anomalies=tuple(anomalies[:count])), OTHERS_DUE)
    assert fails(readiness) == {"no_critical_anomalies"}
    assert messages(readiness) == [message]


def test_partial_coverage_blocks_until_a_person_acknowledges_it() -> None:
    readiness = evaluate(evolve(READY, anomalies=(PARTIAL,)), OTHERS_DUE)
    assert fails(readiness) == {"no_partial_coverage"}
    assert PARTIAL.fingerprint in readiness.blocking_issues[0].action
    known = evolve(PARTIAL, acknowledged=Acknowledgment("a holiday", SEEN, OTHERS_DUE))
    state = evolve(READY, anomalies=(known,))
    assert evaluate(state, OTHERS_DUE).is_ready
    assert not evaluate(state, OTHERS_DUE + timedelta(days=1)).is_ready


def test_all_that_blocks_is_said_at_once() -> None:
    capture = capture_of(Tier.NMS_TIER_1, rejected_rows=5)
    state = evolve(without(Tier.OTC), anomalies=(found(Severity.CRITICAL),))
    rejected = TierState(newest=capture, normalized=capture, analyzed=True)
    state = evolve(state, tiers={**state.tiers, Tier.NMS_TIER_1: rejected})
    assert len(evaluate(state, OTHERS_DUE).blocking_issues) == 3


# Policies -------------------------------------------------------------------------------------------------


def test_a_policy_asks_for_its_own_tiers_alone() -> None:
    otc = Policy(name="otc", tiers=(Tier.OTC,))
    critical_elsewhere = found(Severity.CRITICAL, scope=Scope(WEEK, "NMS_TIER_1"))
    state = evolve(without(Tier.NMS_TIER_1, Tier.NMS_TIER_2), anomalies=(critical_elsewhere,))
    assert evaluate(state, OTHERS_DUE, otc).is_ready
    assert not evaluate(without(Tier.OTC), OTHERS_DUE, otc).is_ready
    assert not evaluate(evolve(READY, anomalies=(found(Severity.CRITICAL),)), OTHERS_DUE, otc).is_ready


def test_a_policy_asks_for_its_own_halves_alone() -> None:
    capture = capture_of(Tier.OTC, halves=[Half.ATS])
    state = with_tier(Tier.OTC, TierState(newest=capture, normalized=capture, analyzed=True))
    assert evaluate(state, OTHERS_DUE, Policy(name="pools", halves=(Half.ATS,))).is_ready
    assert not evaluate(state, OTHERS_DUE, Policy(name="firms", halves=(Half.NON_ATS,))).is_ready


def test_a_policy_of_fewer_tiers_needs_no_analytics_across_them() -> None:
    two = Policy(name="nms", tiers=(Tier.NMS_TIER_1, Tier.NMS_TIER_2))
    state = evolve(READY, across_tiers_analyzed=False)
    assert [evaluate(state, OTHERS_DUE, policy).is_ready for policy in (two, TRADING)] == [True, False]


def test_compliance_asks_for_no_open_error_besides() -> None:
    state = evolve(READY, anomalies=(found(Severity.ERROR),))
    assert [evaluate(state, OTHERS_DUE, policy).is_ready for policy in (TRADING, COMPLIANCE)] == [True, False]


@given(any_week(), days, policies, st.sampled_from(Criterion))
def test_a_policy_with_one_criterion_fewer_is_as_easy_or_easier(
    state: WeekState, on: date, policy: Policy, criterion: Criterion
) -> None:
    easier = evolve(policy, criteria=policy.criteria - {criterion})
    strict, lenient = evaluate(state, on, policy), evaluate(state, on, easier)
    assert set(lenient.blocking_issues) <= set(strict.blocking_issues)
    assert fails(lenient) == fails(strict), "criteria say what is so, whatever the policy asks for"


# Withdrawing ----------------------------------------------------------------------------------------------


@given(any_week(), days)
def test_a_withdrawn_week_is_not_ready_until_it_is_judged_again(state: WeekState, on: date) -> None:
    judged, capture = evaluate(state, on), capture_of(Tier.OTC, 5)
    left = withdraw(judged, capture)
    assert (left.is_ready, left.all_stages_complete, left.ready_on) == (False, False, None)
    assert left.blocking_issues[: len(judged.blocking_issues)] == judged.blocking_issues
    assert f"OTC: {capture} is not normalized" in messages(left)
    assert fails(left) == fails(judged) | {"all_stages_complete"}


@given(any_week(), days)
def test_withdrawing_twice_for_one_capture_is_withdrawing_once(state: WeekState, on: date) -> None:
    left = withdraw(evaluate(state, on), capture_of(Tier.OTC, 5))
    assert withdraw(left, capture_of(Tier.OTC, 5)) == left


# The state of weeks ---------------------------------------------------------------------------------------


def key_of(*captures: Capture, calc_version: int = 1) -> AnalysisKey:
    tier = captures[0].partition.tier.value if len(captures) == 1 else "ALL"
    return AnalysisKey(WEEK, tier, tuple(capture.number for capture in captures), calc_version)


def state_of(
    captures: Sequence[Capture] = (), analyses: Sequence[AnalysisKey] = (), anomalies: Sequence[AnomalyRecord] = ()
) -> WeekState:
    return week_states([WEEK], captures, analyses, anomalies, 1)[WEEK]


def test_a_week_without_captures_has_an_empty_state() -> None:
    assert state_of() == empty_state(WEEK)


def test_a_tier_has_its_newest_capture_and_its_newest_with_records() -> None:
    """They differ while a run is under way or after one that was killed."""
    older, normalized = capture_of(Tier.OTC, 1), capture_of(Tier.OTC, 2)
    raw = a_capture(29, normalized.partition)
    assert state_of([raw, older, normalized], [key_of(older)]).tiers == {
        Tier.OTC: TierState(newest=raw, normalized=normalized, analyzed=False)
    }


def test_a_tier_is_analyzed_when_its_newest_records_are_by_this_version() -> None:
    capture = capture_of(Tier.OTC)
    versions = [state_of([capture], [key_of(capture, calc_version=version)]).tiers[Tier.OTC] for version in (1, 2)]
    assert [tier.analyzed for tier in versions] == [True, False]


def test_tiers_are_in_their_order_whatever_that_of_the_captures() -> None:
    assert list(state_of([capture_of(tier) for tier in reversed(Tier)]).tiers) == list(Tier)


def test_a_week_is_analyzed_across_tiers_when_its_newest_records_are() -> None:
    captures = [capture_of(tier) for tier in Tier]
    assert state_of(captures, [key_of(*captures)]).across_tiers_analyzed
    assert not state_of(captures, [key_of(*captures, calc_version=2)]).across_tiers_analyzed
    assert not state_of([*captures, capture_of(Tier.OTC, 2)], [key_of(*captures)]).across_tiers_analyzed
    assert not state_of(captures[:2], [key_of(*captures[:2])]).across_tiers_analyzed


def test_analytics_across_tiers_rest_on_a_normalized_capture_of_every_tier() -> None:
    assert READY.inputs_across_tiers() == tuple(capture_of(tier) for tier in Tier)
    assert without(Tier.NMS_TIER_2).inputs_across_tiers() is None
    assert with_tier(Tier.OTC, evolve(done(Tier.OTC), normalized=None)).inputs_across_tiers() is None


def test_a_week_has_its_own_open_anomalies_and_those_of_its_tiers() -> None:
    own = [found(Severity.CRITICAL), found(Severity.WARN, scope=Scope(WEEK, "OTC"))]
    others = [
        found(Severity.CRITICAL, scope=Scope.week(WEEK + timedelta(weeks=1))),
        found(Severity.CRITICAL, scope=Scope.at("week.csv")),
        found(Severity.CRITICAL, Category.LATE, resolved_at=SEEN),
        found(Severity.INFO, Category.REVISION_SKIPPED),
    ]
    assert set(state_of(anomalies=[*others, *own]).anomalies) == set(own)


def test_states_are_each_weeks_own() -> None:
    next_week = a_capture(40, Partition(WEEK + timedelta(weeks=1), Tier.OTC), normalized=True)
    states = week_states([WEEK, next_week.partition.week_ending], [capture_of(Tier.OTC), next_week], [], [], 1)
    assert [list(states[week].tiers) for week in states] == [[Tier.OTC], [Tier.OTC]]
    assert states[next_week.partition.week_ending].tiers[Tier.OTC].newest == next_week
