"""Carries out a command line: to the command that it names, and what went wrong to the log and the exit code."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

import click

from finra_cli.group import COMPLETION, finra
from finra_cli.logs import configure
from finra_cli.streams import deliver, prepare, settle
from finra_core.domain.errors import FinraError

log = logging.getLogger("finra_cli")


def execute(arguments: Sequence[str]) -> int:
    """Carry the command line out and return the exit code.

    Raises:
        BrokenPipeError: the reader of standard output has gone.
    """
    prepare()
    configure(verbose="--verbose" in arguments)  # until the command line is read
    try:
        if COMPLETION in os.environ:
            return _complete(os.environ[COMPLETION])
        return _invoke(list(arguments))
    finally:
        settle()


def _invoke(arguments: list[str]) -> int:
    # click's own `main` would turn an interrupt, a broken pipe and a full disk into exit codes of its choice.
    try:
        with finra.make_context("finra", arguments) as context:
            code = finra.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        from finra_cli.usage import usage_message  # noqa: PLC0415

        return _critical(arguments, usage_message(error), error)
    except FinraError as error:
        return _critical(arguments, error.message, error)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _critical(arguments, f"the system says: {error.strerror or error}{where}; --verbose shows where", error)
    except Exception as error:  # noqa: BLE001  a traceback would exit 1, which means "partial"
        from finra_core.domain.failures import describe  # noqa: PLC0415

        return _critical(arguments, f"unexpected {describe(error)}; --verbose shows where", error)
    return int(code)


def _critical(arguments: Sequence[str], message: str, error: Exception) -> int:
    from finra_cli.redaction import without_secrets  # noqa: PLC0415
    from finra_core.domain.failures import ExitCode  # noqa: PLC0415

    message = without_secrets(message)
    log.critical("%s", message)
    log.debug("where it happened", exc_info=error)
    # Asked of the arguments as they came: what failed may be the reading of them.
    if "--json" in arguments:
        from finra_cli.presenters.failure import failure_text  # noqa: PLC0415

        try:
            deliver(failure_text(arguments, message))
        except FinraError as lost:
            log.critical("%s", lost.message)
    return ExitCode.CRITICAL


def _complete(instruction: str) -> int:
    from click.shell_completion import shell_complete  # noqa: PLC0415

    return shell_complete(finra, {}, "finra", COMPLETION, instruction)
