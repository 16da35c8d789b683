"""What a work found: measures with their goals, and checks of its results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Literal

from attrs import Factory, define, field, frozen

Relation = Literal["at most", "at least"]


@frozen
class Goal:
    """A bound that is to be kept, itself included."""

    relation: Relation
    bound: float

    def reached(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value <= self.bound if self.relation == "at most" else value >= self.bound

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}"


def at_most(bound: float) -> Goal:
    """A goal from above."""
    return Goal("at most", bound)


def at_least(bound: float) -> Goal:
    """A goal from below."""
    return Goal("at least", bound)


def _tuple(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(values)


@frozen
class Measure:
    """Some values of one thing, a round each; a ratio unless `unit` says what else. beside: the absolute figures."""

    what: str
    values: tuple[float, ...] = field(converter=_tuple)
    goal: Goal | None = None
    beside: str = ""
    unit: str = ""

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps the goal; None where there is none."""
        return None if self.goal is None else self.goal.reached(self.median)


@define
class Checks:
    """Results compared with what they must be: how many were right, and what was wrong."""

    right: int = 0
    wrong: list[str] = Factory(list)

    def equal(self, what: str, found: object, expected: object) -> None:
        """Compare two values."""
        if found == expected:
            self.right += 1
        else:
            self.wrong.append(f"{what}: {_short(found)}, not {_short(expected)}")

    def close(self, what: str, found: float, expected: float) -> None:
        """Compare two fractions of 1 as far as doubles carry."""
        self.equal(what, round(found, 9), round(expected, 9))


@frozen
class Outcome:
    """A work's measures. skipped: why it, or a part of it, was not done."""

    work: str
    measures: Sequence[Measure]
    right: int
    wrong: Sequence[str]
    skipped: Sequence[str]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
