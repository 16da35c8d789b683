"""Volumes per venue, their shares, HHI and totals: of every capture, and across the tiers of every week."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import floor
from benchmarks.bench import Bench
from benchmarks.databases import Database
from benchmarks.measuring import Contender, Cost, alternate, cpu, ratios, typical, wall
from benchmarks.results import Measure
from benchmarks.stored import check_analyses
from benchmarks.truth import read_totals

SQL = """
CREATE TABLE venue_volume AS
  SELECT week_ending, tier, mpid, sum(shares) AS shares, sum(trades) AS trades, count(DISTINCT symbol) AS symbols
  FROM normalized GROUP BY week_ending, tier, mpid;
CREATE TABLE venue_volume_all AS
  SELECT week_ending, mpid, sum(shares) AS shares, sum(trades) AS trades, count(DISTINCT symbol) AS symbols
  FROM normalized GROUP BY week_ending, mpid;
SELECT v.week_ending, v.tier, sum((1.0 * v.shares / t.shares) * (1.0 * v.shares / t.shares)) AS hhi
FROM venue_volume AS v
JOIN (SELECT week_ending, tier, sum(shares) AS shares FROM venue_volume GROUP BY week_ending, tier) AS t
  ON t.week_ending = v.week_ending AND t.tier = v.tier
GROUP BY v.week_ending, v.tier;
"""


def run(bench: Bench) -> Iterator[Measure]:
    """The analytics of the first ingest's captures by the library, against the same sums in SQL over a plain table."""
    files = bench.inputs.first()
    for database in bench.databases:
        with bench.store(database) as store, bench.store(database) as plain:
            database.measure(bench.product.run(files, store))
            database.measure(database.load(plain, floor.bodies(files)))
            contenders = [
                Contender("finra", partial(_library, bench, database, store)),
                Contender("sql", partial(_sql, bench, database, plain)),
            ]
            costs = alternate(contenders, bench.rounds)
        beside = f"finra {typical(costs['finra'])}; SQL {typical(costs['sql'])}"
        yield Measure(
            f"{database.name}: wall, finra / SQL over a plain table",
            ratios(costs["finra"], costs["sql"], wall),
            None,
            beside,
        )
        yield Measure(
            f"{database.name}: CPU, finra / SQL over a plain table", ratios(costs["finra"], costs["sql"], cpu)
        )


def _library(bench: Bench, database: Database, store: str) -> Cost:
    output = bench.scratch / "analyses.json"
    cost = database.measure(bench.product.program("analyze_all.py", store, stdout=output))
    found = {(week, tier): values for week, tier, *values in map(json.loads, _lines(output))}
    check_analyses(bench.checks, found, read_totals(bench.inputs.first()))
    return cost


def _sql(bench: Bench, database: Database, plain: str) -> Cost:
    output = bench.scratch / "hhi.txt"
    cost = database.measure(database.ask(plain, SQL, output))
    bench.checks.equal("tiers that SQL gave an HHI", len(_lines(output)), len(read_totals(bench.inputs.first())))
    database.measure(database.ask(plain, "DROP TABLE venue_volume; DROP TABLE venue_volume_all", output))
    return cost


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
