"""`finra --help`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.environments import clean_environ
from benchmarks.measuring import Command, Contender, Cost, alternate, cpu, ratios, typical, wall
from benchmarks.results import Measure, at_most

GOAL = at_most(2.0)
_ROUNDS = 4
"""Times the rounds of other works: each takes a fraction of a second."""


def run(bench: Bench) -> Iterator[Measure]:
    """What it takes until `finra --help` has answered, against importing click."""
    contenders = [Contender("finra", lambda: _help(bench))]
    if bench.takes_part("click"):
        click: list[str | Path] = [bench.environment("click").python, "-c", "import click"]
        contenders.append(
            Contender("click", Command(arguments=click, folder=bench.scratch, environ=clean_environ()).measure)
        )
    costs = alternate(contenders, bench.rounds * _ROUNDS)
    beside = f"finra --help {_milliseconds(costs['finra'])}"
    if "click" not in costs:
        yield Measure(
            "wall of finra --help", [cost.wall_seconds for cost in costs["finra"]], None, typical(costs["finra"]), "s"
        )
        return
    beside = f"{beside}; import click {_milliseconds(costs['click'])}"
    yield Measure("wall, finra --help / import click", ratios(costs["finra"], costs["click"], wall), GOAL, beside)
    yield Measure("CPU, finra --help / import click", ratios(costs["finra"], costs["click"], cpu), GOAL)


def _help(bench: Bench) -> Cost:
    output = Path(bench.scratch / "help.txt")
    cost = bench.product.command("--help", stdout=output).measure()
    said = output.read_text(encoding="utf-8")
    bench.checks.equal("what --help says first", said.split()[:2], ["Usage:", "finra"])
    return cost


def _milliseconds(costs: list[Cost]) -> str:
    return f"{1000 * sorted(map(wall, costs))[len(costs) // 2]:.0f} ms"
