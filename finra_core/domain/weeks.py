"""Which week a date belongs to, and the look-back over week endings.

FINRA's week runs from Monday to Sunday. Here it is named by its Friday, the week ending. FINRA's weekStartDate is the
calendar Monday, also when that Monday is a market holiday.
"""

from __future__ import annotations

from datetime import date, timedelta

from finra_core.domain.clock import utc_today
from finra_core.domain.errors import ConfigurationError

FRIDAY = 4
DEFAULT_LOOKBACK = 6
"""How many weeks, among those due in all tiers, a run looks at. The sweep finds restatements of older weeks."""

_WEEK = timedelta(weeks=1)


def week_ending_of(day: date) -> date:
    """The Friday of the Monday-to-Sunday week that holds `day`."""
    return day + timedelta(days=FRIDAY - day.weekday())


def week_start_of(week_ending: date) -> date:
    """FINRA's weekStartDate: the Monday of the week that ends on this Friday."""
    return week_ending - timedelta(days=FRIDAY)


def week_is_over(week_ending: date, on: date) -> bool:
    """Whether the week's Sunday lies before `on`."""
    return on - week_ending > timedelta(days=2)


def calculate_target_weeks(lookback_weeks: int, reference_date: date | None = None) -> list[date]:
    """The Fridays of the look-back window, newest first.

    The newest is the last Friday on or before `reference_date` (default: today, UTC).

    Raises:
        ConfigurationError: `lookback_weeks` is less than 1 or reaches before the year 1.
    """
    if lookback_weeks < 1:
        raise ConfigurationError(f"lookback_weeks is {lookback_weeks}: look back at least 1 week")
    reference = utc_today() if reference_date is None else reference_date
    try:
        newest = reference - timedelta(days=(reference.weekday() - FRIDAY) % 7)
        return [newest - i * _WEEK for i in range(lookback_weeks)]
    except OverflowError:
        raise ConfigurationError(f"lookback_weeks is {lookback_weeks}: that is before the calendar begins") from None


def parse_weeks(text: str) -> tuple[date, ...]:
    """Read a comma-separated list of ISO dates; each names the week that holds it. Week endings, newest first.

    Raises:
        ConfigurationError: a date is malformed.
    """
    return tuple(sorted({_parse_week(item.strip()) for item in text.split(",")}, reverse=True))


def parse_date(text: str) -> date:
    """Read one ISO date.

    Raises:
        ConfigurationError: it is malformed.
    """
    try:
        day = date.fromisoformat(text)
        if day.isoformat() != text:  # newer Pythons read other ISO 8601 forms too
            raise ValueError
    except ValueError:
        raise ConfigurationError(f"malformed date {text!r}: give it as YYYY-MM-DD") from None
    return day


def _parse_week(text: str) -> date:
    try:
        return week_ending_of(parse_date(text))
    except (ConfigurationError, OverflowError):
        raise ConfigurationError(f"malformed week {text!r}: give dates as YYYY-MM-DD, separated by commas") from None
