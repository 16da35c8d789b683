"""A command: its options are a settings class, and what it does is a function of an instance of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import click
from click.core import ParameterSource

from finra_cli.config_file import ConfigOption
from finra_cli.group import Group
from finra_cli.help import Helpful
from finra_cli.logs import configure
from finra_cli.options import Setting, parameters_of, specs_of
from finra_cli.redaction import without_secrets
from finra_cli.settings import Common, StandingSettings
from finra_core.domain.errors import ConfigurationError

S = TypeVar("S", bound=Common)

log = logging.getLogger("finra_cli")


class Command(Helpful, Generic[S]):
    """A command of `finra`.

    settings: the class that click fills. action: does it and returns the exit code; it may raise FinraErrors.
    refused: is told of values that contradict each other, before the error is raised.
    """

    def __init__(
        self,
        name: str,
        settings: type[S],
        action: Callable[[S], int],
        refused: Callable[[Mapping[str, Any], ConfigurationError], None] | None = None,
        **rest: Any,
    ) -> None:
        own, standing = specs_of(settings), specs_of(StandingSettings)
        parameters = [*parameters_of(settings), ConfigOption(own, {**own, **standing})]
        super().__init__(name, params=parameters, **rest)
        self._settings = settings
        self._action = action
        self._refused = refused

    def settings(self, arguments: Sequence[str]) -> S:
        """What these arguments, the environment and finra.toml say.

        Raises:
            click.UsageError: they cannot be read.
            ConfigurationError: they contradict each other.
        """
        with self.make_context(f"finra {self.name}", list(arguments)) as context:
            return self._settings(**context.params)

    def invoke(self, ctx: click.Context) -> int:
        """Do it, and return the exit code."""
        return self.carry_out(ctx.params)

    def carry_out(self, values: Mapping[str, Any]) -> int:
        """Do what these values of the settings' fields ask for, and return the exit code."""
        settings = self._filled(values)
        configure(quiet=settings.quiet, verbose=settings.verbose, form=settings.log_format)
        _warn_of_a_password(click.get_current_context())
        return self._action(settings)

    def _filled(self, values: Mapping[str, Any]) -> S:
        try:
            return self._settings(**values)
        except ConfigurationError as error:
            if self._refused is not None:
                self._refused(values, error)
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under the headings of their sections."""
        write_options(self, ctx, formatter)


def _warn_of_a_password(context: click.Context) -> None:
    store = str(context.params.get("store"))
    is_typed = context.get_parameter_source("store") is ParameterSource.COMMANDLINE
    if is_typed and store != without_secrets(store):
        log.warning(
            "--store holds a password, which others on this machine can see: give the URL in FINRA_STORE, or the "
            "password in PGPASSWORD or a passfile"
        )


class CommandGroup(Group):
    """A command that has commands below it, each with options of its own."""

    def __init__(self, own: Command[Any], commands: Sequence[Command[Any]]) -> None:
        super().__init__(
            own.name,
            help=own.help,
            params=own.params,
            commands=list(commands),
            callback=self._call,
            invoke_without_command=True,
        )
        self.own = own

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under the headings of their sections, then the commands."""
        write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def _call(self, **values: Any) -> int:
        context = click.get_current_context()
        if context.invoked_subcommand is None:
            return self.own.carry_out(values)
        for parameter in self.params:
            # It would count for this command alone, and so for nothing.
            if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE:
                name = context.invoked_subcommand
                raise click.UsageError(f"{parameter.opts[0]} goes after {name}", context)
        return 0


_ORDER = (
    "Options",
    "Which weeks",
    "Source and store",
    "How",
    "Output",
    "Settings without an option",
    "Tables of finra.toml",
)


def write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write a command's options under the headings of their sections."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        heading = parameter.spec.section if isinstance(parameter, Setting) else "Output"
        record = parameter.get_help_record(ctx)
        if record is not None:
            sections.setdefault(heading, []).append(record)
    # What a command alone takes comes first, what all take last.
    for heading in sorted(sections, key=_ORDER.index):
        with formatter.section(heading):
            formatter.write_dl(sections[heading], col_max=24)
