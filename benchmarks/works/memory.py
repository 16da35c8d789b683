"""Peak memory by the number of partitions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks.bench import Bench
from benchmarks.measuring import Contender, Cost, alternate
from benchmarks.results import Measure, at_most
from benchmarks.stored import check_captures, check_store
from benchmarks.truth import read_totals

PAYLOAD_GOAL = at_most(4.0)
GROWTH_GOAL = at_most(1.05)
"""Not to grow: 5 % for what an allocator does."""


def run(bench: Bench) -> Iterator[Measure]:
    """The peak memory of first ingests of few, some and many partitions, against the largest payload."""
    few, some, many = bench.size.memory_weeks
    contenders = [Contender(str(weeks), partial(_ingest, bench, weeks)) for weeks in (few, some, many)]
    contenders.append(Contender("open", partial(_open, bench)))
    costs = alternate(contenders, min(bench.rounds, 3))
    peaks = {name: [cost.peak_bytes for cost in turns] for name, turns in costs.items()}
    payload = max(totals.size_bytes for totals in read_totals(bench.inputs.many(some)).values())
    beside = "; ".join(f"{int(name) * 3} partitions {_mb(peaks[name])}" for name in map(str, (few, some, many)))
    growth = [last / first for first, last in zip(peaks[str(few)], peaks[str(many)], strict=True)]
    yield Measure(f"peak memory of {many * 3} partitions / of {few * 3}", growth, GROWTH_GOAL, beside)
    beside = f"largest payload {payload / 1e6:.1f} MB"
    yield Measure("peak memory / largest payload", [peak / payload for peak in peaks[str(some)]], PAYLOAD_GOAL, beside)
    above = [(peak - bare) / payload for peak, bare in zip(peaks[str(some)], peaks["open"], strict=True)]
    beside = f"importing the package and opening the store {_mb(peaks['open'])}"
    yield Measure("peak memory over that of opening the store / largest payload", above, None, beside)


def _ingest(bench: Bench, weeks: int) -> Cost:
    files = bench.inputs.many(weeks)
    with bench.store(bench.sqlite) as url:
        cost = bench.product.run(files, url).measure()
        truth = read_totals(files)
        check_store(bench.checks, bench.sqlite, url, truth)
        check_captures(bench.checks, bench.sqlite, url, len(truth))
        return cost


def _open(bench: Bench) -> Cost:
    with bench.store(bench.sqlite) as url:
        bench.product.command("db", "upgrade", "--store", url).measure()
        return bench.product.program("open_store.py", url).measure()


def _mb(peaks: list[int]) -> str:
    return f"{median(peaks) / 1e6:.0f} MB"
