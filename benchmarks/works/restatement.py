"""FINRA changes three rows of one partition."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from benchmarks.bench import Bench
from benchmarks.databases import Database, Postgres
from benchmarks.inputs import RESTATED_ROWS
from benchmarks.results import Measure, at_most
from benchmarks.stored import check_captures
from benchmarks.truth import changed_rows, partition_folders, read_rows

WRITTEN_GOALS = {"sqlite": at_most(0.10), "postgres": at_most(0.015)}
GROWTH_GOAL = at_most(0.005)
LATER = "2026-06-03"
ROWS = """
SELECT symbol, issue_name, mpid, crd, product_type, shares_micros, trades, last_update_date
FROM finra_otc_transparency_normalized WHERE capture_id LIKE '%{}'"""


@frozen
class _Trace:
    """What a run has left: bytes written, and bytes by which the database has grown."""

    written: int | None
    grown: int


def run(bench: Bench) -> Iterator[Measure]:
    """What a restatement of three rows writes, against what the first capture of its partition wrote."""
    for database in bench.databases:
        yield from _written(bench, database)


def _written(bench: Bench, database: Database) -> Iterator[Measure]:
    """The ratios of the second ingest to the first: bytes written, and how much the database has grown."""
    with bench.store(database) as url:
        bench.product.command("db", "upgrade", "--store", url).measure()
        first, second = (_ingest(bench, database, url, files, day) for files, day in _states(bench))
        _check(bench, database, url)
    if first.written is None or second.written is None:
        bench.skip(f"{database.name}: bytes written, which this system does not count")
    else:
        what = {"sqlite": "passed to write()", "postgres": "of write-ahead log"}[database.name]
        beside = f"{second.written:,} of {first.written:,} bytes {what}"
        name = f"{database.name}: bytes written, restatement / first capture"
        yield Measure(name, [second.written / first.written], WRITTEN_GOALS[database.name], beside)
    beside = f"{second.grown:,} of {first.grown:,} bytes"
    name = f"{database.name}: growth of the database, restatement / first capture"
    yield Measure(name, [second.grown / first.grown], GROWTH_GOAL, beside)


def _states(bench: Bench) -> list[tuple[Path, str]]:
    """The partition's files before and after, each with the date of its run."""
    return [(bench.inputs.before_restatement(), "2026-06-01"), (bench.inputs.after_restatement(), LATER)]


def _ingest(bench: Bench, database: Database, url: str, files: Path, day: str) -> _Trace:
    """Put these files in the place of the last ones and run."""
    live = bench.scratch / "live"
    shutil.rmtree(live, ignore_errors=True)
    shutil.copytree(files, live)
    size, log = database.size(url), _log_bytes(database)
    cost = database.measure(bench.product.run(live, url, "--run-date", day))
    written = cost.written_bytes if log is None else (_log_bytes(database) or 0) - log
    return _Trace(written, database.size(url) - size)


def _log_bytes(database: Database) -> int | None:
    """Where a server writes for its clients: the length of its log."""
    return database.log_bytes() if isinstance(database, Postgres) else None


def _check(bench: Bench, database: Database, url: str) -> None:
    before, after = (_partition(folder) for folder, _day in _states(bench))
    withdrawn, added = changed_rows(before, after)
    bench.checks.equal(
        "rows that the files changed", (withdrawn.total(), added.total()), (RESTATED_ROWS, RESTATED_ROWS)
    )
    old, new = (capture_rows(database, url, day) for _folder, day in _states(bench))
    bench.checks.equal("rows of the first capture", old.total(), sum(1 for _ in read_rows(before)))
    bench.checks.equal("rows that changed", (old - new, new - old), (withdrawn, added))
    check_captures(bench.checks, database, url, 2)


def _partition(folder: Path) -> Path:
    return next(iter(partition_folders(folder).values()))


def capture_rows(database: Database, url: str, day: str) -> Counter[tuple[str, ...]]:
    """The rows of the capture of this run date, as `truth.comparable` shows a file's."""
    found = database.rows(url, ROWS.format(day.replace("-", "")))
    return Counter(tuple("" if value is None else str(value) for value in row) for row in found)
