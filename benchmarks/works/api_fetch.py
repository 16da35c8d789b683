"""Fetching over HTTP, where every answer takes 100 ms."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from attrs import define, field

from benchmarks import rivals
from benchmarks.bench import Bench
from benchmarks.environments import clean_environ
from benchmarks.measuring import Command, Contender, Cost, alternate, ratios, typical, wall
from benchmarks.results import Measure, at_least, at_most
from benchmarks.serving import Asked, Service, serving
from benchmarks.stored import check_captures, check_store
from benchmarks.truth import Key, micros, read_totals

LATENCY_SECONDS = 0.1
GOAL = at_least(5.0)
RATE_LIMIT = 20.0
"""Requests a second that FINRA allows."""
_TIERS = {"T1": "NMS_TIER_1", "T2": "NMS_TIER_2", "OTCE": "OTC"}


def run(bench: Bench) -> Iterator[Measure]:
    """All partitions from FINRA's API at 100 ms latency, against a client that asks for one page after the other."""
    with serving(bench.inputs, LATENCY_SECONDS) as service:
        fetch = _Fetch(bench, service)
        fetch.product()  # the answers are recorded
        questions = [asked.body for asked in fetch.asked if asked.kind == "page"]
        fetch.questions.write_text("\n".join(sorted(questions)), encoding="utf-8")
        contenders = [
            Contender("fetch", fetch.product),
            Contender("sequential", fetch.sequential),
            Contender("run", fetch.whole_run),
        ]
        costs = alternate(contenders, bench.rounds)
        yield from _measures(costs, fetch.asked, len(questions))


@define
class _Fetch:
    """One turn of each; asked: the log of the product's last turn."""

    bench: Bench
    service: Service
    asked: list[Asked] = field(factory=list)

    @property
    def questions(self) -> Path:
        return self.bench.scratch / "questions.txt"

    @property
    def weeks(self) -> str:
        return ",".join(map(str, self.bench.inputs.weeks))

    def product(self) -> Cost:
        """The library's fetch alone, four partitions at once as in a run."""
        self.service.forget()
        cost = self._into_folder(partial(self.bench.product.program, "fetch_all.py", self.service.url, self.weeks))
        self.asked = self.service.asked()
        return cost

    def sequential(self) -> Cost:
        """The same pages, one after the other, without looking for the version."""
        script = Path(rivals.__file__).with_name("sequential_client.py")
        arguments: list[str | Path] = [self.bench.product.python, script, self.service.url, self.questions]

        def command(folder: str) -> Command:
            return Command(arguments=[*arguments, folder], folder=self.bench.scratch, environ=clean_environ())

        return self._into_folder(command)

    def whole_run(self) -> Cost:
        """`finra run`: the fetch and everything after it."""
        bench = self.bench
        with bench.store(bench.sqlite) as url:
            cost = bench.product.run(self.service.url, url, "--weeks", self.weeks).measure()
            truth = read_totals(bench.inputs.first())
            check_store(bench.checks, bench.sqlite, url, truth)
            check_captures(bench.checks, bench.sqlite, url, len(truth))
            return cost

    def _into_folder(self, command: Callable[[str], Command]) -> Cost:
        """Measure a command that writes FINRA's CSV into a new folder, and check what it wrote."""
        folder = self.bench.scratch / "fetched"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        cost = command(str(folder)).measure()
        truth = {key: totals.sums for key, totals in read_totals(self.bench.inputs.first()).items()}
        self.bench.checks.equal("rows, millionths of shares and trades fetched", _sums(folder), truth)
        return cost


def _sums(folder: Path) -> dict[Key, tuple[int, int, int]]:
    """Of the rows by symbol and venue; FINRA's own totals by symbol, which come with them, are left out."""
    sums: dict[Key, tuple[int, int, int]] = {}
    for path in sorted(folder.iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE):
                if row["summaryTypeCode"].endswith("_FIRM"):
                    week = date.fromisoformat(row["weekStartDate"]) + timedelta(days=4)
                    key = str(week), _TIERS[row["tierIdentifier"]]
                    rows, shares, trades = sums.get(key, (0, 0, 0))
                    shares += micros(row["totalWeeklyShareQuantity"])
                    sums[key] = rows + 1, shares, trades + int(row["totalWeeklyTradeCount"])
    return sums


def _measures(costs: Mapping[str, Sequence[Cost]], asked: Sequence[Asked], pages: int) -> Iterator[Measure]:
    fetches, sequential = costs["fetch"], costs["sequential"]
    beside = f"fetch {typical(fetches)}; sequential {typical(sequential)}"
    yield Measure("wall, sequential client / fetch", ratios(sequential, fetches, wall), GOAL, beside)
    possible = [cost.wall_seconds / (pages / RATE_LIMIT) for cost in sequential]
    yield Measure(f"the most that {RATE_LIMIT:g} requests a second allow: sequential client / {pages} pages", possible)
    beside = f"run {typical(costs['run'])}"
    yield Measure("wall, sequential client / whole run", ratios(sequential, costs["run"], wall), None, beside)
    times = sorted(request.began for request in asked)
    rate = round((len(times) - 1) / (times[-1] - times[0]))  # each arrives a little sooner or later than it was sent
    yield Measure("requests of the fetch", [rate], at_most(RATE_LIMIT), f"{len(times)} in all", "a second")
