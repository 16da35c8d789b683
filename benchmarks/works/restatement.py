"""FINRA changes three rows of one partition."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.databases import Database, Postgres
from benchmarks.inputs import RESTATED_ROWS
from benchmarks.results import Measure, at_most
from benchmarks.stored import check_captures
from benchmarks.truth import changed_rows, partition_folders, read_rows

GOAL = at_most(0.01)
LATER = "2026-06-03"
ROWS = """
SELECT symbol, issue_name, mpid, crd, product_type, shares_micros, trades, last_update_date
FROM finra_otc_transparency_normalized WHERE capture_id LIKE '%{}'"""


def run(bench: Bench) -> Iterator[Measure]:
    """What a restatement of three rows writes, against what the first capture of its partition wrote."""
    for database in bench.databases:
        yield from _written(bench, database)


def _written(bench: Bench, database: Database) -> Iterator[Measure]:
    live = bench.scratch / "live"
    written, grown = [], []
    with bench.store(database) as url:
        bench.product.command("db", "upgrade", "--store", url).measure()
        for source, days in _states(bench):
            shutil.rmtree(live, ignore_errors=True)
            shutil.copytree(source, live)
            size = database.size(url)
            written.append(_bytes_written(bench, database, url, live, days))
            grown.append(database.size(url) - size)
        _check(bench, database, url)
    what = {"sqlite": "passed to write()", "postgres": "of write-ahead log"}[database.name]
    beside = f"{written[1]:,} of {written[0]:,} bytes {what}"
    yield Measure(
        f"{database.name}: bytes written, restatement / first capture", [written[1] / written[0]], GOAL, beside
    )
    beside = f"{grown[1]:,} of {grown[0]:,} bytes"
    yield Measure(
        f"{database.name}: growth of the database, restatement / first capture", [grown[1] / grown[0]], None, beside
    )


def _states(bench: Bench) -> list[tuple[Path, str]]:
    """The partition's files before and after, each with the date of its run."""
    return [(bench.inputs.before_restatement(), "2026-06-01"), (bench.inputs.after_restatement(), LATER)]


def _bytes_written(bench: Bench, database: Database, url: str, live: Path, day: str) -> int:
    before = database.log_bytes() if isinstance(database, Postgres) else 0
    cost = database.measure(bench.product.run(live, url, "--run-date", day))
    if isinstance(database, Postgres):
        return database.log_bytes() - before
    return cost.written_bytes or 0


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
