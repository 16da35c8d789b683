"""finra.toml: standing settings in a file, each key a setting's name; checked whole before any of it counts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from finra_cli.options import Spec, flag_of
from finra_cli.suggestions import did_you_mean
from finra_cli.values import Amount, Count, Tiers
from finra_core.domain.errors import ConfigurationError

NAME = "finra.toml"
CONFIG = "finra_cli.config"
"""The key of click's `Context.meta` under which the file that was read is named."""


class ConfigOption(click.Option):
    """--config: the file is read before any other option is looked at, and gives click its defaults.

    own: the settings of the command. every: those of all commands, as one file serves them all.
    """

    def __init__(self, own: Mapping[str, Spec], every: Mapping[str, Spec]) -> None:
        super().__init__(
            ["--config"],
            metavar="FILE",
            envvar="FINRA_CONFIG",
            is_eager=True,
            expose_value=False,
            callback=self._load,
            help=f"a file of settings [FINRA_CONFIG, default {NAME} where there is one]",
            type=click.Path(),
        )
        self._own = own
        self._every = every

    def _load(self, ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value is None and not os.path.lexists(NAME):  # a link to nothing is to be told
            return
        path = Path(value or NAME)
        try:
            settings = read_settings(path, self._every)
            ctx.default_map = {n: value for n, value in settings.items() if n in self._own and self._own[n].standing}
            ctx.meta[CONFIG] = str(path)
        except ConfigurationError:
            if not ctx.resilient_parsing:  # a shell that completes has no use for it
                raise


def read_settings(path: Path, specs: Mapping[str, Spec]) -> dict[str, Any]:
    """The settings of a file, by name.

    Raises:
        ConfigurationError: it cannot be read, is no TOML, or has a key or a type that no setting has.
    """
    settings = _parse(path)
    for name, value in settings.items():
        if name not in specs or not specs[name].standing:
            raise ConfigurationError(f"{path}: {_unknown(name, specs)}")
        if specs[name].secret:
            raise ConfigurationError(f"{path}: {name} is a secret, which no file of settings holds: {_SECRET}")
        wanted, words = _types(specs[name])
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise ConfigurationError(f"{path}: {name} is {json.dumps(value, default=str)}: give {words}")
    if os.environ.get("FINRA_CLIENT_SECRET"):
        settings.pop("client_secret_file", None)  # the same setting by its other name, and the environment comes first
    return settings


_SECRET = "set FINRA_CLIENT_SECRET, or name a file of its own in client_secret_file"  # noqa: S105  advice


def _parse(path: Path) -> dict[str, Any]:
    # Imported here, because most runs have no such file.
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415
    try:
        settings: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text, as TOML has to be") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no TOML: {error}") from None
    return settings


def _unknown(name: str, specs: Mapping[str, Spec]) -> str:
    if name in specs:
        return f"{name} is for one call, as {flag_of(name)}: no file may set it"
    standing = [known for known, spec in specs.items() if spec.standing]
    return f"no setting is called {name!r}{did_you_mean(name, standing)}"


def _types(spec: Spec) -> tuple[tuple[type, ...], str]:
    """The types that TOML may give a setting, and how they are called."""
    if spec.table:
        return (dict,), "a table"
    if isinstance(spec.type, Count):
        return (int,), "a whole number"
    if isinstance(spec.type, Amount):
        return (int, float), "a number"
    if isinstance(spec.type, Tiers):
        return (str, list), "a list of texts"
    return (str,), "a text"
