"""Which version of the past is meant: an instant, a day, or a release, as in ALFRED's vintages."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

from attrs import field, frozen

from finra_core.domain.captures import RESOLUTION
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.publication import day_has_ended
from finra_core.domain.timestamps import parse_utc_text
from finra_core.domain.weeks import parse_date

FIRST, LATEST, RELEASE = "first", "latest", "release:"
_WORDS = "give 2025-12-30, 2025-12-30T10:30:00Z, first, latest or release:2"


@frozen
class Instant:
    """What was known at an instant. finra_day: the last of FINRA's days that is meant.

    A date means all of that day: of the UTC day for what was known, of the US Eastern day for what FINRA dates. Of an
    instant, it is the last US Eastern day that was over.
    """

    at: datetime
    finra_day: date

    @classmethod
    def of(cls, at: datetime) -> Instant:
        """This very instant."""
        return cls(at, last_finra_day(at))

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%SZ}"


@frozen
class Release:
    """The n-th release of each partition: 1 is the first, -1 the latest, -2 the one before it."""

    number: int = field()

    @number.validator
    def _is_one(self, _attribute: object, value: int) -> None:
        if not value:
            raise ConfigurationError("release 0: the first release is 1, the latest -1")

    def __str__(self) -> str:
        return {1: FIRST, -1: LATEST}.get(self.number, f"{RELEASE}{self.number}")


When = Instant | Release


def parse_when(text: str) -> When:
    """Read what a version is named by: a date, an instant with its offset from UTC, `first`, `latest` or `release:N`.

    Raises:
        ConfigurationError: the text is none of these.
    """
    if text in (FIRST, LATEST):
        return Release(1 if text == FIRST else -1)
    if text.startswith(RELEASE):
        return Release(_number(text))
    try:
        day = parse_date(text)
    except ConfigurationError:
        return _instant(text)
    return Instant(end_of_day(day), day)


def end_of_day(day: date) -> datetime:
    """The last instant of this UTC day: as of a day means as of its end.

    Raises:
        ConfigurationError: it is the calendar's last day.
    """
    try:
        return datetime.combine(day + timedelta(days=1), time(), timezone.utc) - RESOLUTION
    except OverflowError:
        raise ConfigurationError(f"{day} is the calendar's last day: give an earlier one") from None


def last_finra_day(at: datetime) -> date:
    """The last US Eastern day that was over at this instant."""
    day = at.astimezone(timezone.utc).date()
    while not day_has_ended(day, at):
        day -= timedelta(days=1)
    return day


def _number(text: str) -> int:
    try:
        return int(text.removeprefix(RELEASE))
    except ValueError:
        raise ConfigurationError(f"malformed release {text!r}: {_WORDS}") from None


def _instant(text: str) -> Instant:
    try:
        at = parse_utc_text(text) if text.endswith("Z") else datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
        return Instant.of(at.astimezone(timezone.utc))
    except (ValueError, OverflowError):
        raise ConfigurationError(f"malformed instant {text!r}: {_WORDS}") from None
