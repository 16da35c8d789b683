"""Measure, check, report. Exit code 1 where a result is wrong, never for a time; 2 where something is missing."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import machine, product, profiling, report
from benchmarks.bench import RIVALS, Bench
from benchmarks.databases import Database, Postgres, Sqlite, sqlite_shell
from benchmarks.inputs import SIZES
from benchmarks.measuring import CommandError
from benchmarks.postgres import running
from benchmarks.results import Measure, Outcome
from benchmarks.works import WORKS
from support.postgres_server import NoPostgresError


def main() -> int:
    """Do what the command line asks for."""
    options = _parser().parse_args()
    if options.list:
        sys.stdout.write("".join(f"{name}: {(run.__doc__ or '').splitlines()[0]}\n" for name, run in WORKS.items()))
        return 0
    try:
        return _main(options)
    except (NoPostgresError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _main(options: argparse.Namespace) -> int:
    with _bench(options) as bench:
        if options.profile:
            sys.stdout.write(profiling.profile(options.profile, bench))
            return 0
        about = machine.describe(bench.folder)
        outcomes = [_outcome(bench, work) for work in options.works or WORKS]
        settings = {"size": f"{bench.size.name}, {bench.rounds} rounds", "rivals": _versions(bench)}
    text = report.markdown(outcomes, about, settings)
    sys.stdout.write(text)
    if options.json:
        options.json.write_text(report.as_json(outcomes, about, settings), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.write:
        report.write_between_marks(options.write, text)
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def _outcome(bench: Bench, work: str) -> Outcome:
    """Do a work; where it breaks off, that is wrong too, and the others are done all the same."""
    sys.stderr.write(f"{work}...\n")
    bench.begin()
    measures: list[Measure] = []
    try:
        for measure in WORKS[work](bench):
            sys.stderr.write(f"  {measure.what}: {measure.median:.3g}\n")
            measures.append(measure)
    except (CommandError, subprocess.CalledProcessError) as error:
        bench.checks.wrong.append(f"{error} {getattr(error, 'stderr', None) or ''}".strip())
    for wrong in bench.checks.wrong:
        sys.stderr.write(f"  WRONG: {wrong}\n")
    return Outcome(work, measures, bench.checks.right, bench.checks.wrong, bench.skipped)


@contextmanager
def _bench(options: argparse.Namespace) -> Iterator[Bench]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the server is to end with us
    with ExitStack() as stack:
        folder = (options.folder or stack.enter_context(_temporary())).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        scratch = stack.enter_context(_temporary(folder))
        size = SIZES[options.size]
        yield Bench(
            folder=folder,
            scratch=scratch,
            size=size,
            rounds=options.repeats or size.rounds,
            rivals=options.rivals,
            databases=_databases(() if options.profile else options.databases, folder, scratch, stack),
            product=product.Product(options.finra, scratch),
        )


@contextmanager
def _temporary(folder: Path | None = None) -> Iterator[Path]:
    """A folder that the server, who may be somebody else, can pass through."""
    with tempfile.TemporaryDirectory(prefix="finra-benchmarks-", dir=folder) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def _databases(names: Sequence[str], folder: Path, scratch: Path, stack: ExitStack) -> list[Database]:
    sqlite_shell()  # without it there is nothing to compare with
    databases: list[Database] = [Sqlite(scratch)]
    if "postgres" in names:
        databases.append(Postgres(stack.enter_context(running(folder)), scratch))
    return databases


def _versions(bench: Bench) -> str:
    return ", ".join(f"{name} {version}" for name, version in bench.versions().items()) or "none but the loaders"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("works", nargs="*", metavar="WORK", type=_work, help="those to do [all]")
    parser.add_argument("--list", action="store_true", help="say which works there are")
    parser.add_argument("--size", choices=SIZES, default="full", help="how large they are [full]")
    parser.add_argument("--repeats", type=int, metavar="N", help="rounds of A B A B [5, small 1]")
    parser.add_argument("--rivals", type=_names(RIVALS), default=RIVALS, help=f"of {','.join(RIVALS)}, or none [all]")
    parser.add_argument(
        "--databases", type=_names(("sqlite", "postgres")), default=("sqlite", "postgres"), help="[sqlite,postgres]"
    )
    parser.add_argument("--finra", type=Path, default=product.installed(), help="another command to measure")
    parser.add_argument("--folder", type=Path, help="where files and environments are kept for the next time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of this page")
    parser.add_argument(
        "--profile", choices=profiling.PROFILES, help="say where a run's time goes, and measure nothing"
    )
    return parser


def _work(name: str) -> str:
    if name not in WORKS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(WORKS)}")
    return name


def _names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        names = tuple(name for name in text.split(",") if name != "none")
        unknown = set(names) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"{min(unknown)!r} is none of {', '.join(known)}")
        return names

    return read


if __name__ == "__main__":
    sys.exit(main())
