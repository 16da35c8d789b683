"""The command line: what `finra` takes, and how its values become a request."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from finra_core.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from finra_core.runs.request import RunRequest

DEFAULT_STORE = "sqlite:///finra_otc.db"
DEFAULT_SOURCE = "api"

_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"
_AddOptions: TypeAlias = Callable[[argparse.ArgumentParser], None]

EXIT_CODES = """\
exit codes:
  0  all that was due is done (also: nothing to do, or not due yet)
  1  some partitions failed
  2  critical: usage, configuration, store unreachable or locked, an unexpected error
  128+N  ended by signal N
"""


class _Parser(argparse.ArgumentParser):
    """Raises usage errors, so that they end as all others do: in one line, and with --json in JSON.

    add_options: adds the options of a command's own parser when that command is asked for.
    """

    def __init__(self, *, add_options: _AddOptions | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._add_options = add_options

    def parse_known_args(self, *arguments: Any, **settings: Any) -> Any:
        """As argparse's. The others' options, and the domain that some take their values from, are never loaded."""
        if self._add_options is not None:
            add_options, self._add_options = self._add_options, None
            add_options(self)
        return super().parse_known_args(*arguments, **settings)

    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(f"{message}; see `{self.prog} --help`")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Room for our longest option beside its help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=27)


def build_parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """The parser; defaults come from the environment where it has them."""
    parser = _Parser(
        prog="finra",
        description="FINRA's weekly OTC transparency data in your own database: every version of it.",
        epilog=EXIT_CODES,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands (each has its own --help)")
    _add_run(commands, environ)
    _add_query(commands, environ, "status", "what the store holds, week by week")
    _add_query(commands, environ, "readiness", "which weeks are ready to trade on, and why the others are not")
    _add_query(commands, environ, "anomalies", "what runs found, latest first", _add_anomalies_options)
    captures = _add_query(commands, environ, "captures", "every capture, by week and tier")
    captures.add_argument("--weeks", metavar="D,D", help="only these weeks (any date of each)")
    captures.add_argument("--tiers", metavar="T,T", help="only these tiers")
    _add_db(commands, environ)
    _add_simulator(commands)
    return parser


def _add_simulator(commands: _Commands) -> None:
    text = "serve a simulated FINRA over HTTP, to try a pipeline against"
    parser = commands.add_parser("simulator", help=text, description=text.capitalize() + ".", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free one; the URL is printed [8080]")
    parser.add_argument("--seed", type=int, help="which world [1]")
    parser.add_argument("--symbols", metavar="N|N,N,N", help="securities in each tier [200,400,300]")
    parser.add_argument("--rate", metavar="R", help="the share of partitions that are restated [0.2]")
    parser.add_argument("--now", metavar="TIME", help="stop its clock at this instant (2026-01-05T15:30:00Z)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="S", help="hold each answer back so long [0]")
    parser.add_argument(
        "--fault-rate", type=float, default=0.0, metavar="R", help="the share of requests that fail [0]"
    )
    parser.set_defaults(quiet=False, verbose=False, json=False)


def _add_db(commands: _Commands, environ: Mapping[str, str]) -> None:
    text = "the schema of the store's database"
    parser = commands.add_parser("db", help=text, description=text.capitalize() + ".", allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_query(actions, environ, "upgrade", "make the schema, or bring it up to date")
    _add_query(actions, environ, "check", "say which version the schema has; exit 1 if it is not the current one")
    _add_query(actions, environ, "sql", "print the schema's SQL; needs no database, --store postgresql: is enough")


def _add_common(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    parser.add_argument(
        "--store",
        metavar="URL",
        default=environ.get("FINRA_STORE") or DEFAULT_STORE,
        help=f"where the data lives [FINRA_STORE, default {DEFAULT_STORE}]",
    )
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")
    volume.add_argument("-v", "--verbose", action="store_true", help="log everything, with tracebacks")


def _add_query(
    commands: _Commands,
    environ: Mapping[str, str],
    name: str,
    text: str,
    add_options: _AddOptions | None = None,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=_sentence(text),
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_options=add_options,
    )
    _add_common(parser, environ)
    return parser


def _add_anomalies_options(parser: argparse.ArgumentParser) -> None:
    from finra_core.domain.anomalies import Severity  # noqa: PLC0415

    parser.add_argument("--all", action="store_true", help="resolved ones too")
    severities = [severity.value for severity in Severity]
    parser.add_argument(
        "--severity", choices=severities, default=Severity.WARN.value, help="this one and worse ones [WARN]"
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _add_run(commands: _Commands, environ: Mapping[str, str]) -> None:
    parser = commands.add_parser(
        "run",
        help="ingest what FINRA changed, normalize, analyze, judge readiness",
        description="Look at the weeks that FINRA may have changed and ingest what did change, as a new capture.",
        epilog=EXIT_CODES,
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_options=partial(_add_run_options, environ),
    )
    _add_common(parser, environ)


def _add_run_options(environ: Mapping[str, str], parser: argparse.ArgumentParser) -> None:
    from finra_core.domain.tiers import TIERS  # noqa: PLC0415
    from finra_core.runs.request import Mode, Order, Window  # noqa: PLC0415

    which = parser.add_argument_group("which weeks")
    which.add_argument(
        "--lookback-weeks",
        type=int,
        metavar="N",
        help="how many weeks to look back [6; all that a file source holds, where not given]",
    )
    which.add_argument("--weeks", metavar="D,D", help="these weeks instead, each named by any of its dates")
    which.add_argument("--tiers", metavar="T,T", help=f"only these tiers [{','.join(TIERS)}]")
    which.add_argument(
        "--window", choices=[w.value for w in Window], default=Window.DUE.value, help="count due or calendar weeks"
    )
    which.add_argument("--run-date", metavar="D", help="the date in capture ids and for what is due [today, UTC]")
    where = parser.add_argument_group("where from")
    where.add_argument(
        "--source",
        metavar="NAME|URL",
        default=environ.get("FINRA_SOURCE") or DEFAULT_SOURCE,
        help=f"api, file, simulator or a URL [FINRA_SOURCE, default {DEFAULT_SOURCE}]",
    )
    where.add_argument("--source-path", metavar="DIR", help="the folder (or file) of --source file")
    how = parser.add_argument_group("how")
    how.add_argument("--mode", choices=[m.value for m in Mode], default=Mode.RUN.value, help="dry-run writes nothing")
    how.add_argument("--force", action="store_true", help="store a new capture even of unchanged content")
    how.add_argument("--reason", metavar="TEXT", help="why, with --force; kept with the captures")
    how.add_argument("--verify", action="store_true", help="compare contents even where FINRA's version is unchanged")
    how.add_argument("--order", choices=[o.value for o in Order], default=Order.PHASED.value, help="order of work")
    how.add_argument("--max-bytes", type=int, metavar="N", help="do not receive more from FINRA [FINRA_MAX_BYTES]")
    how.add_argument("--workers", type=int, default=4, metavar="N", help="partitions fetched at once [4]")
    how.add_argument(
        "--executor",
        metavar="URL",
        help="who does it: threads:, processes:, dask: or dask://host:port [threads that fetch, nothing else]",
    )


def run_request(options: argparse.Namespace) -> RunRequest:
    """The request that the options describe.

    Raises:
        ConfigurationError: an option's value is malformed or out of range, or two contradict each other.
    """
    from finra_core.domain.tiers import TIERS, parse_tiers  # noqa: PLC0415
    from finra_core.domain.weeks import parse_date, parse_weeks  # noqa: PLC0415
    from finra_core.runs.request import Mode, Order, RunRequest, Window  # noqa: PLC0415

    if options.reason is not None and not options.force:
        raise ConfigurationError("--reason goes with --force")
    return RunRequest(
        lookback_weeks=options.lookback_weeks,
        weeks=() if options.weeks is None else parse_weeks(options.weeks),
        tiers=TIERS if options.tiers is None else parse_tiers(options.tiers),
        mode=Mode(options.mode),
        force=options.force,
        reason=options.reason,
        verify=options.verify,
        order=Order(options.order),
        window=Window(options.window),
        run_date=None if options.run_date is None else parse_date(options.run_date),
        workers=options.workers,
    )


def source_url(options: argparse.Namespace) -> str:
    """The URL that --source and --source-path name.

    Raises:
        ConfigurationError: --source file without --source-path, or --source-path without it.
    """
    source: str = options.source
    if source == "file":
        if not options.source_path:
            raise ConfigurationError("--source file needs --source-path: the folder with FINRA's files")
        from urllib.parse import quote  # noqa: PLC0415  only this source needs it

        return f"file:{quote(options.source_path)}"
    if options.source_path:
        raise ConfigurationError("--source-path goes with --source file")
    return source if ":" in source else f"{source}:"
