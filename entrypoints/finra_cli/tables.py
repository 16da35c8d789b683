"""The tables of finra.toml: values of the core's own classes, which say themselves what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from attrs import evolve, fields

from finra_cli.suggestions import did_you_mean
from finra_core.domain.completeness import DEFAULT_BOUNDS, CoverageBounds, Measure
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.policies import Criterion, Policy, with_built_in
from finra_core.domain.tiers import Half, Tier

T = TypeVar("T")


class Table(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """A table, as the value that `read` makes of it."""

    name = "table"

    def __init__(self, read: Callable[[Mapping[str, Any]], object]) -> None:
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """The value; one that is none of TOML's is the default, and stays as it is."""
        if not isinstance(value, dict):
            return value
        try:
            return self._read(value)
        except ConfigurationError as error:
            self.fail(error.message, param, ctx)


def read_policies(table: Mapping[str, Any]) -> tuple[Policy, ...]:
    """The readiness policies: the built-in ones, and those of the table by their names.

    Raises:
        ConfigurationError: one is no policy.
    """
    return with_built_in(_policy(name, value) for name, value in table.items())


def read_grace_days(table: Mapping[str, Any]) -> dict[Tier, int]:
    """Days of grace by tier.

    Raises:
        ConfigurationError: a name is no tier, or a value no number of days.
    """
    _check_names(table, list(Tier.__members__))
    return {Tier(name): _whole(name, days) for name, days in table.items()}


def read_coverage(table: Mapping[str, Any]) -> CoverageBounds:
    """The bounds on what a capture may lack; what the table does not say is as without it.

    Raises:
        ConfigurationError: a name is none of the bounds', or a value is out of its range.
    """
    _check_names(table, [field.name for field in fields(CoverageBounds)])
    changed = dict(table)
    for name in ("previous", "recent", "slack"):
        if name in table:
            given = _structured(table[name], dict[Measure, float], f"numbers by measure in {name}")
            changed[name] = {**getattr(DEFAULT_BOUNDS, name), **given}
    for name in ("recent_weeks", "fewest_weeks"):
        if name in table:
            changed[name] = _whole(name, table[name])
    return evolve(DEFAULT_BOUNDS, **changed)


def _policy(name: str, table: Any) -> Policy:
    if not isinstance(table, dict):
        raise ConfigurationError(f"{name} is no table: write [policies.{name}]")
    kinds = {"tiers": tuple[Tier, ...], "halves": tuple[Half, ...], "criteria": frozenset[Criterion]}
    _check_names(table, list(kinds))
    given = {key: _structured(value, kinds[key], f"{key} in {name}") for key, value in table.items()}
    return Policy(name=name, **given)


def _whole(name: str, value: Any) -> int:
    if type(value) is not int:  # a truth value is an int too, and no number
        raise ConfigurationError(f"{name} is {value!r}: give a whole number")
    return value


def _check_names(table: Mapping[str, Any], known: list[str]) -> None:
    for name in table:
        if name not in known:
            raise ConfigurationError(f"nothing is called {name!r}{did_you_mean(name, known) or _one_of(known)}")


def _one_of(known: list[str]) -> str:
    return f": the names are {', '.join(known)}"


def _structured(value: Any, kind: Any, what: str) -> Any:
    from finra_core.runs.serialization import from_plain  # noqa: PLC0415  without such a table nobody needs it

    try:
        return from_plain(value, kind)
    except ConfigurationError as error:
        raise ConfigurationError(f"no {what}: {error.message.partition(': ')[2]}") from error
