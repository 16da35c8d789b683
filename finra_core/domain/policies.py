"""What a week must have to be ready for a use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from attrs import Attribute, field, frozen

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import TIERS, Half, Tier


class Criterion(str, Enum):
    """One condition of readiness."""

    ALL_PARTITIONS_PRESENT = "all_partitions_present"
    ALL_STAGES_COMPLETE = "all_stages_complete"
    NO_CRITICAL_ANOMALIES = "no_critical_anomalies"
    NO_REJECTED_ROWS = "no_rejected_rows"
    NO_PARTIAL_COVERAGE = "no_partial_coverage"
    NO_OPEN_ERRORS = "no_open_errors"

    def __str__(self) -> str:
        return self.value


FOR_TRADING = frozenset(Criterion) - {Criterion.NO_OPEN_ERRORS}


def _each_is(kind: type[Enum]) -> Callable[[Policy, Attribute[Any], Any], None]:
    def check(policy: Policy, attribute: Attribute[Any], value: Any) -> None:
        is_list = isinstance(value, Iterable) and not isinstance(value, str)
        if not is_list or not all(isinstance(each, kind) for each in value):
            wrong = f"{attribute.name}: {value!r} is no list of {kind.__name__}"
            raise ConfigurationError(f"readiness policy {policy.name}: {wrong}")

    return check


@frozen(kw_only=True)
class Policy:
    """A use, and what it needs: which tiers, which halves of them, which criteria.

    A week is ready for the use when every criterion holds for these tiers and halves. A policy with all three tiers
    needs the analytics across tiers too.
    """

    name: str = field()
    tiers: tuple[Tier, ...] = field(default=TIERS, validator=_each_is(Tier))
    halves: tuple[Half, ...] = field(default=tuple(Half), validator=_each_is(Half))
    criteria: frozenset[Criterion] = field(default=FOR_TRADING, validator=_each_is(Criterion))

    @name.validator
    def _is_named(self, _attribute: Attribute[str], value: str) -> None:
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError("a readiness policy has no name: give it one")

    @tiers.validator
    def _has_tiers(self, _attribute: Attribute[tuple[Tier, ...]], value: tuple[Tier, ...]) -> None:
        if not value:
            raise ConfigurationError(f"readiness policy {self.name}: it names no tier: give at least one")


TRADING = Policy(name="trading")
"""All tiers with both halves, whole and analyzed; nothing rejected, nothing critical."""

COMPLIANCE = Policy(name="compliance", criteria=frozenset(Criterion))
"""As for trading, and no open ERROR of the week."""

BUILT_IN = (TRADING, COMPLIANCE)


def with_built_in(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """The built-in policies, then these; one of these replaces a built-in one of its name."""
    own = tuple(policies)
    names = {policy.name for policy in own}
    return (*(policy for policy in BUILT_IN if policy.name not in names), *own)
