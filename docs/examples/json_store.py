"""A store in one JSON file, made from docs/write-your-own-store.md. For small data: each commit writes the file anew.

The file holds one committed state. A view parses it once. A unit of work changes a parsed state of its own; its commit
writes that to a new file and puts it in the place of the old one, which is one step to everybody else. Writers take
turns at a lock file (of POSIX systems), whatever their scope. `open_store` takes `mine:PATH`.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import TracebackType

from attrs import Factory, asdict, define, evolve

from finra_core.domain.analytics import Analysis, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture, NewCapture
from finra_core.domain.chain import ChainEntry
from finra_core.domain.changes import RowChange, compare_records
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import ConfigurationError, StoreError, StoreLockedError, StoreUnavailableError
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Record, Records, Security, Venue
from finra_core.domain.retention import Pin, PruneRecord
from finra_core.domain.scopes import Scope
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    DecisionQuery,
    DecisionRecord,
    JudgmentQuery,
    Lock,
    ReadView,
    RestatementQuery,
    RowCounts,
    RunQuery,
    RunRecord,
    Store,
    UnitOfWork,
)
from finra_core.runs.serialization import from_plain, to_plain
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload

PATIENCE = 60.0
"""Seconds to wait for another process's turn."""

Row = tuple[tuple[str, str, str], tuple[str, str, str, str], int, int, str]
"""A `Record` without its names: older releases of cattrs know no named tuples."""


@define
class State:
    """All that is stored, in the order of the puts. payloads, rows, rejects: by capture number."""

    captures: dict[int, Capture] = Factory(dict)
    payloads: dict[int, list[bytes]] = Factory(dict)
    rows: dict[int, list[Row]] = Factory(dict)
    rejects: dict[int, list[Reject]] = Factory(dict)
    analyses: list[Analysis] = Factory(list)
    judgments: list[Judgment] = Factory(list)
    anomalies: dict[str, AnomalyRecord] = Factory(dict)
    decisions: list[DecisionRecord] = Factory(list)
    runs: dict[str, RunRecord] = Factory(dict)
    pins: list[Pin] = Factory(list)
    prunes: list[PruneRecord] = Factory(list)
    chain: list[ChainEntry] = Factory(list)

    def capture(self, capture: Capture) -> Capture:
        """The capture of this number as it is stored."""
        if capture.number not in self.captures:
            raise StoreError(f"{capture} is not in this store", partition=capture.partition)
        return self.captures[capture.number]

    def rows_of(self, capture: Capture) -> list[Record]:
        """Its records; those of a capture without any are an error."""
        if capture.number not in self.rows:
            raise StoreError(f"{capture} has no records: it is not normalized", partition=capture.partition)
        rows = self.rows[capture.number]
        return [Record(Security(*s), Venue(*v), micros, trades, day) for s, v, micros, trades, day in rows]


class JsonView(ReadView):
    """Answers from one state, with the help of the queries' own `select`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def captures(self, query: CaptureQuery = CaptureQuery()) -> list[Capture]:
        return query.select(self._state.captures.values())

    def payload(self, capture: Capture) -> tuple[bytes, ...]:
        self._state.capture(capture)
        return tuple(self._state.payloads[capture.number])

    def records(self, capture: Capture) -> Records:
        return Records.of(self._state.rows_of(capture))

    def rejects(self, capture: Capture) -> list[Reject]:
        self._state.rows_of(capture)
        return list(self._state.rejects[capture.number])

    def symbols(self, capture: Capture) -> frozenset[str]:
        return frozenset(row.security.symbol for row in self._state.rows_of(capture))

    def changes(self, before: Capture, after: Capture) -> list[RowChange]:
        if before.partition != after.partition:
            raise StoreError(f"{before} and {after} are captures of two partitions: compare captures of one")
        return compare_records(self._state.rows_of(before), self._state.rows_of(after))

    def restatements(self, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
        return query.select(self._state.captures.values(), self._state.rows_of)

    def analyses(self, weeks: Collection[date] | None = None) -> list[Analysis]:
        return [a for a in self._state.analyses if weeks is None or a.week_ending in weeks]

    def analysis_keys(self, weeks: Collection[date] | None = None) -> list[AnalysisKey]:
        return [analysis.key for analysis in self.analyses(weeks)]

    def judgments(self, query: JudgmentQuery = JudgmentQuery()) -> list[Judgment]:
        return query.select(self._state.judgments)

    def anomalies(self, query: AnomalyQuery = AnomalyQuery()) -> list[AnomalyRecord]:
        return query.select(self._state.anomalies.values())

    def decisions(self, query: DecisionQuery = DecisionQuery()) -> list[DecisionRecord]:
        return query.select(self._state.decisions)

    def runs(self, query: RunQuery = RunQuery()) -> list[RunRecord]:
        return query.select(self._state.runs.values())

    def pins(self) -> list[Pin]:
        return sorted(self._state.pins, key=lambda pin: pin.name)

    def prunes(self) -> list[PruneRecord]:
        return list(self._state.prunes)

    def chain(self, after: int = 0, limit: int | None = None) -> list[ChainEntry]:
        return [entry for entry in self._state.chain if entry.seq > after][:limit]

    def chain_head(self) -> ChainEntry | None:
        return self._state.chain[-1] if self._state.chain else None


class JsonUnitOfWork(JsonView, UnitOfWork):
    """Changes a state of its own; the store writes it when the block ends well."""

    def hold(self, lock: Lock) -> None:
        """There is one writer at a time, so all locks are held from the beginning."""

    def put_capture(self, capture: NewCapture, payload: Payload) -> Capture:
        stored = Capture(
            **asdict(capture, recurse=False),
            number=max(self._state.captures, default=0) + 1,
            size_bytes=payload.size_bytes,
            source_url=payload.source_url,
            checked_at=capture.verified_at,
        )
        self._state.captures[stored.number] = stored
        self._state.payloads[stored.number] = list(payload.documents)
        return stored

    def put_checked(self, captures: Sequence[Capture]) -> None:
        for given in captures:
            stored = self._state.capture(given)
            checked = evolve(stored, verified_at=given.verified_at, checked_at=given.checked_at)
            self._state.captures[given.number] = checked

    def put_records(
        self,
        capture: Capture,
        records: Records,
        rejects: Sequence[Reject],
        coverage: Sequence[HalfCoverage],
        at: datetime,
    ) -> RowCounts:
        stored, rows = self._state.capture(capture), sorted(records.rows())
        same = [c for c in self.captures() if c.partition == capture.partition and c.is_normalized]
        if same and same[-1].number >= capture.number:
            raise StoreError(f"{capture}: it or a later capture has records already", partition=capture.partition)
        before, after = set(self._state.rows_of(same[-1]) if same else ()), set(rows)
        self._state.captures[capture.number] = evolve(
            stored, normalized_at=at, rejected_rows=len(rejects), coverage=tuple(coverage)
        )
        self._state.rows[capture.number] = list(rows)
        self._state.rejects[capture.number] = sorted(rejects, key=lambda reject: (reject.document, reject.line))
        return RowCounts(len(after - before), len(before - after), len(after & before))

    def put_analysis(self, analysis: Analysis) -> None:
        if analysis.key in self.analysis_keys():
            raise StoreError(f"{analysis.week_ending} / {analysis.tier}: these analytics are stored already")
        self._state.analyses.append(analysis)

    def put_judgments(self, judgments: Sequence[Judgment]) -> None:
        self._state.judgments.extend(judgments)

    def put_anomalies(self, records: Sequence[AnomalyRecord]) -> None:
        self._state.anomalies.update((record.fingerprint, record) for record in records)

    def put_decisions(self, records: Sequence[DecisionRecord]) -> None:
        self._state.decisions.extend(records)

    def put_run(self, run: RunRecord) -> None:
        self._state.runs[run.run_id] = run

    def put_pin(self, pin: Pin) -> None:
        self.remove_pin(pin)
        self._state.pins.append(pin)

    def remove_pin(self, pin: Pin) -> None:
        self._state.pins = [each for each in self._state.pins if each.name != pin.name]

    def remove_captures(self, captures: Sequence[Capture]) -> None:
        if len({capture.partition for capture in captures}) > 1:
            raise StoreError("captures of two partitions: remove those of one at a time")
        gone = {stored.number: (stored.capture_id, stored.revision) for stored in map(self._state.capture, captures)}
        self._state.pins = [pin for pin in self._state.pins if pin.name not in gone.values()]
        self._state.analyses = [each for each in self._state.analyses if gone.keys().isdisjoint(each.inputs)]
        for number in gone:
            del self._state.captures[number], self._state.payloads[number]
            self._state.rows.pop(number, None)
            self._state.rejects.pop(number, None)

    def put_prune(self, record: PruneRecord) -> None:
        self._state.prunes.append(record)

    def put_chain(self, entries: Sequence[ChainEntry]) -> None:
        if entries and self._state.chain and entries[0].seq <= self._state.chain[-1].seq:
            raise StoreError(f"{entries[0].seq}: the chain has an entry with this number already")
        self._state.chain.extend(entries)


class JsonStore(Store):
    """One file, and beside it a lock file and, while a commit is written, a new file."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._url = url
        self._path = Path(url.partition(":")[2]).absolute()
        self._read_only = read_only
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        return self._url

    @contextmanager
    def read(self) -> Iterator[JsonView]:
        yield JsonView(self._load())

    @contextmanager
    def write(self, scope: Scope) -> Iterator[JsonUnitOfWork]:
        if self._read_only:
            raise StoreUnavailableError(f"{self._url} was opened read-only: open it without read_only to write")
        with self._turn, self._locked():
            state = self._load()
            yield JsonUnitOfWork(state)
            self._save(state)

    def reopener(self, *, same_machine: bool) -> Callable[[], JsonStore]:
        if not same_machine:
            raise ConfigurationError(f"{self._url} is a file of this machine: give a postgresql: store")
        return partial(JsonStore, f"json:{self._path}", read_only=self._read_only)

    def close(self) -> None:
        """Nothing is open between calls."""

    def __enter__(self) -> JsonStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The system lets go of the lock of a process that dies."""
        deadline = time.monotonic() + PATIENCE
        with self._beside(".lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise StoreLockedError(f"{self._url}: another process is writing; try again") from None
                    time.sleep(0.01)
            yield

    def _load(self) -> State:
        try:
            return from_plain(json.loads(self._path.read_bytes()), State)
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise StoreUnavailableError(f"{self._url}: cannot be read: {error.strerror}") from error
        except (ValueError, ConfigurationError) as error:
            raise StoreError(f"{self._url}: not this store's JSON, or damaged: {error}") from error

    def _save(self, state: State) -> None:
        new = self._beside(".new")
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump(to_plain(state), file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise StoreUnavailableError(f"{self._url}: cannot be written: {error.strerror}") from error

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)


def open_store(url: str, *, read_only: bool = False) -> JsonStore:
    """The store of this URL. The entry point `mine` names this function."""
    return JsonStore(url, read_only=read_only)
