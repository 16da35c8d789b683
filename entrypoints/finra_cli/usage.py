"""A wrong command line, environment or configuration file in one line: what is wrong, where, what may be meant."""

from __future__ import annotations

import click
from click.core import ParameterSource

from finra_cli.config_file import CONFIG
from finra_cli.suggestions import did_you_mean


def usage_message(error: click.UsageError) -> str:
    """One line for any of click's usage errors."""
    context = error.ctx
    message = _plain(error)
    if context is None:
        return message
    see = f"see `{context.command_path} --help`"
    return f"{message} S{see[1:]}" if message.endswith("?") else f"{message}; {see}"


def _plain(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error)
    if isinstance(error, click.BadParameter) and error.param is not None and error.message:
        return f"{_origin(error)}: {_lower(error.message)}"
    return _lower(error.format_message())


def _no_such_option(error: click.NoSuchOption) -> str:
    context = error.ctx
    if context is None:
        return f"no such option {error.option_name}"
    known = [name for param in context.command.get_params(context) for name in _names(param)]
    hint = did_you_mean(error.option_name, known)
    if not hint and isinstance(context.command, click.Group):
        hint = f": options go after the command, as in `{context.command_path} COMMAND {error.option_name}`"
    return f"no such option {error.option_name}{hint}"


def _names(param: click.Parameter) -> list[str]:
    return [] if isinstance(param, click.Option) and param.hidden else param.opts


def _origin(error: click.BadParameter) -> str:
    """How the parameter is called where its wrong value was given."""
    param, context = error.param, error.ctx
    if param is None or param.name is None:
        return error.param_hint if isinstance(error.param_hint, str) else "command line"
    source = context.get_parameter_source(param.name) if context is not None else None
    if source is ParameterSource.ENVIRONMENT:
        return str(param.envvar)
    if source is ParameterSource.DEFAULT_MAP and context is not None:
        return f"{context.meta[CONFIG]}: {param.name}"
    return param.opts[0] if isinstance(param, click.Option) else param.make_metavar(context)  # type: ignore[arg-type]


def _lower(message: str) -> str:
    """A message of click's in our form: not a sentence, as it goes on after a colon."""
    message = " ".join(message.split()).removesuffix(".")
    return message[:1].lower() + message[1:] if message[1:2].islower() else message
