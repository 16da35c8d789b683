"""Options from settings classes: a class says once what a command takes, and click fills an instance of it.

click takes each value from the command line, else from the environment, else from finra.toml, else from the field's
default, and remembers which it was. A *standing* setting may come from all four; all other options are for one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from attrs import Attribute, field, fields, frozen

_SPEC = "finra_cli"


@frozen(kw_only=True)
class Spec:
    """What a field of a settings class is on the command line.

    standing: environment and finra.toml may give it too. secret: it is never shown, and only the environment gives it.
    table: only finra.toml gives it, as a table.
    flag: the command line may give it. names: the option's, where they are not its field's. shown_default: what the
    help says of the default, "" for the value itself.
    """

    help: str
    type: click.ParamType | None = None  # type: ignore[type-arg]  # generic only in newer versions of click
    metavar: str | None = None
    section: str = "Options"
    standing: bool = False
    secret: bool = False
    table: bool = False
    flag: bool = True
    names: Sequence[str] = ()
    short: str | None = None
    nargs: int = 1
    positional: bool = False
    required: bool = False
    shown_default: str = ""


def option(default: Any, help: str, **spec: Any) -> Any:  # noqa: A002  as click calls it
    """An attrs field that is an option; the rest as in `Spec`."""
    return _field(default, Spec(help=help, **spec))


def switch(help: str, **spec: Any) -> Any:  # noqa: A002
    """An attrs field that is an option without a value: false unless given."""
    return _field(default=False, spec=Spec(help=help, **spec))


def option_free(help: str, **spec: Any) -> Any:  # noqa: A002
    """An attrs field that environment and finra.toml give, but no option; None where neither does."""
    return _field(None, Spec(help=help, flag=False, standing=True, section="Settings without an option", **spec))


def table(default: Any, help: str, **spec: Any) -> Any:  # noqa: A002
    """An attrs field that a table of finra.toml gives, and nothing else."""
    return _field(
        default, Spec(help=help, flag=False, standing=True, table=True, section="Tables of finra.toml", **spec)
    )


def argument(metavar: str, *, required: bool = True, **spec: Any) -> Any:
    """An attrs field that is an argument without a name; None where it is not required and not given."""
    return _field(None, Spec(metavar=metavar, help="", positional=True, required=required, **spec))


def _field(default: Any, spec: Spec) -> Any:
    return field(default=default, metadata={_SPEC: spec}, repr=not spec.secret)


def specs_of(settings: type) -> dict[str, Spec]:
    """The options of a settings class by the names of its fields."""
    return {attribute.name: attribute.metadata[_SPEC] for attribute in fields(settings)}


def parameters_of(settings: type) -> list[click.Parameter]:
    """The parameters for a settings class, in the order of its fields."""
    return [_parameter(attribute) for attribute in fields(settings)]


def variable(name: str) -> str:
    """The environment variable of a standing setting."""
    return f"FINRA_{name.upper()}"


def flag_of(name: str) -> str:
    """The option of a setting."""
    return f"--{name.replace('_', '-')}"


def _parameter(attribute: Attribute[Any]) -> click.Parameter:
    spec: Spec = attribute.metadata[_SPEC]
    if spec.positional:
        return click.Argument(
            [attribute.name], type=spec.type, required=spec.required, metavar=spec.metavar, nargs=spec.nargs
        )
    return Setting(attribute.name, spec, attribute.default)


class Setting(click.Option):
    """A field of a settings class as click's option."""

    def __init__(self, name: str, spec: Spec, default: Any) -> None:
        names = [name, *(spec.names or [flag_of(name)]), *([spec.short] if spec.short else [])]
        super().__init__(
            names,
            type=spec.type,
            **({} if spec.required else {"default": default}),
            metavar=spec.metavar,
            is_flag=default is False,
            envvar=variable(name) if spec.standing and not spec.table else None,
            help=spec.help,
            required=spec.required,
            hidden=not spec.flag,  # from shells that complete
        )
        self.spec = spec

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """As click does, unless the command line may not give it."""
        if self.spec.flag:
            super().add_to_parser(parser, ctx)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option, its help, its variable and its default."""
        if not self.spec.flag:
            return f"[{self.name}]" if self.spec.table else str(self.envvar), self.spec.help
        record = super().get_help_record(ctx)
        extras = [str(self.envvar)] if self.spec.standing else []
        if shown := self._shown_default():
            extras.append(f"default {shown}")
        return (record[0], f"{self.spec.help} [{', '.join(extras)}]" if extras else self.spec.help) if record else None

    def _shown_default(self) -> str:
        if self.spec.shown_default:
            return self.spec.shown_default
        return "" if self.default is None or self.is_flag or self.spec.required else str(self.default)
