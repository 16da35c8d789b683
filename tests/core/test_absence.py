"""What it means that a source does not offer a partition."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.absence import decide_absent, first_offered
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.revision import Action, CaptureRef, Decision, Rule
from finra_core.domain.tiers import Tier
from support.captures import a_capture

OTC = Partition(date(2025, 12, 26), Tier.OTC)
DUE = date(2026, 1, 26)
"""35 days after the week's Monday, 2025-12-22."""
DAY = timedelta(days=1)


def decide(
    on: date,
    *,
    latest: Capture | None = None,
    offered_from: date | None = None,
    by_name: bool = False,
    grace: int | None = None,
) -> Decision:
    return decide_absent(
        OTC,
        latest,
        on,
        offered_from=offered_from,
        offered_in="FINRA's list",
        by_name=by_name,
        grace_days={} if grace is None else {Tier.OTC: grace},
    )


def told(decision: Decision) -> tuple[Action, Rule]:
    return decision.action, decision.rule


@pytest.mark.parametrize(
    ("on", "rule"),
    [
        (DUE - DAY, Rule.NOT_DUE),
        (DUE, Rule.NOT_THERE_YET),
        (DUE + 3 * DAY, Rule.NOT_THERE_YET),
        (DUE + 4 * DAY, Rule.LATE),
    ],
)
def test_a_partition_is_not_due_then_not_there_yet_then_late(on: date, rule: Rule) -> None:
    assert told(decide(on)) == (Action.WAIT, rule)


def test_the_days_of_grace_can_be_set_for_a_tier() -> None:
    assert decide(DUE + DAY, grace=0).rule is Rule.LATE
    assert decide(DUE, grace=0).rule is Rule.NOT_THERE_YET
    assert decide(DUE + 10 * DAY, grace=10).rule is Rule.NOT_THERE_YET


def test_a_week_before_the_sources_list_begins_is_not_offered_and_never_late() -> None:
    assert told(decide(DUE + 99 * DAY, offered_from=date(2026, 1, 2))) == (Action.WAIT, Rule.NOT_OFFERED)
    assert told(decide(DUE + 99 * DAY, offered_from=OTC.week_ending)) == (Action.WAIT, Rule.LATE)


@pytest.mark.parametrize(
    ("on", "offered_from", "expected"),
    [
        (DUE - DAY, None, (Action.WAIT, Rule.NOT_DUE)),
        (DUE, None, (Action.WAIT, Rule.NOT_THERE_YET)),
        (DUE + 4 * DAY, None, (Action.FAIL, Rule.LATE)),
        (DUE + 4 * DAY, date(2026, 1, 2), (Action.FAIL, Rule.NOT_OFFERED)),
    ],
)
def test_a_week_asked_for_by_name_fails_if_it_should_be_there(
    on: date, offered_from: date | None, expected: tuple[Action, Rule]
) -> None:
    assert told(decide(on, offered_from=offered_from, by_name=True)) == expected


@given(st.dates(date(2026, 1, 1), date(2026, 6, 1)), st.booleans())
def test_what_has_been_captured_stays_and_is_never_missed(on: date, by_name: bool) -> None:
    decision = decide(on, latest=a_capture(), by_name=by_name, offered_from=date(2026, 1, 2))
    assert told(decision) == (Action.SKIP, Rule.NO_LONGER_OFFERED)
    assert decision.evidence.latest == CaptureRef.of(a_capture())


def test_a_decision_says_when_it_was_due_and_where_the_list_begins() -> None:
    evidence = decide(DUE, offered_from=date(2025, 1, 3)).evidence
    assert (evidence.due, evidence.offered_from, evidence.offered_in) == (DUE, date(2025, 1, 3), "FINRA's list")


def test_the_list_begins_for_each_tier_with_its_first_week() -> None:
    weeks = [date(2025, 1, 10), date(2025, 1, 3), date(2025, 1, 17)]
    offered = [Partition(week, Tier.OTC) for week in weeks] + [Partition(date(2025, 3, 7), Tier.NMS_TIER_1)]
    assert first_offered(offered) == {Tier.OTC: date(2025, 1, 3), Tier.NMS_TIER_1: date(2025, 3, 7)}
    assert first_offered([]) == {}
