"""The works, in the order in which they are done: each is a module whose `run` gives measures and notes checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.bench import Bench
from benchmarks.results import Measure
from benchmarks.works import first_ingest

WORKS: dict[str, Callable[[Bench], Iterator[Measure]]] = {
    "first_ingest": first_ingest.run,
}
"""By the name that the command takes. The first line of the docstring says what it is."""
