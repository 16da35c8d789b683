"""What all steps of one run share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from threading import RLock

from attrs import field, frozen

from finra_core.domain.completeness import DEFAULT_BOUNDS, CoverageBounds
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.ports.observer import Event, Observer
from finra_core.ports.source import Source
from finra_core.ports.store import Store


@frozen(kw_only=True)
class Run:
    """What a step needs besides one small value. An executor may take both to another process.

    clock: the current time, aware, UTC. forced: the reason of a forced restatement, None where none is forced.
    policies: the uses that weeks are judged for; the report and the log show the first. bounds: how much a capture may
    lack.
    """

    run_id: str
    run_date: date
    clock: Callable[[], datetime]
    source: Source
    store: Store
    observer: Observer
    forced: str | None = None
    policies: tuple[Policy, ...] = BUILT_IN
    bounds: CoverageBounds = DEFAULT_BOUNDS

    def tell(self, kind: Callable[..., Event], **values: object) -> None:
        """Tell the observers of an event of this run."""
        self.observer.on_event(kind(run_id=self.run_id, **values))


@frozen
class Observers:
    """Several observers as one. Each is told in turn, of one event at a time, whichever thread it comes from."""

    observers: tuple[Observer, ...]
    _lock: RLock = field(factory=RLock, init=False, eq=False, repr=False)

    def on_event(self, event: Event) -> None:
        """Tell each of them."""
        with self._lock:
            for observer in self.observers:
                observer.on_event(event)
