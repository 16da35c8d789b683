"""Three years of weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from statistics import median

from benchmarks.bench import Bench
from benchmarks.databases import Database
from benchmarks.measuring import Cost, cpu, wall
from benchmarks.results import Measure, at_most
from benchmarks.stored import check_captures, check_store
from benchmarks.truth import read_totals

GOAL = at_most(1.2)
_TIERS = 3
_EIGHTHS = 8


def run(bench: Bench) -> Iterator[Measure]:
    """What a partition costs at the end of a backfill of 156 weeks, against what one cost at its start."""
    for database in bench.databases:
        yield from _in_several_runs(bench, database)
        yield from _in_one_run(bench, database)


def _in_several_runs(bench: Bench, database: Database) -> Iterator[Measure]:
    rounds = [_runs(bench, database) for _ in range(min(bench.rounds, 3))]
    partitions = bench.size.backfill_weeks * _TIERS / bench.size.backfill_runs
    first, last = [costs[0] for costs in rounds], [costs[-1] for costs in rounds]
    beside = f"{_each(first, partitions)} at the start, {_each(last, partitions)} at the end"
    what = f"{database.name}: wall of the last of {bench.size.backfill_runs} runs / of the first"
    yield Measure(
        what, [end.wall_seconds / start.wall_seconds for start, end in zip(first, last, strict=True)], GOAL, beside
    )
    what = f"{database.name}: CPU of the last / of the first"
    yield Measure(what, [end.cpu_seconds / start.cpu_seconds for start, end in zip(first, last, strict=True)], GOAL)


def _runs(bench: Bench, database: Database) -> list[Cost]:
    """The costs of the runs, each of as many weeks, oldest first."""
    files, weeks = bench.inputs.backfill(), bench.inputs.backfill_weeks
    count = bench.size.backfill_runs
    with bench.store(database) as url:
        bench.product.command("db", "upgrade", "--store", url).measure()
        costs = []
        for i in range(count):
            asked = weeks[len(weeks) * i // count : len(weeks) * (i + 1) // count]
            costs.append(database.measure(bench.product.run(files, url, "--weeks", ",".join(map(str, asked)))))
        _check(bench, database, url)
    return costs


def _in_one_run(bench: Bench, database: Database) -> Iterator[Measure]:
    """By the times of its captures: week after week, each through all phases."""
    found = []
    for _ in range(min(bench.rounds, 3)):
        with bench.store(database) as url:
            cost = database.measure(bench.product.run(bench.inputs.backfill(), url, "--order", "chained"))
            times = database.rows(url, "SELECT captured_at FROM core_captures ORDER BY captured_at")
            found.append(_last_to_first([_instant(at) for (at,) in times]))
            _check(bench, database, url)
    beside = f"{cost.wall_seconds:.1f} s, {cost.cpu_seconds:.1f} s CPU"
    yield Measure(f"{database.name}: one run: wall of the last eighth / of the first", found, GOAL, beside)


def _last_to_first(times: list[datetime]) -> float:
    span = len(times) // _EIGHTHS
    return (times[-1] - times[-1 - span]) / (times[span] - times[0])


def _instant(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))


def _check(bench: Bench, database: Database, url: str) -> None:
    truth = read_totals(bench.inputs.backfill())
    check_store(bench.checks, database, url, truth)
    check_captures(bench.checks, database, url, len(truth))


def _each(costs: list[Cost], partitions: float) -> str:
    elapsed, spent = (1000 * median(map(seconds, costs)) / partitions for seconds in (wall, cpu))
    return f"{elapsed:.0f} ms ({spent:.0f} ms CPU)"
