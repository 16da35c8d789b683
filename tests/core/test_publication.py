"""When FINRA publishes, by its own initialPublishedDate, the exchanges' calendar and Rules 6110(b) and 6610(b)."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import (
    day_has_ended,
    due_weeks,
    is_monday_holiday,
    late_after,
    partition_published_on,
    publication_date,
)
from finra_core.domain.tiers import Tier
from finra_core.domain.weeks import calculate_target_weeks

SHARED_DATA = Path(os.environ.get("FINRA_SHARED_DATA", Path(__file__).resolve().parents[2] / "../shared/data"))
ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(days=7)

# The NYSE's published calendars. 1 January 2022 and 2028 are Saturdays, and then no Monday is off.
NYSE_MONDAY_HOLIDAYS = {
    date(2022, 1, 17), date(2022, 2, 21), date(2022, 5, 30), date(2022, 6, 20), date(2022, 7, 4), date(2022, 9, 5),
    date(2022, 12, 26),
    date(2023, 1, 2), date(2023, 1, 16), date(2023, 2, 20), date(2023, 5, 29), date(2023, 6, 19), date(2023, 9, 4),
    date(2023, 12, 25),
    date(2024, 1, 1), date(2024, 1, 15), date(2024, 2, 19), date(2024, 5, 27), date(2024, 9, 2),
    date(2025, 1, 20), date(2025, 2, 17), date(2025, 5, 26), date(2025, 9, 1),
    date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25), date(2026, 9, 7),
    date(2027, 1, 18), date(2027, 2, 15), date(2027, 5, 31), date(2027, 7, 5), date(2027, 9, 6),
}  # fmt: skip
FIRST_MONDAY = date(2022, 1, 3)
MONDAYS_2022_TO_2027 = [FIRST_MONDAY + i * ONE_WEEK for i in range(313)]

TEN_YEARS = [date(2019, 1, 1) + i * ONE_DAY for i in range(3653)]
TEN_YEARS_OF_WEEKS = [date(2019, 1, 4) + i * ONE_WEEK for i in range(522)]

each_tier = pytest.mark.parametrize("tier", Tier)


def week_of(monday: date, tier: Tier) -> Partition:
    return Partition(monday + 4 * ONE_DAY, tier)


@pytest.mark.parametrize(
    ("week_start", "tier", "published"),
    [
        # The first week under today's rules (Regulatory Notice 19-29).
        (date(2019, 11, 11), Tier.NMS_TIER_1, date(2019, 12, 2)),
        (date(2019, 10, 28), Tier.NMS_TIER_2, date(2019, 12, 2)),
        (date(2019, 10, 28), Tier.OTC, date(2019, 12, 2)),
        # initialPublishedDate of ordinary weeks.
        (date(2022, 6, 27), Tier.NMS_TIER_1, date(2022, 7, 18)),
        (date(2023, 11, 6), Tier.NMS_TIER_1, date(2023, 11, 27)),
        (date(2025, 5, 12), Tier.NMS_TIER_1, date(2025, 6, 2)),
        (date(2026, 6, 8), Tier.NMS_TIER_1, date(2026, 6, 29)),
        (date(2025, 11, 10), Tier.OTC, date(2025, 12, 15)),
        (date(2025, 11, 17), Tier.OTC, date(2025, 12, 22)),
        (date(2025, 11, 24), Tier.OTC, date(2025, 12, 29)),
        # The newest weeks that one observer saw on 2026-09-28.
        (date(2026, 9, 7), Tier.NMS_TIER_1, date(2026, 9, 28)),
        (date(2026, 8, 24), Tier.NMS_TIER_2, date(2026, 9, 28)),
        # The Tuesdays after holidays.
        (date(2023, 5, 8), Tier.NMS_TIER_1, date(2023, 5, 30)),
        (date(2023, 5, 29), Tier.NMS_TIER_1, date(2023, 6, 20)),
        (date(2023, 8, 14), Tier.NMS_TIER_1, date(2023, 9, 5)),
        (date(2023, 12, 11), Tier.NMS_TIER_1, date(2024, 1, 2)),
        (date(2025, 1, 27), Tier.NMS_TIER_1, date(2025, 2, 18)),
        (date(2025, 5, 5), Tier.NMS_TIER_1, date(2025, 5, 27)),
        (date(2025, 12, 29), Tier.NMS_TIER_1, date(2026, 1, 20)),
        (date(2026, 5, 4), Tier.NMS_TIER_1, date(2026, 5, 26)),
        (date(2026, 8, 17), Tier.NMS_TIER_1, date(2026, 9, 8)),
        # Columbus Day is a bank holiday on which the exchanges trade and FINRA publishes.
        (date(2025, 9, 22), Tier.NMS_TIER_1, date(2025, 10, 13)),
    ],
)
def test_partitions_are_due_on_the_day_finra_did_publish_them(week_start: date, tier: Tier, published: date) -> None:
    assert publication_date(week_of(week_start, tier)) == published


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the real FINRA rows are not on this machine")
def test_real_rows_carry_the_publication_date_of_their_week_as_initial_published_date() -> None:
    rows = json.loads((SHARED_DATA / "weeklySummary_ATS_W_SMBL_T1_excerpt.json").read_text("utf-8"))
    assert rows
    for row in rows:
        partition = week_of(date.fromisoformat(row["weekStartDate"]), Tier.NMS_TIER_1)
        assert publication_date(partition) == date.fromisoformat(row["initialPublishedDate"]), partition


@pytest.mark.parametrize(
    ("tier", "days", "weeks_by_rule"), [(Tier.NMS_TIER_1, 21, 2), (Tier.NMS_TIER_2, 35, 4), (Tier.OTC, 35, 4)]
)
def test_a_week_is_published_a_fixed_delay_after_its_monday_or_a_day_later(
    tier: Tier, days: int, weeks_by_rule: int
) -> None:
    for monday in MONDAYS_2022_TO_2027[:300]:
        published = publication_date(week_of(monday, tier))
        regular = monday + timedelta(days=days)
        assert published == (regular + ONE_DAY if regular in NYSE_MONDAY_HOLIDAYS else regular)
        sunday = monday + 6 * ONE_DAY
        assert published > sunday + weeks_by_rule * ONE_WEEK


def test_monday_holidays_are_those_of_the_exchanges_calendar() -> None:
    assert {monday for monday in MONDAYS_2022_TO_2027 if is_monday_holiday(monday)} == NYSE_MONDAY_HOLIDAYS


@pytest.mark.parametrize("monday", [date(2016, 6, 20), date(2017, 6, 19)])
def test_juneteenth_was_a_trading_day_before_2022(monday: date) -> None:
    assert not is_monday_holiday(monday)


@pytest.mark.parametrize("monday", [date(2022, 1, 3), date(2028, 1, 3), date(2021, 12, 27), date(2027, 12, 27)])
def test_a_holiday_on_a_saturday_leaves_the_monday_after_it_open(monday: date) -> None:
    assert not is_monday_holiday(monday)


@each_tier
def test_a_partition_is_never_late_on_its_publication_day(tier: Tier) -> None:
    for week_ending in TEN_YEARS_OF_WEEKS:
        partition = Partition(week_ending, tier)
        grace = late_after(partition) - publication_date(partition)
        assert ONE_DAY <= grace < ONE_WEEK


@each_tier
def test_exactly_the_publication_day_leads_back_to_the_partition(tier: Tier) -> None:
    published = {publication_date(Partition(week, tier)): Partition(week, tier) for week in TEN_YEARS_OF_WEEKS}
    assert len(published) == len(TEN_YEARS_OF_WEEKS)
    day = min(published)
    while day <= max(published):
        assert partition_published_on(day, tier) == published.get(day), day
        day += ONE_DAY


@each_tier
def test_due_weeks_are_all_published_and_the_week_after_them_is_not(tier: Tier) -> None:
    for day in TEN_YEARS:
        weeks = due_weeks(tier, 6, day)
        assert weeks == [weeks[0] - i * ONE_WEEK for i in range(6)]
        assert all(publication_date(Partition(week, tier)) <= day for week in weeks)
        assert publication_date(Partition(weeks[0] + ONE_WEEK, tier)) > day


@given(st.sampled_from(Tier), st.integers(1, 300), st.dates(date(2010, 1, 1), date(2040, 1, 1)))
def test_there_are_as_many_due_weeks_as_asked_for(tier: Tier, n: int, day: date) -> None:
    weeks = due_weeks(tier, n, day)
    assert len(weeks) == n
    assert weeks == due_weeks(tier, n + 1, day)[:n]


def test_on_a_monday_the_literal_window_of_six_weeks_holds_8_published_partitions_of_18() -> None:
    monday = date(2026, 1, 5)
    published = {tier: set(due_weeks(tier, 6, monday)) for tier in Tier}
    held = {tier: len(published[tier].intersection(calculate_target_weeks(6, monday))) for tier in Tier}
    assert held == {Tier.NMS_TIER_1: 4, Tier.NMS_TIER_2: 2, Tier.OTC: 2}


def test_on_a_holiday_monday_nothing_new_is_due_and_on_the_tuesday_it_is() -> None:
    labor_day = date(2026, 9, 7)
    assert due_weeks(Tier.NMS_TIER_1, 1, labor_day) == [date(2026, 8, 14)]
    assert due_weeks(Tier.NMS_TIER_1, 1, labor_day + ONE_DAY) == [date(2026, 8, 21)]
    assert due_weeks(Tier.OTC, 1, labor_day) == [date(2026, 7, 31)]
    assert due_weeks(Tier.OTC, 1, labor_day + ONE_DAY) == [date(2026, 8, 7)]


@each_tier
@pytest.mark.parametrize("lookback", [0, -3, 10**9])
def test_an_impossible_number_of_due_weeks_is_a_configuration_error(tier: Tier, lookback: int) -> None:
    with pytest.raises(ConfigurationError):
        due_weeks(tier, lookback, date(2026, 1, 5))


@each_tier
def test_no_weeks_due_before_the_calendar_begins_is_a_configuration_error(tier: Tier) -> None:
    with pytest.raises(ConfigurationError):
        due_weeks(tier, 1, date(1, 1, 15))


def eastern_midnight_after(day: date) -> datetime:
    try:
        eastern = ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        pytest.skip("no time zone data on this machine")
    return datetime.combine(day + ONE_DAY, time(), eastern).astimezone(timezone.utc)


def test_finras_day_never_ends_before_midnight_eastern_and_at_most_an_hour_after() -> None:
    for day in TEN_YEARS:
        midnight = eastern_midnight_after(day)
        assert not day_has_ended(day, midnight - timedelta(microseconds=1)), day
        assert day_has_ended(day, midnight + timedelta(hours=1)), day


@given(st.dates(date(2010, 1, 1), date(2040, 1, 1)), st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_day_that_has_ended_stays_ended(day: date, later: timedelta) -> None:
    ended = datetime.combine(day + ONE_DAY, time(5), timezone.utc)
    assert day_has_ended(day, ended + later)
    assert not day_has_ended(day, ended - later - timedelta(microseconds=1))


def test_the_end_of_the_day_is_an_instant_whatever_the_zone_it_is_told_in() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert not day_has_ended(date(2026, 1, 5), datetime(2026, 1, 6, 13, 59, tzinfo=tokyo))
    assert day_has_ended(date(2026, 1, 5), datetime(2026, 1, 6, 14, 0, tzinfo=tokyo))
