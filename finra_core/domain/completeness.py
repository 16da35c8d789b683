"""Whether a capture holds as much as it should: no half is lost, and no measure has shrunk beyond its bound.

A capture is compared with the partition's last complete capture before it, and with the tier's recent weeks. What it
lacks is a finding that blocks the week's readiness until a later capture passes or a person acknowledges it.
docs/coverage.md has the rates of false alarms by which the bounds were chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from typing import Any

from attrs import Attribute, field, frozen

from finra_core.domain.captures import Capture
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import Half


class Measure(str, Enum):
    """What of a half is counted."""

    ROWS = "rows"
    VENUES = "venues"
    SYMBOLS = "symbols"
    SHARES = "shares"

    def of(self, half: HalfCoverage) -> int:
        """The count; shares in millionths."""
        return int(getattr(half, "shares_micros" if self is Measure.SHARES else self.value))

    def __str__(self) -> str:
        return self.value


_PREVIOUS = {Measure.ROWS: 0.95, Measure.VENUES: 0.9, Measure.SYMBOLS: 0.95, Measure.SHARES: 0.5}
_RECENT = {Measure.ROWS: 0.5, Measure.VENUES: 0.7, Measure.SYMBOLS: 0.6, Measure.SHARES: 0.2}
_SLACK = {Measure.ROWS: 20, Measure.VENUES: 2, Measure.SYMBOLS: 10, Measure.SHARES: 0}


def _at_least(least: int) -> Callable[[object, Attribute[Any], Any], None]:
    def check(_instance: object, attribute: Attribute[Any], value: int) -> None:
        if value < least:
            raise ConfigurationError(f"coverage bound {attribute.name} is {value}: give {least} or more")

    return check


def _none_negative(_instance: object, _attribute: object, value: Mapping[Measure, int]) -> None:
    for measure, slack in value.items():
        if slack < 0:
            raise ConfigurationError(f"coverage slack of {measure} is {slack}: give 0 or more")


def _within_one(_instance: object, attribute: object, value: Mapping[Measure, float]) -> None:
    for measure, least in value.items():
        if not 0 <= least <= 1:
            raise ConfigurationError(f"coverage bound of {measure} is {least}: give a fraction from 0 to 1")


@frozen(kw_only=True)
class CoverageBounds:
    """The least fraction of a reference that a capture must hold, by measure.

    previous: of the partition's last complete capture. recent: of the median over the tier's recent weeks.
    slack: how many rows, venues or symbols may be missing, whatever the fraction. Of a partition with few rows one
    withdrawn row is a large fraction. recent_weeks: how many calendar weeks before this one are looked at.
    fewest_weeks: with fewer of them there is no comparison with recent weeks.
    """

    previous: Mapping[Measure, float] = field(factory=lambda: dict(_PREVIOUS), validator=_within_one)
    recent: Mapping[Measure, float] = field(factory=lambda: dict(_RECENT), validator=_within_one)
    slack: Mapping[Measure, int] = field(factory=lambda: dict(_SLACK), validator=_none_negative)
    recent_weeks: int = field(default=8, validator=_at_least(0))
    fewest_weeks: int = field(default=4, validator=_at_least(1))


DEFAULT_BOUNDS = CoverageBounds()


@frozen
class Shortfall:
    """A measure of one half that is below its bound. reference: what it was compared with; None means recent weeks."""

    half: Half
    measure: Measure
    found: int
    expected: int
    reference: Capture | None

    @property
    def lost_half(self) -> bool:
        """Whether nothing of the half is left."""
        return self.measure is Measure.ROWS and not self.found


def shortfalls(
    captures: Sequence[Capture],
    recent: Sequence[Capture],
    bounds: CoverageBounds = DEFAULT_BOUNDS,
    accepted: Collection[int] = (),
) -> tuple[Shortfall, ...]:
    """What the newest normalized capture of a partition lacks; nothing where it has none.

    captures: the partition's captures, oldest first. recent: the newest normalized capture of each of the tier's
    weeks before, newest week first. accepted: numbers of captures that a person acknowledged as they are.
    """
    normalized = [capture for capture in captures if capture.is_normalized]
    if not normalized or normalized[-1].number in accepted:
        return ()
    newest = normalized[-1]
    reference = _last_complete(normalized[:-1], bounds, accepted)
    lost = _against(newest, reference, bounds) if reference else ()
    if reference is not None and reference.number in accepted:
        return lost  # a person knows that this week is not as others are
    return lost or _against_recent(newest, recent, bounds)


def _last_complete(normalized: Sequence[Capture], bounds: CoverageBounds, accepted: Collection[int]) -> Capture | None:
    """A capture that shrank is no reference for the next one, which would otherwise pass for being as small."""
    reference: Capture | None = None
    for capture in normalized:
        if reference is None or capture.number in accepted or not _against(capture, reference, bounds):
            reference = capture
    return reference


def _against(capture: Capture, reference: Capture, bounds: CoverageBounds) -> tuple[Shortfall, ...]:
    before = {half.half: half for half in reference.coverage}
    return tuple(
        Shortfall(own.half, measure, measure.of(own), measure.of(before[own.half]), reference)
        for own in capture.coverage
        if own.half in before
        for measure in Measure
        if _is_short(measure, own, measure.of(before[own.half]), bounds.previous, bounds)
    )


def _against_recent(capture: Capture, recent: Sequence[Capture], bounds: CoverageBounds) -> tuple[Shortfall, ...]:
    lost = []
    for own in capture.coverage:
        if not own.rows:
            continue  # not published yet, which readiness says; a half that was there before is found lost above
        others = [half for week in recent for half in week.coverage if half.half is own.half and half.rows]
        if len(others) >= bounds.fewest_weeks:
            for measure in Measure:
                counts = [measure.of(half) for half in others]
                if measure.of(own) >= bounds.recent.get(measure, 0.0) * max(counts):
                    continue  # a median is no more than that, and costs more to know
                from statistics import median  # noqa: PLC0415  it is rarely needed, and slow to import

                usual = int(median(counts))
                if _is_short(measure, own, usual, bounds.recent, bounds):
                    lost.append(Shortfall(own.half, measure, measure.of(own), usual, None))
    return tuple(lost)


def _is_short(
    measure: Measure, own: HalfCoverage, expected: int, least: Mapping[Measure, float], bounds: CoverageBounds
) -> bool:
    found = measure.of(own)
    if not own.rows:  # a lost half is short of everything; its rows say so
        return measure is Measure.ROWS and expected > 0
    missing = expected - found
    if measure is Measure.SHARES and own.rows <= bounds.slack.get(Measure.ROWS, 0):
        return False
    return missing > bounds.slack.get(measure, 0) and found < least.get(measure, 0.0) * expected


def recent_captures(newest: Mapping[date, Capture], week_ending: date, bounds: CoverageBounds) -> list[Capture]:
    """One tier's newest normalized captures of the weeks just before this one, newest week first. newest: by week."""
    weeks = [week_ending - back * timedelta(weeks=1) for back in range(1, bounds.recent_weeks + 1)]
    return [newest[week] for week in weeks if week in newest]
