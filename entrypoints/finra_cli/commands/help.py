"""`finra help`: the help of a command, as its --help."""

from __future__ import annotations

import click
from attrs import frozen
from click.shell_completion import CompletionItem

from finra_cli.command import Command
from finra_cli.group import SUMMARIES, Group, finra
from finra_cli.help import show_help
from finra_cli.options import argument
from finra_cli.output import Page, show
from finra_cli.settings import Common


class _CommandName(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    name = "command"

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name, help=text) for name, text in SUMMARIES.items() if name.startswith(incomplete)]


@frozen(kw_only=True)
class HelpSettings(Common):
    """What `finra help` takes."""

    words: tuple[str, ...] = argument("[COMMAND]...", type=_CommandName(), required=False, nargs=-1)


@frozen(kw_only=True)
class Help:
    """The help's text."""

    command: str
    text: str


def _help(settings: HelpSettings) -> int:
    context = _context_of(settings.words)
    if settings.json:
        show(Help(command=context.command_path, text=context.get_help()), Page, json=True)
    else:
        show_help(context)
    return 0


def _context_of(words: tuple[str, ...]) -> click.Context:
    context: click.Context = finra.context_class(finra, info_name="finra")
    for word in words:
        group = context.command
        if not isinstance(group, Group):
            raise click.UsageError(f"{context.command_path} has no commands below it", context)
        name, command, _rest = group.resolve_command(context, [word])
        if command is None:
            raise click.UsageError(f"no such command {word!r}", context)
        context = command.context_class(command, info_name=name, parent=context, **command.context_settings)
    return context


command = Command("help", HelpSettings, _help, help="Show the help of a command, or of all of them.")
