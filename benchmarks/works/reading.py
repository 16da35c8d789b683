"""Reading back: any capture, and what differs between two, with years of captures in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from attrs import define

from benchmarks import floor
from benchmarks.bench import Bench
from benchmarks.databases import Database
from benchmarks.measuring import Command, Contender, Cost, alternate, ratios, typical, wall
from benchmarks.results import Measure
from benchmarks.truth import changed_rows, comparable, partition_folders, read_rows

OLD_DAY, NEW_DAY = "2026-06-01", "2026-06-03"
_COLUMNS = "symbol, issue_name, mpid, crd, product_type, shares_micros, trades, last_update_date"
_CAPTURE = f"SELECT {_COLUMNS} FROM finra_otc_transparency_normalized WHERE capture_id = '{{0}}'"
_TABLE = """
SELECT symbol, issue_name, mpid, venue_name, shares, trades, last_update_date
FROM normalized WHERE capture_id = '{0}'"""
_DIFFERENCE = """
SELECT * FROM ({0} EXCEPT {1}) AS withdrawn UNION ALL SELECT * FROM ({1} EXCEPT {0}) AS added"""


def run(bench: Bench) -> Iterator[Measure]:
    """A large capture, and its difference to the next, out of years of captures: the views against a plain table."""
    for database in bench.databases:
        with bench.store(database) as full, bench.store(database) as alone, bench.store(database) as plain:
            _fill(bench, database, alone)
            database.measure(bench.product.run(bench.inputs.backfill(), full))
            _fill(bench, database, full)
            _load(bench, database, plain)
            yield from _Reading(bench, database, full, alone, plain).measures()


@define
class _Reading:
    """One kind of database. full: with years of captures; alone: with two captures; plain: the floor's table."""

    bench: Bench
    database: Database
    full: str
    alone: str
    plain: str

    def measures(self) -> Iterator[Measure]:
        """Everybody's turns, then the ratios."""
        ids = [floor.capture_id(*self._key, day) for day in (OLD_DAY, NEW_DAY)]
        view, table = _CAPTURE.format(ids[0]), _TABLE.format(ids[0])
        difference = _DIFFERENCE.format(*map(_CAPTURE.format, ids))
        plain_difference = _DIFFERENCE.format(*map(_TABLE.format, ids))
        old, changed = self._truth()
        program = self.bench.product.program("read_records.py", self.full, ids[0], stdout=self._output)
        contenders = [
            Contender("view", partial(self._ask, self.full, view, old)),
            Contender("view alone", partial(self._ask, self.alone, view, old)),
            Contender("table", partial(self._ask, self.plain, table, old.total())),
            Contender("library", partial(self._library, program, old.total())),
            Contender("difference", partial(self._ask, self.full, difference, changed)),
            Contender("table difference", partial(self._ask, self.plain, plain_difference, changed.total())),
        ]
        yield from self._ratios(alternate(contenders, self.bench.rounds))

    def _ratios(self, costs: Mapping[str, Sequence[Cost]]) -> Iterator[Measure]:
        def measure(what: str, ours: str, theirs: str) -> Measure:
            beside = f"{typical(costs[ours])}; {typical(costs[theirs])}"
            return Measure(f"{self.database.name}: {what}", ratios(costs[ours], costs[theirs], wall), None, beside)

        yield measure("wall, a capture by the view / out of a plain table", "view", "table")
        yield measure("wall, with years of captures in the store / with two", "view", "view alone")
        yield measure("wall, a capture by the library / out of a plain table", "library", "table")
        yield measure(
            "wall, two captures' difference by the view / out of a plain table", "difference", "table difference"
        )

    @property
    def _key(self) -> tuple[str, str]:
        partition = self.bench.inputs.restated_partition
        return str(partition.week_ending), partition.tier.value

    @property
    def _output(self) -> Path:
        return self.bench.scratch / "output.txt"

    def _truth(self) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
        """The rows of the first capture, and those that only one of the two captures has."""
        before, after = (_partition(self.bench, when) for when in ("before", "after"))
        withdrawn, added = changed_rows(before, after)
        return Counter(map(comparable, read_rows(before))), withdrawn + added

    def _ask(self, url: str, query: str, expected: Counter[tuple[str, ...]] | int) -> Cost:
        cost = self.database.measure(self.database.ask(url, query, self._output))
        lines = self._output.read_text(encoding="utf-8").splitlines()
        found = len(lines) if isinstance(expected, int) else Counter(tuple(line.split("|")) for line in lines)
        self.bench.checks.equal(f"{self.database.name}: what was read back", found, expected)
        return cost

    def _library(self, program: Command, expected: int) -> Cost:
        cost = self.database.measure(program)
        found = int(self._output.read_text(encoding="utf-8"))
        self.bench.checks.equal(f"{self.database.name}: records read back", found, expected)
        return cost


def _partition(bench: Bench, when: str) -> Path:
    inputs = bench.inputs
    folder = inputs.before_restatement() if when == "before" else inputs.after_restatement()
    return next(iter(partition_folders(folder).values()))


def _fill(bench: Bench, database: Database, url: str) -> None:
    """Ingest the large partition, before and after its restatement."""
    database.measure(bench.product.run(bench.inputs.before_restatement(), url, "--run-date", OLD_DAY))
    database.measure(bench.product.run(bench.inputs.after_restatement(), url, "--run-date", NEW_DAY))


def _load(bench: Bench, database: Database, url: str) -> None:
    """Load the same into the plain table."""
    inputs = bench.inputs
    folders = [
        (inputs.backfill(), OLD_DAY),
        (inputs.before_restatement(), OLD_DAY),
        (inputs.after_restatement(), NEW_DAY),
    ]
    bodies = [body for folder, day in folders for body in floor.bodies(folder, day)]
    database.measure(database.load(url, bodies))
