"""Weeks: FINRA's run from Monday to Sunday and are named by their Friday."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.weeks import calculate_target_weeks, parse_weeks, week_ending_of, week_is_over, week_start_of

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(days=7)
A_FRIDAY = date(2026, 1, 2)
FIRST_MONDAY = date(2004, 12, 27)
EVERY_MONDAY = [FIRST_MONDAY + i * ONE_WEEK for i in range(30 * 53)]
EVERY_DAY = [FIRST_MONDAY + i * ONE_DAY for i in range(30 * 53 * 7)]


def test_monday_after_new_year_looks_back_to_friday_the_2nd() -> None:
    assert calculate_target_weeks(4, date(2026, 1, 5)) == [
        date(2026, 1, 2),
        date(2025, 12, 26),
        date(2025, 12, 19),
        date(2025, 12, 12),
    ]


def test_a_friday_is_its_own_newest_week() -> None:
    assert calculate_target_weeks(4, date(2026, 1, 2)) == [
        date(2026, 1, 2),
        date(2025, 12, 26),
        date(2025, 12, 19),
        date(2025, 12, 12),
    ]


def test_the_thursday_before_still_looks_back_to_the_friday_of_the_week_before() -> None:
    assert calculate_target_weeks(1, date(2026, 1, 1)) == [date(2025, 12, 26)]


def test_on_every_day_of_30_years_the_window_is_fridays_a_week_apart_newest_first() -> None:
    for day in EVERY_DAY:
        newest, *older = calculate_target_weeks(3, day)
        assert newest.isoweekday() == 5
        assert newest <= day < newest + ONE_WEEK
        assert older == [newest - ONE_WEEK, newest - 2 * ONE_WEEK]


@given(st.integers(1, 600), st.dates(date(2000, 1, 1)))
def test_a_longer_window_only_appends_older_weeks(n: int, day: date) -> None:
    longer = calculate_target_weeks(n + 1, day)
    assert len(longer) == n + 1
    assert longer[:n] == calculate_target_weeks(n, day)


@pytest.mark.parametrize("lookback", [0, -1, -600])
def test_a_window_of_no_weeks_is_a_configuration_error(lookback: int) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        calculate_target_weeks(lookback, A_FRIDAY)


@pytest.mark.parametrize("lookback", [105_800, 10**12, 10**30])
def test_a_window_that_reaches_before_the_calendar_is_a_configuration_error(lookback: int) -> None:
    with pytest.raises(ConfigurationError, match="calendar"):
        calculate_target_weeks(lookback, A_FRIDAY)


def test_a_reference_date_before_the_first_friday_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError):
        calculate_target_weeks(1, date(1, 1, 4))


def test_the_default_reference_is_today_in_utc() -> None:
    before = datetime.now(timezone.utc).date()
    weeks = calculate_target_weeks(2)
    after = datetime.now(timezone.utc).date()
    assert weeks in (calculate_target_weeks(2, before), calculate_target_weeks(2, after))


def test_monday_to_sunday_share_one_friday_and_one_monday() -> None:
    for monday in EVERY_MONDAY:
        fridays = {week_ending_of(monday + i * ONE_DAY) for i in range(7)}
        assert fridays == {monday + 4 * ONE_DAY}
        assert week_start_of(monday + 4 * ONE_DAY) == monday


def test_a_week_is_over_from_the_monday_after_it() -> None:
    for monday in EVERY_MONDAY:
        friday = monday + 4 * ONE_DAY
        assert not any(week_is_over(friday, monday + i * ONE_DAY) for i in range(-7, 7))
        assert all(week_is_over(friday, monday + i * ONE_DAY) for i in range(7, 15))


def test_the_last_week_of_the_calendar_is_not_over() -> None:
    (week_ending,) = parse_weeks("9999-12-31")
    assert not week_is_over(week_ending, A_FRIDAY)


def test_the_documents_mondays_name_the_weeks_that_end_on_the_fridays_after() -> None:
    assert parse_weeks("2025-12-15,2025-12-22") == (date(2025, 12, 26), date(2025, 12, 19))


def test_any_day_of_a_week_names_it() -> None:
    for monday in EVERY_MONDAY:
        texts = [(monday + i * ONE_DAY).isoformat() for i in range(7)]
        assert {parse_weeks(text) for text in texts} == {(monday + 4 * ONE_DAY,)}


@given(st.lists(st.dates(date(1970, 1, 1), date(2100, 1, 1)), min_size=1, max_size=9))
def test_weeks_come_without_repeats_newest_first_in_whatever_order_they_are_given(days: list[date]) -> None:
    weeks = parse_weeks(",".join(map(str, days)))
    assert all(newer > older for newer, older in pairwise(weeks))
    assert set(weeks) == {day - timedelta(days=day.isoweekday() - 5) for day in days}


def test_spaces_around_a_comma_are_no_mistake() -> None:
    assert parse_weeks(" 2025-12-15 , 2025-12-22 ") == (date(2025, 12, 26), date(2025, 12, 19))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "2025-12-15,",
        ",2025-12-15",
        "2025-12-15,,2025-12-22",
        "2025-12-15 2025-12-22",
        "2025-12-15;2025-12-22",
        "20251215",
        "2025-1215",
        "2025-12-5",
        "25-12-15",
        "2025-13-01",
        "2025-00-10",
        "2025-02-29",
        "2025-11-31",
        "0000-01-01",
        "10000-01-01",
        "-025-12-15",
        "2025/12/15",
        "15-12-2025",
        "2025-12- 5",
        "2025- 2-15",
        "2025 12 15",
        "2025-12-15T",
        "2025-12-15T00:00:00",
        "2025-12-15\x00",
        "２０２５-12-15",
        "2025-12-1٥",
        "2025‐12‐15",  # U+2010, as word processors write it
        "2025-W51",
        "yesterday",
    ],
)
def test_a_malformed_week_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="malformed week"):
        parse_weeks(text)


def test_an_iso_week_date_is_malformed_on_every_python() -> None:
    with pytest.raises(ConfigurationError):
        parse_weeks("2025-W51-1")


@given(st.text(alphabet=st.one_of(st.sampled_from("0123456789-,"), st.characters()), max_size=14))
def test_no_text_whatever_raises_anything_else(text: str) -> None:
    try:
        weeks = parse_weeks(text)
    except ConfigurationError:
        return
    assert all(week.isoweekday() == 5 for week in weeks)


def test_the_error_names_the_one_date_that_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match="2025-13-01") as caught:
        parse_weeks("2025-12-15,2025-13-01")
    assert "2025-12-15" not in str(caught.value)
