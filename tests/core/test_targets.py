"""Which partitions a run looks at, by FINRA's calendar: finra-api.md's delays of 21 and 35 days, and its holidays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import TIERS, Tier
from finra_core.runs.request import RunRequest
from finra_core.runs.targets import check_request, takes_whole_archive, target_partitions

T1, T2, OTC = Tier


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


def targets(on: str, archived: set[Partition] | None = None, **request: Any) -> dict[Tier, list[date]]:
    """The weeks looked at of each tier, newest first."""
    found = target_partitions(RunRequest(**request), date.fromisoformat(on), archived)
    weeks = {tier: [p.week_ending for p in found if p.tier is tier] for tier in Tier}
    return {tier: own for tier, own in weeks.items() if own}


# The window -------------------------------------------------------------------------------------------


def test_six_weeks_that_are_due_in_all_tiers_and_what_is_due_of_the_newer_ones() -> None:
    six = days("2025-12-05", "2025-11-28", "2025-11-21", "2025-11-14", "2025-11-07", "2025-10-31")
    assert targets("2026-01-05") == {T1: [*days("2025-12-19", "2025-12-12"), *six], T2: six, OTC: six}


@pytest.mark.parametrize(
    ("on", "tier_1", "others"),
    [
        # The day before and the day of a publication, a Monday.
        ("2026-01-04", "2025-12-12", "2025-11-28"),
        ("2026-01-05", "2025-12-19", "2025-12-05"),
        # Martin Luther King Day: FINRA publishes on the Tuesday.
        ("2026-01-19", "2025-12-26", "2025-12-12"),
        ("2026-01-20", "2026-01-02", "2025-12-19"),
        # Columbus Day is a publication day.
        ("2025-10-12", "2025-09-19", "2025-09-05"),
        ("2025-10-13", "2025-09-26", "2025-09-12"),
        # Labor Day; RN19-29's weeks, where 2019-12-02 is the first day of two tiers' weeks.
        ("2025-09-01", "2025-08-08", "2025-07-25"),
        ("2025-09-02", "2025-08-15", "2025-08-01"),
        ("2019-12-02", "2019-11-15", "2019-11-01"),
    ],
)
def test_the_newest_week_of_each_tier(on: str, tier_1: str, others: str) -> None:
    found = targets(on, lookback_weeks=1)
    assert {tier: weeks[0] for tier, weeks in found.items()} == {
        T1: date.fromisoformat(tier_1),
        T2: date.fromisoformat(others),
        OTC: date.fromisoformat(others),
    }


def test_a_look_back_of_two_has_two_weeks_that_can_be_ready() -> None:
    two = days("2025-12-05", "2025-11-28")
    assert targets("2026-01-05", lookback_weeks=2) == {T1: [*days("2025-12-19", "2025-12-12"), *two], T2: two, OTC: two}


def test_of_one_tier_the_newest_weeks_of_that_tier() -> None:
    assert targets("2026-01-05", lookback_weeks=2, tiers=[T1]) == {T1: days("2025-12-19", "2025-12-12")}
    assert targets("2026-01-05", lookback_weeks=2, tiers=[OTC]) == {OTC: days("2025-12-05", "2025-11-28")}


def test_a_calendar_window_is_the_documents_look_back_over_fridays() -> None:
    fridays = days("2026-01-02", "2025-12-26", "2025-12-19", "2025-12-12")
    assert targets("2026-01-05", lookback_weeks=4, window="calendar") == dict.fromkeys(Tier, fridays)


ON = st.dates(date(2019, 1, 1), date(2035, 1, 1))


@given(ON, st.integers(1, 30), st.sets(st.sampled_from(TIERS), min_size=1))
def test_a_window_is_all_that_is_due_from_its_oldest_week_on(on: date, lookback: int, tiers: set[Tier]) -> None:
    found = targets(on.isoformat(), lookback_weeks=lookback, tiers=tiers)

    assert found.keys() == tiers
    complete = set.intersection(*(set(weeks) for weeks in found.values()))
    assert len(complete) == lookback
    for tier, weeks in found.items():
        assert weeks == [weeks[0] - timedelta(weeks=back) for back in range(len(weeks))]
        assert weeks[-1] == min(complete)
        assert publication_date(Partition(weeks[0], tier)) <= on
        assert publication_date(Partition(weeks[0] + timedelta(weeks=1), tier)) > on


# By name ----------------------------------------------------------------------------------------------


def test_weeks_by_name_are_those_of_all_tiers_asked_for_whatever_is_due() -> None:
    found = targets("2026-01-05", weeks=days("2025-12-29", "2013-05-07"), lookback_weeks=3)
    assert found == dict.fromkeys(Tier, days("2026-01-02", "2013-05-10"))
    assert targets("2026-01-05", weeks=days("2025-12-29"), tiers=[T2]) == {T2: days("2026-01-02")}


@pytest.mark.parametrize("on", ["2025-12-29", "2026-01-02", "2026-01-04"])
def test_a_week_is_refused_until_its_sunday_is_over(on: str) -> None:
    request = RunRequest(weeks=days("2026-01-01"))
    with pytest.raises(ConfigurationError, match=f"the week ending 2026-01-02 is not over on {on}"):
        check_request(request, date.fromisoformat(on))
    check_request(request, date(2026, 1, 5))


def test_a_window_that_begins_before_the_calendar_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        check_request(RunRequest(), date(1, 1, 20))
    with pytest.raises(ConfigurationError):
        check_request(RunRequest(lookback_weeks=2_000), date(30, 1, 1))


# Archives ---------------------------------------------------------------------------------------------

ARCHIVED = {Partition(week, tier) for week in days("2014-07-11", "2025-12-05") for tier in (T1, OTC)}


def test_an_archive_is_taken_whole() -> None:
    both = days("2025-12-05", "2014-07-11")
    assert targets("2026-01-05", ARCHIVED) == {T1: both, OTC: both}
    assert targets("2026-01-05", ARCHIVED, tiers=[OTC, T2]) == {OTC: both}
    assert targets("2026-01-05", set()) == {}


def test_an_archive_is_looked_through_for_what_was_asked_for() -> None:
    assert targets("2026-01-05", ARCHIVED, lookback_weeks=1, tiers=[OTC]) == {OTC: days("2025-12-05")}
    assert targets("2026-01-05", ARCHIVED, weeks=days("2025-11-25"), tiers=[OTC]) == {OTC: days("2025-11-28")}


@pytest.mark.parametrize(
    ("request_", "whole"), [({}, True), ({"lookback_weeks": 6}, False), ({"weeks": days("2025-12-05")}, False)]
)
def test_who_names_weeks_or_a_window_does_not_take_it_whole(request_: dict[str, Any], whole: bool) -> None:
    assert takes_whole_archive(RunRequest(**request_)) is whole


def test_the_newest_week_comes_first_and_in_it_the_tiers_in_their_order() -> None:
    found = target_partitions(RunRequest(), date(2026, 1, 5), ARCHIVED)
    assert found == [Partition(week, tier) for week in days("2025-12-05", "2014-07-11") for tier in (T1, OTC)]
