"""What many tests share: a clock to set, a bench to run schedulers on, stores to disturb, and the whole of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from attrs import define, evolve, field

from finra_core import (
    Analysis,
    Capture,
    Event,
    JudgmentQuery,
    Observer,
    Partition,
    Plan,
    ReadView,
    RunReport,
    RunRequest,
    Scheduler,
    Scope,
    Severity,
    Source,
    Store,
    Tier,
    UnitOfWork,
)
from finra_core.domain.anomalies import Anomaly, AnomalyRecord
from finra_core.domain.readiness import Readiness
from finra_simulator import Outage, SimulatorSource, World
from finra_simulator.rows import Row

P = ParamSpec("P")
T = TypeVar("T")

MONDAY_MORNING = datetime(2026, 1, 5, 15, 30, tzinfo=timezone.utc)
"""The document's typical run: a Monday, half past ten in New York."""


def partition(week_ending: str, tier: Tier) -> Partition:
    return Partition(date.fromisoformat(week_ending), tier)


@define
class Clock:
    """The time is what a test says it is."""

    now: datetime = MONDAY_MORNING

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


class SerialExecutor(Executor):
    """Does each piece of work at once, in the caller's thread: the order of store calls is then always the same."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  a future carries whatever was raised
            future.set_exception(error)
        return future


@define
class Seen:
    """An observer that keeps all events."""

    events: list[Event] = field(factory=list)

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]


@define
class When:
    """An observer that does something the first time that an event of this kind and of these values happens."""

    kind: type[Event]
    values: Mapping[str, object]
    does: Callable[[], object]
    is_over: bool = False

    def on_event(self, event: Event) -> None:
        is_it = isinstance(event, self.kind) and all(getattr(event, n) == v for n, v in self.values.items())
        if is_it and not self.is_over:
            self.is_over = True
            self.does()


@define
class Bench:
    """A simulated FINRA, a clock and a store to run schedulers between."""

    store: Store
    world: World = field(factory=lambda: World(symbols=8, ats=3, firms=3, restatement_rate=0.0))
    clock: Clock = field(factory=Clock)
    outages: tuple[Outage, ...] = ()

    @property
    def source(self) -> SimulatorSource:
        return SimulatorSource(self.world, self.clock, self.outages)

    def scheduler(
        self, *, store: Store | None = None, source: Source | None = None, observers: Sequence[Observer] = ()
    ) -> Scheduler:
        return Scheduler(
            source=source or self.source,
            store=store or self.store,
            executor=SerialExecutor(),
            clock=self.clock,
            observers=observers,
        )

    def run(
        self,
        *,
        store: Store | None = None,
        source: Source | None = None,
        observers: Sequence[Observer] = (),
        **request: Any,
    ) -> RunReport:
        return self.scheduler(store=store, source=source, observers=observers).run(RunRequest(**request))

    def plan(self, *, source: Source | None = None, **request: Any) -> Plan:
        return self.scheduler(source=source).plan(RunRequest(**request))

    def apply(self, plan: Plan, *, store: Store | None = None, source: Source | None = None) -> RunReport:
        return self.scheduler(store=store, source=source).apply(plan)


# Stores to disturb ------------------------------------------------------------------------------------


@define(slots=False)
class StandIn(Store):
    """Another store under the same name; tests change one thing of it."""

    store: Store

    @property
    def url(self) -> str:
        return self.store.url

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        with self.store.read() as view:
            yield view

    @contextmanager
    def write(self, scope: Scope) -> Iterator[UnitOfWork]:
        with self.store.write(scope) as unit:
            yield unit

    def reopener(self, *, same_machine: bool) -> Callable[[], Store]:
        return self.store.reopener(same_machine=same_machine)

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()


class ProcessDiedError(BaseException):
    """What a killed process looks like from inside: nothing catches it and nothing is cleaned up but by rollback."""


@define(slots=False)
class DyingStore(StandIn):
    """Any store, but the process ends at the n-th call of it: before a call, or right after a commit.

    `die` is what ending means: raising here, os._exit in a forked process. Of calls it counts the openings of views
    and units of work, the methods of both, and each commit.
    """

    dies_at: int
    die: Callable[[], None]
    calls: int = 0

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            self.die()

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        self._count()
        with self.store.read() as view:
            yield cast("ReadView", _Counted(view, self._count))

    @contextmanager
    def write(self, scope: Scope) -> Iterator[UnitOfWork]:
        self._count()
        with self.store.write(scope) as unit:
            yield cast("UnitOfWork", _Counted(unit, self._count))
            self._count()
        self._count()


@define
class _Counted:
    """A view or a unit of work whose calls are counted before they are made."""

    port: ReadView
    count: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.port, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count()
            return attribute(*args, **kwargs)

        return counted


# What a store holds -----------------------------------------------------------------------------------

Record = tuple[tuple[str, str, str], tuple[str, str, str, str], int, int, str]


def as_record(row: Row) -> Record:
    """A simulated row as the store should know it; written without the parser."""
    is_ats = {"ATS_W_SMBL_FIRM": True, "OTC_W_SMBL_FIRM": False}[row.summary_type]
    crd = str(row.crd or "")
    venue_type = "ATS" if is_ats else "NON_ATS" if crd else "DE_MINIMIS"
    security = (row.symbol or "", row.issue_name or "", row.product_type or "")
    venue = (venue_type, row.mpid or "", crd, row.venue_name or "")
    return security, venue, row.shares_micros, row.trades, row.last_update_date.isoformat()


def captures_of(store: Store, *partitions: Partition) -> list[Capture]:
    """All captures, or those of these partitions, by week, tier and number."""
    with store.read() as view:
        return [c for c in view.captures() if not partitions or c.partition in partitions]


def latest_of(store: Store) -> dict[Partition, Capture]:
    """Each partition's newest capture."""
    return {capture.partition: capture for capture in captures_of(store)}


def records_of(store: Store, capture: Capture) -> list[Any]:
    with store.read() as view:
        return sorted(view.records(capture).rows())


def readiness_of(store: Store, ready_for: str = "trading") -> dict[date, Readiness]:
    """The judgments that hold, by week."""
    with store.read() as view:
        judgments = view.judgments(JudgmentQuery(ready_for=ready_for))
    return {judgment.readiness.week_ending: judgment.readiness for judgment in judgments}


def anomalies_of(store: Store, *severities: Severity, open_only: bool = True) -> list[Anomaly]:
    """The findings of these severities, by default those that are open."""
    with store.read() as view:
        records = view.anomalies()
    return [r.anomaly for r in records if r.anomaly.severity in severities and (r.is_open or not open_only)]


def contents(store: Store) -> dict[str, Any]:
    """What a store knows, without what names a run or the time of day: equal for equal histories, in one view."""
    with store.read() as view:
        captures = view.captures()
        names = {capture.number: str(capture) for capture in captures}
        normalized = [capture for capture in captures if capture.is_normalized]
        return {
            "captures": [
                (str(c), c.partition, c.content_hash, c.version, c.row_count, view.payload(c), c.rejected_rows)
                for c in captures
            ],
            "coverage": {str(c): c.coverage for c in normalized},
            "records": {str(c): sorted(view.records(c).rows()) for c in normalized},
            "rejects": {str(c): view.rejects(c) for c in normalized},
            "analyses": sorted((a.capture_id, [names[n] for n in a.inputs], *_figures(a)) for a in view.analyses()),
            "readiness": [_named(judgment.readiness, names) for judgment in view.judgments()],
            # Which partitions were last skipped says how a state was reached, not what it is.
            "open anomalies": sorted(
                (record.fingerprint, record.anomaly.message)
                for record in view.anomalies()
                if record.is_open and record.anomaly.severity is not Severity.INFO
            ),
        }


def _figures(a: Analysis) -> tuple[Any, ...]:
    return (a.volumes, a.venue_shares, a.shares_micros, a.trades, a.hhi, a.hhi_upper)


def _named(readiness: Readiness, names: Mapping[int, str]) -> tuple[Readiness, list[str]]:
    """A judgment with the names of its captures in place of their numbers, which another store may give otherwise."""
    return evolve(readiness, captures=()), [names[number] for number in readiness.captures]


def everything(store: Store) -> dict[str, Any]:
    """All that a store can be asked for, to the last instant and number: equal only where nothing was written."""
    with store.read() as view:
        captures = view.captures()
        normalized = [capture for capture in captures if capture.is_normalized]
        anomalies: list[AnomalyRecord] = view.anomalies()
        return {
            "captures": captures,
            "payloads": [view.payload(capture) for capture in captures],
            "records": [sorted(view.records(capture).rows()) for capture in normalized],
            "rejects": [view.rejects(capture) for capture in normalized],
            "analyses": view.analyses(),
            "judgments": view.judgments(JudgmentQuery(history=True)),
            "anomalies": anomalies,
            "decisions": view.decisions(),
            "runs": view.runs(),
        }
