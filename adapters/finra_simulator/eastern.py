"""US Eastern days, by the rule in force since 2007, so that no time zone database is needed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

_MARCH, _NOVEMBER, _SUNDAY = 3, 11, 6
_STANDARD, _DAYLIGHT = timedelta(hours=-5), timedelta(hours=-4)


def eastern_day(at: datetime) -> date:
    """The date in New York at this instant."""
    utc = at.astimezone(timezone.utc)
    return (utc + (_DAYLIGHT if _is_daylight_time(utc) else _STANDARD)).date()


def _is_daylight_time(utc: datetime) -> bool:
    """From 02:00 standard time on March's second Sunday to 02:00 daylight time on November's first."""
    begin = datetime.combine(_first_sunday(utc.year, _MARCH) + timedelta(weeks=1), time(7), timezone.utc)
    end = datetime.combine(_first_sunday(utc.year, _NOVEMBER), time(6), timezone.utc)
    return begin <= utc < end


def _first_sunday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=_SUNDAY - first.weekday())
