"""The memory store: one committed state, swapped as a whole by each transaction."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import NoReturn

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture
from finra_core.domain.errors import ConfigurationError, StoreUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness, WeekState
from finra_core.domain.records import Records
from finra_core.ports import RunRecord
from finra_core.weekly_summary.delimited import Reject
from finra_memory.state import State
from finra_memory.transaction import MemoryTransaction


def open_store(url: str = "memory://", *, read_only: bool = False) -> MemoryStore:
    """A new, empty store. It lives as long as the object."""
    return MemoryStore(url, read_only=read_only)


class MemoryStore:
    """A committed state is never changed, only replaced, so readers need no lock."""

    def __init__(self, url: str, *, read_only: bool) -> None:
        self._url = url
        self._read_only = read_only
        self._state = State()
        self._writing = threading.Lock()

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(
            "the memory store lives in one process: give a postgresql: or sqlite: store, or keep to --executor threads:"
        )

    @property
    def url(self) -> str:
        """See `Store.url`."""
        return self._url

    @contextmanager
    def transaction(self, key: str | None = None) -> Iterator[MemoryTransaction]:
        """See `Store.transaction`; waits for as long as another thread's transaction takes."""
        if self._read_only:
            raise StoreUnavailableError(f"{self._url} was opened read-only: open it without read_only to write")
        with self._writing:
            state = self._state.copy()
            yield MemoryTransaction(state)
            self._state = state

    def latest_captures(self, partitions: Collection[Partition]) -> dict[Partition, Capture]:
        """See `Store.latest_captures`."""
        state = self._state
        return {partition: newest for partition in partitions if (newest := state.newest(partition))}

    def captures(self, partitions: Collection[Partition] | None = None) -> list[Capture]:
        """See `Store.captures`."""
        return self._state.list_captures(partitions)

    def unnormalized(self) -> list[Capture]:
        """See `Store.unnormalized`."""
        return self._state.unnormalized()

    def unanalyzed(self, calc_version: int) -> list[Capture]:
        """See `Store.unanalyzed`."""
        return self._state.unanalyzed(calc_version)

    def weeks(self) -> list[date]:
        """See `Store.weeks`."""
        return sorted({capture.partition.week_ending for capture in self._state.captures.values()}, reverse=True)

    def week_states(self, weeks: Collection[date], calc_version: int) -> dict[date, WeekState]:
        """See `Store.week_states`."""
        state = self._state
        return {week: state.week_state(week, calc_version) for week in weeks}

    def documents(self, capture: Capture) -> tuple[bytes, ...]:
        """See `Store.documents`."""
        return self._state.documents_of(capture)

    def records(self, capture: Capture) -> Records:
        """See `Store.records`."""
        return self._state.records_of(capture)

    def rejects(self, capture: Capture) -> list[Reject]:
        """See `Store.rejects`."""
        state = self._state
        state.records_of(capture)
        return list(state.rejects[capture.number])

    def shared_symbols(self, captures: Sequence[Capture]) -> frozenset[str]:
        """See `Store.shared_symbols`."""
        return self._state.shared_symbols(captures)

    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        """See `Store.analyses`."""
        return [a for a in self._state.analyses if weeks is None or a.week_ending in weeks]

    def readiness(self, weeks: Collection[date] | None = None) -> list[Readiness]:
        """See `Store.readiness`."""
        wanted = [r for r in self._state.readiness.values() if weeks is None or r.week_ending in weeks]
        return sorted(wanted, key=lambda r: (-r.week_ending.toordinal(), r.ready_for))

    def anomalies(self, *, include_resolved: bool = False) -> list[AnomalyRecord]:
        """See `Store.anomalies`."""
        records = [r for r in self._state.anomalies.values() if include_resolved or r.resolved_at is None]
        return sorted(sorted(records, key=lambda r: r.fingerprint), key=lambda r: r.last_seen, reverse=True)

    def runs(self) -> list[RunRecord]:
        """See `Store.runs`."""
        newest_first = reversed(self._state.runs.values())
        return sorted(newest_first, key=lambda run: run.started_at, reverse=True)

    def close(self) -> None:
        """See `Store.close`."""
