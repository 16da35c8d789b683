"""What many tests share: a clock to set, a bench to run schedulers on, a store that dies, and the whole of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any, ParamSpec, TypeVar, cast

from attrs import define, evolve, field

from finra_core import Partition, RunReport, RunRequest, Scheduler, Tier
from finra_core.domain.anomalies import Severity
from finra_core.domain.captures import by_partition
from finra_core.domain.scopes import Scope
from finra_core.ports.source import Source
from finra_core.ports.store import AnomalyQuery, ReadView, Store, UnitOfWork
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
class Bench:
    """A simulated FINRA, a clock and a store to run schedulers between."""

    store: Store
    world: World = field(factory=lambda: World(symbols=8, ats=3, firms=3, restatement_rate=0.0))
    clock: Clock = field(factory=Clock)
    outages: tuple[Outage, ...] = ()

    @property
    def source(self) -> SimulatorSource:
        return SimulatorSource(self.world, self.clock, self.outages)

    def run(self, *, store: Store | None = None, source: Source | None = None, **request: Any) -> RunReport:
        scheduler = Scheduler(
            source=source or self.source, store=store or self.store, executor=SerialExecutor(), clock=self.clock
        )
        return scheduler.run(RunRequest(**request))


class ProcessDiedError(BaseException):
    """What a killed process looks like from inside: nothing catches it and nothing is cleaned up but by rollback."""


@define
class DyingStore:
    """Any store, but the process ends at the n-th call of it: before a call, or right before or after a commit.

    `die` is what ending means: raising here, os._exit in a forked process. Of calls it counts those of the store,
    of its views and units of work, and each commit.
    """

    store: Store
    dies_at: int
    die: Callable[[], None]
    calls: int = 0

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            self.die()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def __enter__(self) -> DyingStore:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.store.close()

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        self._count()
        with self.store.read() as view:
            yield cast("ReadView", _Dying(view, self._count))

    @contextmanager
    def write(self, scope: Scope) -> Iterator[UnitOfWork]:
        self._count()
        with self.store.write(scope) as unit:
            yield cast("UnitOfWork", _Dying(unit, self._count))
            self._count()
        self._count()


@define
class _Dying:
    view: ReadView
    count: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.view, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count()
            return attribute(*args, **kwargs)

        return counted


Record = tuple[tuple[str, str, str], tuple[str, str, str, str], int, int, str]


def as_record(row: Row) -> Record:
    """A simulated row as the store should know it; written without the parser."""
    venue_type = {"ATS_W_SMBL_FIRM": "ATS", "OTC_W_SMBL_FIRM": "NON_ATS"}[row.summary_type]
    if venue_type == "NON_ATS" and not row.crd:
        venue_type = "DE_MINIMIS"
    security = (row.symbol or "", row.issue_name or "", row.product_type or "")
    venue = (venue_type, row.mpid or "", str(row.crd or ""), row.venue_name or "")
    return security, venue, row.shares_micros, row.trades, row.last_update_date.isoformat()


def contents(store: Store) -> dict[str, Any]:
    """All that a store knows, without what names a run or the time of day: equal for equal histories."""
    with store.read() as view:
        return _contents(view)


def _contents(view: ReadView) -> dict[str, Any]:
    captures = view.captures()
    names = {capture.number: str(capture) for capture in captures}
    # An older one that was superseded before it got its records stays without: how a state was reached, not what it is.
    newest = [[c for c in own if c.is_normalized][-1:] for own in by_partition(captures).values()]
    return {
        "captures": [(str(c), c.partition, c.content_hash, c.version, c.row_count, view.payload(c)) for c in captures],
        "records": {str(c): sorted(view.records(c).rows()) for own in newest for c in own},
        "analyses": sorted(
            (a.capture_id, [names[n] for n in a.inputs], a.volumes, a.venue_shares, a.shares_micros, a.trades, a.hhi)
            for a in view.analyses()
        ),
        "readiness": [
            (evolve(judgment.readiness, captures=()), [names[n] for n in judgment.readiness.captures])
            for judgment in view.judgments()
        ],
        "open anomalies": sorted(
            (record.fingerprint, record.anomaly.message)
            for record in view.anomalies(AnomalyQuery(open_only=True))
            if record.anomaly.severity is not Severity.INFO
        ),
    }
