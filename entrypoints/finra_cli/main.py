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

from finra_cli.logs import configure
from finra_cli.options import build_parser
from finra_cli.streams import deliver, prepare, settle
from finra_core.domain.errors import FinraError

log = logging.getLogger("finra_cli")


class _TerminatedError(BaseException):
    """SIGTERM came. Like KeyboardInterrupt, nothing but `main` may catch it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; nothing is raised."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    prepare()
    configure(quiet=False, verbose=False)
    signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        try:
            return _main(arguments)
        except FinraError as error:
            return _critical(arguments, error.message, error)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  a traceback would exit 1, which means "partial"
            from finra_core.domain.failures import describe  # noqa: PLC0415

            return _critical(arguments, f"unexpected {describe(error)}; --verbose shows where", error)
    except (KeyboardInterrupt, _TerminatedError, BrokenPipeError) as error:
        _die(_signal_behind(error), arguments)
    finally:
        settle()


def _main(arguments: Sequence[str]) -> int:
    environ = dict(os.environ)
    parser = build_parser(environ)
    try:
        options = parser.parse_args(arguments)
    except SystemExit:  # --help, written already
        deliver("")
        return 0
    if options.version:
        return _print_version()
    if options.command is None:
        parser.error("say which command")
    configure(quiet=options.quiet, verbose=options.verbose)
    return _dispatch(options, environ)


def _dispatch(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    # A command's modules are imported when it is the one that is asked for: `finra --help` needs none of them.
    if options.command == "run":
        return _run(options, environ)
    if options.command == "simulator":
        from finra_cli.simulator import serve  # noqa: PLC0415

        return serve(options)
    if options.command == "db":
        from finra_cli import database  # noqa: PLC0415

        return database.run(options, sys.stdout)
    return _query(options)


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from finra_cli import output, wiring  # noqa: PLC0415

    report = wiring.run(options, environ)
    deliver(report.to_json(indent=2) + "\n" if options.json else output.report_text(report))
    return report.exit_code


def _query(options: argparse.Namespace) -> int:
    from finra_cli import output, queries, wiring  # noqa: PLC0415

    rows_of, columns = queries.QUERIES[options.command]
    with wiring.opened_store(options) as store:
        rows = rows_of(store, options)
        if not store.weeks():
            log.warning("%s holds no captures yet: `finra run` brings them", store.url)
    deliver(output.json_text(rows) if options.json else output.table_text(rows, columns))
    return 0


def _critical(arguments: Sequence[str], message: str, error: Exception) -> int:
    from finra_core.domain.failures import ExitCode  # noqa: PLC0415

    log.critical("%s", message)
    log.debug("where it happened", exc_info=error)
    # Asked of the arguments as they came: what failed may be the reading of them.
    if "--json" in arguments:
        from finra_cli.output import failure_text  # noqa: PLC0415

        try:
            deliver(failure_text(arguments, message))
        except FinraError as lost:
            log.critical("%s", lost.message)
    return ExitCode.CRITICAL


def _die(number: signal.Signals, arguments: Sequence[str]) -> NoReturn:
    """Leave at once: worker threads that wait for the network would hold a normal exit back."""
    if number is not signal.SIGPIPE:  # whoever closed the pipe has seen enough
        advice = "; what was committed stays, the next run goes on from there" if "run" in arguments[:1] else ""
        log.critical("ended by %s%s", number.name, advice)
        settle()
    os._exit(128 + number)


def _signal_behind(error: BaseException) -> signal.Signals:
    if isinstance(error, BrokenPipeError):
        return signal.SIGPIPE
    return signal.SIGTERM if isinstance(error, _TerminatedError) else signal.SIGINT


def _on_sigterm(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TerminatedError


def _print_version() -> int:
    from finra_core import __version__  # noqa: PLC0415

    deliver(f"finra {__version__}\n")
    return 0
