"""An executor over another one whose workers are other processes, here or on other machines."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from functools import partial
from logging import LogRecord
from typing import Any, ParamSpec, TypeVar

from finra_core.domain.errors import ConfigurationError, FinraError, WorkersLostError
from finra_core.domain.failures import describe
from finra_core.runs.relaying import overheard, say_again, wanted_level
from finra_core.runs.reopening import Journey, traveling

P = ParamSpec("P")
T = TypeVar("T")

_NOT_PICKLED = (pickle.PicklingError, TypeError, AttributeError)


class CarryingExecutor(Executor):
    """Takes steps to the processes of `workers`. `lost`: what that executor raises when it has lost them.

    Steps are pickled here and not by `workers`: what cannot travel is an error of `submit`, and what cannot be
    opened where it arrives is an error of its step, not the end of a process. `close` follows the shutdown.
    """

    def __init__(
        self,
        workers: Executor,
        journey: Journey,
        *,
        lost: tuple[type[BaseException], ...] = (),
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.journey = journey
        self._workers = workers
        self._lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError, *lost)
        self._close = close

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have it done.

        Raises:
            ConfigurationError: its arguments live in this process alone.
            WorkersLostError: no worker is left; so does the future's result.
        """
        parcel = self._pack(partial(fn, *args, **kwargs))
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()
        try:
            arriving = self._workers.submit(_unpack, parcel, wanted_level())
        except self._lost as error:
            raise _lost_by(error) from error
        arriving.add_done_callback(partial(self._hand_over, outcome))
        return outcome

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Release the workers; with `wait`, when they have ended what they do."""
        self._workers.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._close()

    def _pack(self, call: partial[Any]) -> bytes:
        try:
            with traveling(self.journey):
                return pickle.dumps(call)
        except _NOT_PICKLED as error:
            raise ConfigurationError(
                f"this run cannot be taken to other processes ({describe(error)}): open source and store by URL"
            ) from error

    def _hand_over(self, outcome: Future[T], arrived: Future[tuple[T, list[LogRecord]]]) -> None:
        try:
            result, said = arrived.result()
            say_again(said)
            outcome.set_result(result)
        except self._lost as error:
            outcome.set_exception(_lost_by(error))
        except BaseException as error:  # noqa: BLE001  a future carries whatever was raised
            outcome.set_exception(error)


def _unpack(parcel: bytes, level: int) -> tuple[Any, list[LogRecord]]:
    call = pickle.loads(parcel)  # noqa: S301  packed by the process that started the run
    with overheard(level) as said:
        result = call()
    return result, said


def _lost_by(error: BaseException) -> FinraError:
    return WorkersLostError(
        f"worker processes were lost ({describe(error)}): what was committed stays, the next run goes on from there"
    )
