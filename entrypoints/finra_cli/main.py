"""`main`: every path through it ends in 0, 1, 2 or 128 + a signal's number."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NoReturn

from finra_cli.options import build_parser
from finra_core.errors import FinraError
from finra_core.failures import ExitCode, describe

log = logging.getLogger("finra_cli")


class _TerminatedError(BaseException):
    """SIGTERM came. Like KeyboardInterrupt, nothing but `main` may catch it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. Only usage errors and --help raise SystemExit (argparse's)."""
    environ = dict(os.environ)
    parser = build_parser(environ)
    options = parser.parse_args(argv)
    if options.version:
        return _print_version()
    if options.command is None:
        parser.error("say which command; `finra --help` lists them")
    _configure_logs(options)
    signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        code = _dispatch(options, environ)
        sys.stdout.flush()
    except FinraError as error:
        return _critical(options, error.message, error)
    except (KeyboardInterrupt, _TerminatedError, BrokenPipeError) as error:
        _die(_signal_behind(error))
    except Exception as error:  # noqa: BLE001  a traceback would exit 1, which means "partial"
        return _critical(options, f"unexpected {describe(error)}; --verbose shows where", error)
    return code


def _dispatch(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    # A command's modules are imported when it is the one that is asked for.
    if options.command == "run":
        return _run(options, environ)
    if options.command == "db":
        from finra_cli import database  # noqa: PLC0415

        return database.run(options, sys.stdout)
    return _query(options)


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from finra_cli import output, wiring  # noqa: PLC0415

    report = wiring.run(options, environ)
    if options.json:
        sys.stdout.write(report.to_json(indent=2) + "\n")
    else:
        output.print_report(report, sys.stdout)
    return report.exit_code


def _query(options: argparse.Namespace) -> int:
    from finra_cli import output, queries, wiring  # noqa: PLC0415

    rows_of, columns = queries.QUERIES[options.command]
    with wiring.opened_store(options) as store:
        rows = rows_of(store, options)
        if not store.weeks():
            log.warning("%s holds no captures yet: `finra run` brings them", store.url)
    if options.json:
        output.print_json(rows, sys.stdout)
    else:
        output.print_table(rows, columns, sys.stdout)
    return ExitCode.SUCCESS


def _critical(options: argparse.Namespace, message: str, error: Exception) -> int:
    log.critical("%s", message)
    log.debug("where it happened", exc_info=error)
    if options.json:
        from finra_cli.output import print_json  # noqa: PLC0415

        print_json({"schema_version": 1, "error": message, "exit_code": ExitCode.CRITICAL.value}, sys.stdout)
    return ExitCode.CRITICAL


def _die(number: signal.Signals) -> NoReturn:
    """Leave at once: worker threads that wait for the network would hold a normal exit back."""
    if number is not signal.SIGPIPE:  # whoever closed the pipe has seen enough
        log.critical("ended by %s; what was committed stays, the next run goes on from there", number.name)
        sys.stderr.flush()
    os._exit(128 + number)


def _signal_behind(error: BaseException) -> signal.Signals:
    if isinstance(error, BrokenPipeError):
        return signal.SIGPIPE
    return signal.SIGTERM if isinstance(error, _TerminatedError) else signal.SIGINT


def _on_sigterm(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TerminatedError


def _configure_logs(options: argparse.Namespace) -> None:
    from finra_cli.logs import configure  # noqa: PLC0415

    configure(quiet=options.quiet, verbose=options.verbose)


def _print_version() -> int:
    from finra_core import __version__  # noqa: PLC0415

    sys.stdout.write(f"finra {__version__}\n")
    return ExitCode.SUCCESS
