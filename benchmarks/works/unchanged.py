"""A run that finds nothing new."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measuring import Contender, Cost, alternate, cpu, ratios, typical
from benchmarks.results import Measure, at_most
from benchmarks.serving import Asked, serving
from benchmarks.stored import check_captures, check_store
from benchmarks.truth import read_totals

CPU_GOAL = at_most(2.0)


def run(bench: Bench) -> Iterator[Measure]:
    """An unchanged run over FINRA's API and over files, against importing the package and opening the store."""
    weeks = ("--weeks", ",".join(map(str, bench.inputs.weeks)))
    with (
        serving(bench.inputs, latency=0.0) as service,
        bench.store(bench.sqlite) as over_api,
        bench.store(bench.sqlite) as over_files,
    ):
        files = bench.inputs.first()
        bench.product.run(service.url, over_api, *weeks).measure()
        bench.product.run(files, over_files).measure()
        service.forget()
        contenders = [
            Contender("api", partial(_turn, bench, service.url, over_api, *weeks)),
            Contender("open", bench.product.program("open_store.py", over_api).measure),
            Contender("files", partial(_turn, bench, files, over_files)),
        ]
        costs = alternate(contenders, bench.rounds)
        asked = service.asked()
    for source, name, goal in (("api", "the API", CPU_GOAL), ("files", "files", None)):
        beside = f"run {typical(costs[source])}; opening {typical(costs['open'])}"
        what = f"CPU, unchanged run over {name} / importing and opening"
        yield Measure(what, ratios(costs[source], costs["open"], cpu), goal, beside)
    yield _requests(bench, asked)


def _turn(bench: Bench, source: str | Path, store: str, *options: str) -> Cost:
    """One unchanged run; that it changed nothing is checked."""
    output = bench.scratch / "report.json"
    cost = bench.product.run(source, store, *options, "--json", stdout=output).measure()
    truth = read_totals(bench.inputs.first())
    report = json.loads(output.read_text(encoding="utf-8"))
    outcomes = Counter(partition["outcome"] for partition in report["partitions"])
    bench.checks.equal("outcomes of an unchanged run", outcomes, {"skipped": len(truth)})
    check_store(bench.checks, bench.sqlite, store, truth)
    check_captures(bench.checks, bench.sqlite, store, len(truth))
    return cost


def _requests(bench: Bench, asked: Sequence[Asked]) -> Measure:
    partitions = len(bench.inputs.weeks) * 3
    a_run = {kind: count / bench.rounds for kind, count in Counter(request.kind for request in asked).items()}
    bench.checks.equal("requests of an unchanged run", a_run, {"listing": 1, "probe": partitions})
    beside = ", ".join(f"{count:g} {kind}" for kind, count in a_run.items())
    what = f"requests for {partitions} partitions"
    return Measure(what, [sum(a_run.values())], at_most(1 + partitions), beside, "requests")
