"""Whoever hands out steps again after a crash may have one done twice: that does no harm, and is told as once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from finra_core import Store
from support.harness import SerialExecutor, contents
from support.worker_processes import DAYS, run, serial, told

P = ParamSpec("P")
T = TypeVar("T")


class TwiceExecutor(SerialExecutor):
    """Loses the first result of every step and has it done again."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        super().submit(fn, *args, **kwargs).result()
        return super().submit(fn, *args, **kwargs)


def test_every_step_done_twice_ends_where_once_does(store: Store) -> None:
    executor: Executor = TwiceExecutor()
    reports = [run(executor, store, day) for day in DAYS]
    expected, once = serial()
    assert contents(store) == expected
    assert [told(report) for report in reports] == [told(report) for report in once]
