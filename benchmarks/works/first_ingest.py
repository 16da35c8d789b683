"""The first ingest of several weeks of files: fetch, check, hash, archive, normalize, analyze, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from attrs import define, field

from benchmarks import floor, rivals
from benchmarks.bench import Bench
from benchmarks.databases import Database
from benchmarks.environments import clean_environ
from benchmarks.measuring import Command, Contender, Cost, alternate, cpu, ratios, typical, wall
from benchmarks.results import Goal, Measure, at_least, at_most
from benchmarks.stored import check_captures, check_store, check_table
from benchmarks.truth import Key, Totals, read_totals

FLOOR_GOALS = {"sqlite": at_most(1.2), "postgres": at_most(1.5)}
PANDAS_GOALS = {"sqlite": at_least(1.0), "postgres": at_least(5.0)}
DLT_GOAL = at_least(10.0)
SIZE_GOAL = at_most(0.6)
_RIVALS = Path(rivals.__file__).parent
_DLT = {"dlt": ("dicts", "append"), "dlt-merge": ("dicts", "merge"), "dlt-arrow": ("arrow", "append")}
_SLOW_TURNS = 1
"""dlt takes minutes: one turn of it is enough to see a tenfold difference."""


def run(bench: Bench) -> Iterator[Measure]:
    """The first ingest against the database's own loader, pandas and dlt, on both databases."""
    files = bench.inputs.first()
    for database in bench.databases:
        yield from _Ingest(bench, database, files).measures(bench.rivals)


def run_fractional(bench: Bench) -> Iterator[Measure]:
    """The same with fractions of shares, as FINRA has published them since 2026-02-23, against the loaders alone."""
    files = bench.inputs.fractional()
    for database in bench.databases:
        yield from _Ingest(bench, database, files, fractional=True).measures(set(bench.rivals) & {"floor"})


@define
class _Ingest:
    """One folder of files into one kind of database."""

    bench: Bench
    database: Database
    files: Path
    fractional: bool = False
    sizes: list[int] = field(factory=list)

    @property
    def truth(self) -> Mapping[Key, Totals]:
        return read_totals(self.files)

    def measures(self, rivals: Sequence[str] | set[str]) -> Iterator[Measure]:
        """Everybody's turns, then the ratios."""
        commands: dict[str, Callable[[str], Command]] = {"floor": self._floor, "pandas": self._pandas}
        commands |= {name: partial(self._dlt, name) for name in _DLT}
        contenders = [Contender("finra", self._product)]
        for name, command in commands.items():
            if name in rivals and self.bench.takes_part(name):
                turns = _SLOW_TURNS if name in _DLT else self.bench.rounds
                contenders.append(Contender(name, partial(self._turn, command), turns))
        costs = alternate(contenders, self.bench.rounds)
        yield from self._against_floor(costs)
        yield from self._against("pandas", costs, PANDAS_GOALS[self.database.name])
        for name in _DLT:
            yield from self._against(name, costs, DLT_GOAL)
        yield from self._space()

    def _product(self) -> Cost:
        with self.bench.store(self.database) as url:
            cost = self.database.measure(self.bench.product.run(self.files, url))
            check_store(self.bench.checks, self.database, url, self.truth)
            check_captures(self.bench.checks, self.database, url, len(self.truth))
            self.sizes.append(self.database.size(url))
            return cost

    def _turn(self, command: Callable[[str], Command]) -> Cost:
        with self.bench.store(self.database) as url:
            cost = self.database.measure(command(url))
            check_table(self.bench.checks, self.database, url, self.truth)
            return cost

    def _floor(self, url: str) -> Command:
        return self.database.load(url, floor.bodies(self.files), fractional=self.fractional)

    def _pandas(self, url: str) -> Command:
        return self._script("pandas", "pandas_to_sql.py", url)

    def _dlt(self, name: str, url: str) -> Command:
        return self._script(name, "dlt_load.py", url, *_DLT[name])

    def _script(self, rival: str, script: str, url: str, *options: str) -> Command:
        home = self.bench.scratch / f"{rival}-{len(list(self.bench.scratch.iterdir()))}"
        home.mkdir()
        python = self.bench.environment(rival).python
        arguments: list[str | Path] = [python, _RIVALS / script, self.files, self.database.open_url(url), *options]
        return Command(arguments=arguments, folder=home, environ=clean_environ())

    def _against_floor(self, costs: Mapping[str, Sequence[Cost]]) -> Iterator[Measure]:
        if "floor" not in costs:
            return
        ours, floors, loader = costs["finra"], costs["floor"], self.database.loader
        beside = f"finra {typical(ours)}; {loader} {typical(floors)}"
        goal = FLOOR_GOALS[self.database.name]
        yield Measure(f"{self.database.name}: wall, finra / {loader}", ratios(ours, floors, wall), goal, beside)
        yield Measure(f"{self.database.name}: CPU, finra / {loader}", ratios(ours, floors, cpu))

    def _against(self, rival: str, costs: Mapping[str, Sequence[Cost]], goal: Goal) -> Iterator[Measure]:
        if rival in costs:
            theirs, name = costs[rival], self.database.name
            beside = f"{rival} {typical(theirs)}"
            yield Measure(f"{name}: wall, {rival} / finra", ratios(theirs, costs["finra"], wall), goal, beside)

    def _space(self) -> Iterator[Measure]:
        rows = sum(totals.rows for totals in self.truth.values())
        files = sum(totals.size_bytes for totals in self.truth.values())
        size, name = median(self.sizes), self.database.name
        beside = f"{size / 1e6:.1f} MB, {size / rows:.1f} bytes a row; files {files / 1e6:.1f} MB, {rows:,} rows"
        yield Measure(
            f"{name}: database with the raw archive / files", [size / files for size in self.sizes], SIZE_GOAL, beside
        )
