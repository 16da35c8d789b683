"""`finra` and the groups below it. A command's module is imported when it is the one that is asked for."""

from __future__ import annotations

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from finra_cli.help import EXIT_CODES, Helpful, show_help
from finra_cli.streams import deliver
from finra_cli.suggestions import did_you_mean

COMMANDS = {
    "Work": {
        "run": "ingest what FINRA changed, normalize, analyze, judge readiness",
    },
    "Look": {
        "status": "the last run, what is due next, and how far each week has come",
        "readiness": "which weeks are ready to trade on, and why the others are not",
        "explain": "everything about one week of one tier, and what to do next",
        "doctor": "what the history lacks, and the command that mends it",
        "captures": "every capture, by week and tier",
        "asof": "what was known on a day: captures, rows, analytics, readiness",
        "diff": "what changed between two captures of a week and tier",
        "restatements": "what FINRA changed, how late and how much",
        "anomalies": "what runs found, latest first",
        "runs": "the ledger of runs, latest first, or one run's report",
    },
    "Share and keep": {
        "export": "a view as Parquet, CSV or Arrow files, by week and tier",
        "bundle": "captures as one file that another store verifies and replays",
        "pin": "protect captures from being pruned",
        "prune": "remove superseded captures that no day in range needs",
    },
    "Prove": {
        "verify": "prove that what is stored is what FINRA published, and that nobody changed it",
        "checkpoint": "the head of the store's chain, to keep where the store's users cannot reach it",
    },
    "Set up": {
        "config": "the settings in force, and where each comes from",
        "db": "the schema of the store's database",
        "simulator": "serve a simulated FINRA over HTTP, to try a pipeline against",
        "completion": "print what makes bash, zsh or fish complete this command",
        "help": "show the help of a command",
    },
}
"""The commands by section, with their summaries. Each is `command` in its module of `finra_cli.commands`."""

COMPLETION = "_FINRA_COMPLETE"
"""The environment variable by which a shell asks for a command line's completions."""

SUMMARIES = {name: summary for section in COMMANDS.values() for name, summary in section.items()}


class Group(Helpful, click.Group):
    """A group that says what may be meant by a command that it does not have."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does. Without a command and without a meaning of its own, it is an error, not a help page."""
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            raise click.UsageError(f"say which command: {', '.join(self.list_commands(ctx))}", ctx)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with all of their help, however long it is."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help or "") for name, command in commands if command is not None])

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order in which they were given."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"no such command {args[0]!r}{did_you_mean(args[0], names)}", ctx)
        return super().resolve_command(ctx, args)


class _Finra(Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(SUMMARIES)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        command: click.Command = import_module(f"finra_cli.commands.{cmd_name}").command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, commands in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(list(commands.items()), col_max=12)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [CompletionItem(name, help=text) for name, text in SUMMARIES.items() if name.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


def _print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from finra_core import __version__  # noqa: PLC0415

        deliver(f"finra {__version__}\n")
        ctx.exit()


@click.pass_context
def _bare(ctx: click.Context) -> int:
    if ctx.invoked_subcommand is None:
        show_help(ctx)
    return 0


finra = _Finra(
    "finra",
    help="FINRA's weekly OTC transparency data in your own database: every version of it.",
    callback=_bare,
    invoke_without_command=True,
    notes=[("Exit codes", EXIT_CODES)],
    params=[
        click.Option(
            ["-V", "--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="print the version and exit",
        )
    ],
)
