"""A run that finds nothing new."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measuring import Command, Contender, Cost, alternate, cpu, ratios, typical
from benchmarks.results import Measure, at_most
from benchmarks.serving import Service, serving
from benchmarks.stored import check_captures, check_store
from benchmarks.truth import read_totals

CPU_GOAL = at_most(2.0)


def run(bench: Bench) -> Iterator[Measure]:
    """An unchanged run over FINRA's API and over files, against importing the package and opening the store."""
    with serving(bench.inputs, latency=0.0) as service, bench.store(bench.sqlite) as url:
        yield from _over_api(bench, service, url)


def _over_api(bench: Bench, service: Service, store: str) -> Iterator[Measure]:
    weeks = ("--weeks", ",".join(map(str, bench.inputs.weeks)))
    files = bench.inputs.first()
    with bench.store(bench.sqlite) as other_store:
        bench.product.run(service.url, store, *weeks).measure()
        bench.product.run(files, other_store).measure()
        service.forget()
        over_api, over_files = Path(bench.scratch / "api.json"), Path(bench.scratch / "files.json")
        contenders = [
            Contender(
                "api",
                lambda: _unchanged(bench, store, bench.product.run(service.url, store, *weeks, "--json"), over_api),
            ),
            Contender("open", bench.product.program("open_store.py", store).measure),
            Contender(
                "files",
                lambda: _unchanged(bench, other_store, bench.product.run(files, other_store, "--json"), over_files),
            ),
        ]
        costs = alternate(contenders, bench.rounds)
    beside = f"run {typical(costs['api'])}; opening {typical(costs['open'])}"
    yield Measure(
        "CPU, unchanged run over the API / importing and opening",
        ratios(costs["api"], costs["open"], cpu),
        CPU_GOAL,
        beside,
    )
    beside = f"run {typical(costs['files'])}"
    yield Measure(
        "CPU, unchanged run over files / importing and opening",
        ratios(costs["files"], costs["open"], cpu),
        None,
        beside,
    )
    yield from _requests(bench, service)


def _requests(bench: Bench, service: Service) -> Iterator[Measure]:
    partitions = len(bench.inputs.weeks) * 3
    kinds = Counter(asked.kind for asked in service.asked())
    a_run = {kind: count / bench.rounds for kind, count in kinds.items()}
    bench.checks.equal("requests of an unchanged run", a_run, {"listing": 1, "probe": partitions})
    beside = ", ".join(f"{count:g} {kind}" for kind, count in a_run.items())
    yield Measure(
        f"requests for {partitions} partitions", [sum(a_run.values())], at_most(1 + partitions), beside, "requests"
    )


def _unchanged(bench: Bench, store: str, command: Command, output: Path) -> Cost:
    cost = Command(arguments=command.arguments, folder=command.folder, environ=command.environ, stdout=output).measure()
    truth = read_totals(bench.inputs.first())
    outcomes = Counter(
        partition["outcome"] for partition in json.loads(output.read_text(encoding="utf-8"))["partitions"]
    )
    bench.checks.equal("outcomes of an unchanged run", outcomes, {"skipped": len(truth)})
    check_store(bench.checks, bench.sqlite, store, truth)
    check_captures(bench.checks, bench.sqlite, store, len(truth))
    return cost
