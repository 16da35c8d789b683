"""`finra config show`: the settings in force."""

from __future__ import annotations

import click

from finra_cli.command import Command
from finra_cli.group import SUMMARIES, Group
from finra_cli.output import show
from finra_cli.presenters.config import config_of, config_page, warn_of_unknown_variables
from finra_cli.settings import StandingSettings


def _show(settings: StandingSettings) -> int:
    found = config_of(settings, click.get_current_context())
    warn_of_unknown_variables()
    show(found, lambda: config_page(found), json=settings.json)
    return 0


command = Group(
    "config",
    help=f"{SUMMARIES['config'].capitalize()}.",
    commands=[
        Command(
            "show",
            StandingSettings,
            _show,
            help="Every standing setting: its value, and who gave it: a flag, the environment, finra.toml or nobody. "
            "Secrets are not shown. Flags are those of `finra run`: see what they would change.",
        )
    ],
)
