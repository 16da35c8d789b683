"""`finra completion`: what a shell reads to complete the command's words."""

from __future__ import annotations

import click
from attrs import frozen
from click.shell_completion import get_completion_class

from finra_cli.command import Command
from finra_cli.group import COMPLETION, finra
from finra_cli.options import argument
from finra_cli.output import Page, show
from finra_cli.settings import Common
from finra_cli.streams import deliver

_HOW = (
    ("bash", 'eval "$(finra completion bash)" in ~/.bashrc'),
    ("zsh", 'eval "$(finra completion zsh)" in ~/.zshrc, after compinit'),
    ("fish", "finra completion fish > ~/.config/fish/completions/finra.fish"),
)


@frozen(kw_only=True)
class CompletionSettings(Common):
    """What `finra completion` takes."""

    shell: str = argument("SHELL", type=click.Choice([shell for shell, _how in _HOW]))


@frozen(kw_only=True)
class Script:
    """What the shell is to read."""

    shell: str
    script: str


def _completion(settings: CompletionSettings) -> int:
    shell = get_completion_class(settings.shell)
    if shell is None:
        raise click.UsageError(f"no completion for {settings.shell}")
    script = shell(finra, {}, "finra", COMPLETION).source()
    if settings.json:
        show(Script(shell=settings.shell, script=script), Page, json=True)
    else:
        deliver(script)
    return 0


command = Command(
    "completion",
    CompletionSettings,
    _completion,
    help="Print what makes bash, zsh or fish complete the words of this command.",
    notes=[("To have it in every shell", _HOW)],
)
