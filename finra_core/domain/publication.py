"""When FINRA publishes: the delays of Rules 6110(b) and 6610(b) and the holidays that move them.

A partition appears on the Monday 21 days (NMS Tier 1) or 35 days (NMS Tier 2, OTC) after its week's Monday, or on
the next business day if that Monday is a market holiday. FINRA's initialPublishedDate shows this for every such Monday
from 2023 to 2026.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.domain.weeks import calculate_target_weeks, week_ending_of

_DELAYS = {
    Tier.NMS_TIER_1: timedelta(days=21),
    Tier.NMS_TIER_2: timedelta(days=35),
    Tier.OTC: timedelta(days=35),
}
GRACE_DAYS = 3
"""For how many days after its publication day a partition that is absent is not late."""

_FIRST_JUNETEENTH = 2022
_MONDAY, _SUNDAY = 0, 6
_JANUARY, _FEBRUARY, _MAY, _SEPTEMBER = 1, 2, 5, 9
_NTH_MONDAY_HOLIDAYS = {_JANUARY: 3, _FEBRUARY: 3, _SEPTEMBER: 1}


def publication_date(partition: Partition) -> date:
    """The business day on which FINRA is due to publish this partition."""
    monday = partition.week_start + _DELAYS[partition.tier]
    return monday + timedelta(days=1) if is_monday_holiday(monday) else monday


def late_after(partition: Partition, grace_days: int | None = None) -> date:
    """The last day on which a partition that is absent is not late. grace_days: None means `GRACE_DAYS`."""
    return publication_date(partition) + timedelta(days=GRACE_DAYS if grace_days is None else grace_days)


def partition_published_on(day: date, tier: Tier) -> Partition | None:
    """The partition of this tier whose publication day is `day`; None where there is none."""
    candidate = Partition(week_ending_of(day - _DELAYS[tier]), tier)
    return candidate if publication_date(candidate) == day else None


def due_weeks(tier: Tier, lookback_weeks: int, on: date) -> list[date]:
    """The latest `lookback_weeks` week endings of this tier that are due on the day `on`, newest first."""
    try:
        reference = on - _DELAYS[tier] + timedelta(days=4)
    except OverflowError:
        raise ConfigurationError(f"the run date is {on}: FINRA had published nothing") from None
    newest = calculate_target_weeks(1, reference)[0]
    if publication_date(Partition(newest, tier)) > on:  # its Monday is a holiday, and `on` is that Monday
        reference -= timedelta(weeks=1)
    return calculate_target_weeks(lookback_weeks, reference)


def day_has_ended(day: date, at: datetime) -> bool:
    """Whether FINRA's day (US Eastern time) was over at the instant `at`.

    05:00 UTC is midnight Eastern in winter and one hour past it in summer: never too early.
    """
    return at >= datetime.combine(day + timedelta(days=1), time(5), timezone.utc)


def is_monday_holiday(monday: date) -> bool:
    """Whether US equity markets are closed on this Monday by the exchanges' regular calendar."""
    return _is_floating_holiday(monday) or any(
        # On a Sunday the holiday moves to the Monday after it, on a Saturday away from it.
        monday in (holiday, holiday + timedelta(days=1)) and holiday.weekday() in (_MONDAY, _SUNDAY)
        for holiday in _fixed_holidays(monday.year)
    )


def _fixed_holidays(year: int) -> list[date]:
    """New Year, Juneteenth, Independence Day, Christmas."""
    days = [date(year, 1, 1), date(year, 7, 4), date(year, 12, 25)]
    return [*days, date(year, 6, 19)] if year >= _FIRST_JUNETEENTH else days


def _is_floating_holiday(monday: date) -> bool:
    """Martin Luther King, Presidents', Memorial and Labor Day: always Mondays."""
    nth = (monday.day - 1) // 7 + 1
    if monday.month == _MAY:
        return (monday + timedelta(weeks=1)).month != _MAY
    return nth == _NTH_MONDAY_HOLIDAYS.get(monday.month)
