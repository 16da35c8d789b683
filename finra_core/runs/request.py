"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar

from attrs import Attribute, field, frozen

from finra_core.domain.completeness import DEFAULT_BOUNDS, CoverageBounds
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import week_ending_of

MAX_LOOKBACK = 2_000
"""Weeks. FINRA has published this data since 2014. A far greater number is a slip of the finger."""

_LAST_YEAR = 9998
"""The publication days in the weeks after a run date must be dates too."""

E = TypeVar("E", bound=Enum)


class Mode(str, Enum):
    """Whether to do it, or only to say what would be done."""

    RUN = "run"
    DRY_RUN = "dry-run"


class Order(str, Enum):
    """All partitions stage by stage, or week by week through all stages."""

    PHASED = "phased"
    CHAINED = "chained"


class Window(str, Enum):
    """What the look-back counts: the weeks that FINRA was due to publish in all tiers, or calendar weeks."""

    DUE = "due"
    CALENDAR = "calendar"


def _items(name: str, value: object, of: str) -> list[Any]:
    """A text is a collection of letters to Python, and never what was meant."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{name}: {value!r} is no list: give a list of {of}")
    return list(value)


def _week_endings(days: Iterable[date]) -> tuple[date, ...]:
    given = _items("weeks", days, "days")
    for day in given:
        _check_date("weeks", day)
    try:
        return tuple(sorted({week_ending_of(day) for day in given}, reverse=True))
    except OverflowError:
        raise ConfigurationError(f"weeks: {max(given)} has no week ending: give an earlier date") from None


def _check_date(name: str, value: object) -> None:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ConfigurationError(f"{name}: {value!r} is no datetime.date: give a calendar day")


def _in_tier_order(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    asked = _items("tiers", tiers, "tiers")
    unknown = [tier for tier in asked if tier not in TIERS]
    if unknown:
        raise ConfigurationError(f"tiers: {unknown[0]!r} is no tier: the tiers are {', '.join(Tier.__members__)}")
    return tuple(tier for tier in TIERS if tier in asked)


def _member(kind: type[E], value: object) -> E:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(member.value for member in kind)
        raise ConfigurationError(f"{kind.__name__.lower()}: {value!r} is unknown: give one of {known}") from None


def _policies(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    return tuple(_items("policies", policies, "readiness policies"))


def _is_a(kind: type | tuple[type, ...], wanted: str) -> Callable[[object, Attribute[Any], object], None]:
    def check(_instance: object, attribute: Attribute[Any], value: object) -> None:
        # To Python True is a number.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ConfigurationError(f"{attribute.name}: {value!r} is no {wanted}")

    return check


_a_flag = _is_a(bool, "bool: give True or False")
_a_number = _is_a(int, "whole number")
_a_number_or_none = _is_a((int, type(None)), "whole number")
_a_text_or_none = _is_a((str, type(None)), "text")


def _mode(value: object) -> Mode:
    return _member(Mode, value)


def _order(value: object) -> Order:
    return _member(Order, value)


def _window(value: object) -> Window:
    return _member(Window, value)


@frozen(kw_only=True)
class RunRequest:
    """One run's parameters; the defaults are a scheduled run's.

    lookback_weeks: None means 6 on a feed, and all there is in an archive. weeks: any dates, each for the week that
    holds it; they override lookback_weeks. run_date: the date in capture_ids, and the day as of which weeks are due;
    None means today, UTC. workers: how many partitions are fetched at once. sweep: whether a run over a feed's window
    also looks for restatements of older weeks. grace_days: by tier, for how many days after its publication day an
    absent partition is not late; 3 where a tier is not named. policies: the uses that weeks are judged for; the report
    and the log show the first. bounds: how much a capture may lack.

    Raises:
        ConfigurationError: a value is of another type or out of its range; the message begins with its name.
    """

    lookback_weeks: int | None = field(default=None, validator=_a_number_or_none)
    weeks: tuple[date, ...] = field(default=(), converter=_week_endings)
    tiers: tuple[Tier, ...] = field(default=TIERS, converter=_in_tier_order)
    mode: Mode = field(default=Mode.RUN, converter=_mode)
    force: bool = field(default=False, validator=_a_flag)
    reason: str | None = field(default=None, validator=_a_text_or_none)
    verify: bool = field(default=False, validator=_a_flag)
    order: Order = field(default=Order.PHASED, converter=_order)
    window: Window = field(default=Window.DUE, converter=_window)
    run_date: date | None = field(default=None)
    sweep: bool = field(default=True, validator=_a_flag)
    grace_days: Mapping[Tier, int] = field(factory=dict, validator=_is_a(Mapping, "mapping of tiers to days"))
    policies: tuple[Policy, ...] = field(default=BUILT_IN, converter=_policies)
    bounds: CoverageBounds = field(default=DEFAULT_BOUNDS, validator=_is_a(CoverageBounds, "CoverageBounds"))
    workers: int = field(default=4, validator=_a_number)

    @lookback_weeks.validator
    def _at_least_one_week(self, _attribute: Attribute[int | None], value: int | None) -> None:
        if value is not None and value < 1:
            raise ConfigurationError(f"lookback_weeks is {value}: look back at least 1 week")
        if value is not None and value > MAX_LOOKBACK:
            raise ConfigurationError(f"lookback_weeks is {value}: {MAX_LOOKBACK:,} is more than FINRA ever published")

    @tiers.validator
    def _at_least_one_tier(self, _attribute: Attribute[tuple[Tier, ...]], value: tuple[Tier, ...]) -> None:
        if not value:
            raise ConfigurationError("tiers: none is asked for: give at least one")

    @run_date.validator
    def _a_calendar_day(self, _attribute: Attribute[date | None], value: date | None) -> None:
        if value is not None:
            _check_date("run_date", value)
            if value.year > _LAST_YEAR:
                raise ConfigurationError(f"run_date: {value} is too far ahead: give a day before the year 9999")

    @grace_days.validator
    def _no_negative_days(self, _attribute: Attribute[Mapping[Tier, int]], value: Mapping[Tier, int]) -> None:
        for tier, days in value.items():
            if tier not in TIERS:
                known = ", ".join(Tier.__members__)
                raise ConfigurationError(f"grace_days: {tier!r} is no tier: the tiers are {known}")
            if not isinstance(days, int) or isinstance(days, bool):
                raise ConfigurationError(f"grace_days of {tier}: {days!r} is no whole number")
            if days < 0:
                raise ConfigurationError(f"grace_days of {tier} is {days}: give 0 or more days")

    @policies.validator
    def _at_least_one_policy(self, _attribute: Attribute[tuple[Policy, ...]], value: tuple[Policy, ...]) -> None:
        strangers = [policy for policy in value if not isinstance(policy, Policy)]
        if strangers:
            raise ConfigurationError(f"policies: {strangers[0]!r} is no Policy")
        names = [policy.name for policy in value]
        if not names:
            raise ConfigurationError("policies: none is given: give at least one")
        if len(set(names)) < len(names):
            raise ConfigurationError("policies: two have one name: rename one")

    @workers.validator
    def _at_least_one_worker(self, _attribute: Attribute[int], value: int) -> None:
        if value < 1:
            raise ConfigurationError(f"workers is {value}: at least 1 is needed")

    @property
    def forced(self) -> str | None:
        """The reason of a forced restatement, None where none is forced."""
        return (self.reason or "restatement") if self.force else None
