"""What `finra config show` shows."""

from __future__ import annotations

import json
import logging
import os
from enum import Enum
from pathlib import Path

import click
from attrs import frozen
from click.core import ParameterSource

from finra_cli.config_file import CONFIG
from finra_cli.options import Spec, flag_of, specs_of, variable
from finra_cli.output import Page, Tone, Toned
from finra_cli.redaction import without_secrets
from finra_cli.settings import StandingSettings
from finra_cli.suggestions import did_you_mean
from finra_core.runs.serialization import to_plain

log = logging.getLogger("finra_cli")


class Origin(str, Enum):
    """Who gave a setting its value, first come first served."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


_ORIGINS = {
    ParameterSource.COMMANDLINE: Origin.FLAG,
    ParameterSource.ENVIRONMENT: Origin.ENVIRONMENT,
    ParameterSource.DEFAULT_MAP: Origin.FILE,
}


@frozen(kw_only=True)
class SettingRow:
    """A setting. value: null where nothing gives one, `***` for a secret. where: the flag, the variable or the file."""

    name: str
    value: str | None
    origin: Origin
    where: str | None


@frozen(kw_only=True)
class Config:
    """The settings in force. file: the finra.toml that was read, null where there is none."""

    file: str | None
    settings: tuple[SettingRow, ...]


def config_of(settings: StandingSettings, context: click.Context) -> Config:
    """The settings and their origins, as click remembers them in this context."""
    file = context.meta.get(CONFIG)
    path = None if file is None else str(Path(file).absolute())
    rows = [
        _row(name, getattr(settings, name), spec, context.get_parameter_source(name), path)
        for name, spec in specs_of(StandingSettings).items()
        if spec.standing
    ]
    return Config(file=path, settings=tuple(rows))


def _row(name: str, value: object, spec: Spec, source: ParameterSource | None, path: str | None) -> SettingRow:
    origin = _ORIGINS.get(source, Origin.DEFAULT) if source is not None else Origin.DEFAULT
    where = {Origin.FLAG: flag_of(name), Origin.ENVIRONMENT: variable(name), Origin.FILE: path}.get(origin)
    shown = None if spec.table and origin is Origin.DEFAULT else _shown(value, spec)
    return SettingRow(name=name, value=shown, origin=origin, where=where)


def _shown(value: object, spec: Spec) -> str | None:
    if value is None:
        return None
    if spec.secret:
        return "***"
    if spec.table:
        return json.dumps(to_plain(value), sort_keys=True)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return without_secrets(text)


def warn_of_unknown_variables() -> None:
    """Log those variables of the environment that are called nearly like one of ours, and so do nothing."""
    known = {
        "FINRA_CONFIG",
        *(variable(name) for name, spec in specs_of(StandingSettings).items() if spec.standing and not spec.table),
    }
    for name in os.environ:
        hint = did_you_mean(name, known) if name.startswith("FINRA_") and name not in known else ""
        if hint:
            log.warning("%s is no setting%s", name, hint)


def config_page(config: Config) -> Page:
    """A row for each setting."""
    page = Page()
    page.line(f"Settings file: {config.file or 'none'}")
    page.line("")
    page.table(
        ("setting", "origin", "value"),
        [
            (
                row.name,
                Toned("default", Tone.ASIDE) if row.origin is Origin.DEFAULT else _origin(row),
                row.value,
            )
            for row in config.settings
        ],
    )
    return page


def _origin(row: SettingRow) -> str:
    return "settings file" if row.origin is Origin.FILE else str(row.where)
