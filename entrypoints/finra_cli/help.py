"""The help of the command and its parts, and `help` that can be told from an error: it ends with 0."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from finra_cli.streams import deliver

EXIT_CODES = (
    ("0", "all that was due is done (also: nothing to do, or not due yet)"),
    ("1", "some partitions failed"),
    ("2", "critical: usage, configuration, store unreachable or locked, an unexpected error"),
    ("128+N", "ended by signal N"),
)

Notes = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Tables that stand below a command's options: each a heading and its rows."""


class _Formatter(click.HelpFormatter):
    """click's, with bold headings on a terminal."""

    def write_heading(self, heading: str) -> None:
        """A heading of a section."""
        super().write_heading(_bold(heading))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line that says how it is called."""
        super().write_usage(prog, args, _bold("Usage:") + " " if prefix is None else prefix)


def _bold(text: str) -> str:
    return click.style(text, bold=True) if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


class _Context(click.Context):
    formatter_class = _Formatter


class Helpful(click.Command):
    """A command or group whose help goes out as all output does, and may have tables below it."""

    context_class = _Context

    def __init__(self, *arguments: Any, notes: Notes = (), **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*arguments, **settings)
        self._notes = notes

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """--help, writing through `deliver`: a full disk is noticed."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show
            option.help = "show this help and exit"
        return option

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The tables."""
        for heading, rows in self._notes:
            with formatter.section(heading):
                formatter.write_dl(rows)


def show_help(context: click.Context) -> None:
    """Print the help of the context's command.

    Raises:
        OutputError: standard output cannot be written.
    """
    deliver(context.get_help() + "\n")


def _show(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        show_help(context)
        context.exit()
