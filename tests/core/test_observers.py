"""Observers are told of one event at a time, whichever thread it comes from."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from attrs import Factory, define

from finra_core.ports.observer import Event, RunStarted
from finra_core.runs.context import Observers


@define
class Slow:
    """Takes its time, and notes whether it was told of another event meanwhile."""

    inside: int = 0
    overlapped: bool = False
    run_ids: list[str] = Factory(list)
    wait: threading.Event = Factory(threading.Event)

    def on_event(self, event: Event) -> None:
        self.inside += 1
        self.wait.wait(0.01)
        self.overlapped |= self.inside > 1
        self.inside -= 1
        self.run_ids.append(event.run_id)


def test_events_of_several_threads_come_one_after_the_other_to_all_observers() -> None:
    slow, quick = Slow(), Slow()
    observers = Observers((slow, quick))
    events = [RunStarted(run_id=str(i), mode="run", run_date=date(2026, 1, 5)) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(observers.on_event, events))
    assert not slow.overlapped
    assert slow.run_ids == quick.run_ids
    assert sorted(slow.run_ids) == [str(i) for i in range(8)]
