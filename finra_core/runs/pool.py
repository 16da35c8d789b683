"""Doing the steps of a phase: in this thread, or on an executor, several at once but never all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from typing import Generic, TypeVar

from attrs import Factory, define, frozen

from finra_core.ports.observer import Phase, StepFinished
from finra_core.ports.source import Usage
from finra_core.runs.context import Run

T = TypeVar("T")
R = TypeVar("R")


@frozen
class _Metered(Generic[R]):
    """A step's result, the source that it used, and what that source had cost by then."""

    result: R
    instance: str
    usage: Usage


def _metered(step: Callable[[Run, T], R], run: Run, item: T) -> _Metered[R]:
    result = step(run, item)
    return _Metered(result, run.source.info.instance, run.source.usage())


@define
class Meter:
    """What the sources that steps used have cost, by instance. It is kept from run to run, as a source's usage is."""

    _by_instance: dict[str, Usage] = Factory(dict)

    def note(self, instance: str, usage: Usage) -> None:
        """Results come in the order of items, not of the work. So of one source the greatest usage is the latest."""
        so_far = self._by_instance.get(instance, Usage())
        self._by_instance[instance] = max(so_far, usage, key=lambda each: each.requests)

    def total(self, run: Run) -> Usage:
        """The usage of the run's own source as it is now, and of all others."""
        own = run.source.info.instance
        others = (usage for instance, usage in self._by_instance.items() if instance != own)
        return sum(others, start=run.source.usage())


@frozen
class Pool:
    """Does steps. executor: None means in this thread. at_once: at most so many are under way or waiting."""

    executor: Executor | None
    at_once: int
    meter: Meter

    def run(self, phase: Phase, step: Callable[[Run, T], R], run: Run, items: Sequence[T]) -> Iterator[R]:
        """The steps' results in the order of the items, each as soon as it and those before it are there."""
        results = (step(run, item) for item in items) if self.executor is None else self._submitted(step, run, items)
        for done, result in enumerate(results, start=1):
            run.tell(StepFinished, phase=phase, done=done, total=len(items))
            yield result

    def _submitted(self, step: Callable[[Run, T], R], run: Run, items: Sequence[T]) -> Iterator[R]:
        if self.executor is None:
            raise ValueError("this pool has no executor")
        pending: deque[Future[_Metered[R]]] = deque()
        try:
            for item in items:
                pending.append(self.executor.submit(_metered, step, run, item))
                if len(pending) > self.at_once:
                    yield self._took(pending.popleft())
            while pending:
                yield self._took(pending.popleft())
        except Exception:
            # A run that has ended is to touch neither source nor store, though the executor lives on.
            wait([future for future in pending if not future.cancel()])
            raise
        finally:
            for future in pending:
                future.cancel()

    def _took(self, future: Future[_Metered[R]]) -> R:
        metered = future.result()
        self.meter.note(metered.instance, metered.usage)
        return metered.result


@frozen(kw_only=True)
class Pools:
    """Who does a run's steps. fetching: those that wait for the source. computing: those that do not."""

    fetching: Pool
    computing: Pool

    def usage(self, run: Run) -> Usage:
        """What the sources that the steps used have cost so far."""
        return self.fetching.meter.total(run)
