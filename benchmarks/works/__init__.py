"""The works, in the order in which they are done: each is a module whose `run` gives measures and notes checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.bench import Bench
from benchmarks.results import Measure
from benchmarks.works import (
    analytics,
    api_fetch,
    backfill,
    first_ingest,
    memory,
    reading,
    restatement,
    start_up,
    unchanged,
)

WORKS: dict[str, Callable[[Bench], Iterator[Measure]]] = {
    "first_ingest": first_ingest.run,
    "fractions": first_ingest.run_fractional,
    "memory": memory.run,
    "unchanged": unchanged.run,
    "restatement": restatement.run,
    "backfill": backfill.run,
    "api_fetch": api_fetch.run,
    "analytics": analytics.run,
    "reading": reading.run,
    "start_up": start_up.run,
}
"""By the name that the command takes. Its docstring says what it is."""
