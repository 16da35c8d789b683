"""An executor over another one whose workers are other processes, here or on other machines."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar, cast

from finra_core.domain.errors import WorkersLostError
from finra_core.domain.failures import describe
from finra_workers.answers import Answer, CallFailedError, replay
from finra_workers.logs import HERE, wanted_levels
from finra_workers.packing import Packed, Packer
from finra_workers.worker import work

P = ParamSpec("P")
T = TypeVar("T")


class WorkerExecutor(Executor):
    """Has steps done by the processes of `workers`.

    Their sources and stores are opened there by their `reopener`, once a process. Their observers are told here,
    and the log is written here, when a step is done: before its future is, and one step at a time.

    processes: how many there are; they share a source's limits. same_machine: whether all of them see this
    machine's files. lost: what `workers` raises when it has lost them. close: called after the shutdown.
    """

    def __init__(
        self,
        workers: Executor,
        *,
        processes: int,
        same_machine: bool,
        lost: tuple[type[BaseException], ...] = (),
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.processes = processes
        self.same_machine = same_machine
        self._workers = workers
        self._packer = Packer(processes=processes, same_machine=same_machine)
        self._lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError, *lost)
        self._close = close
        # Not the thread that an answer arrives in, which is what connects some executors with their workers.
        self._answers = ThreadPoolExecutor(1, "finra-answers")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have it done.

        Raises:
            ConfigurationError: its arguments live in this process alone.
            WorkersLostError: no worker is left; so does the future's result.
        """
        packed = self._packer.pack(partial(fn, *args, **kwargs))
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()
        try:
            arriving = self._workers.submit(work, packed.content, wanted_levels(), HERE)
        except self._lost as error:
            raise _lost_by(error) from error
        arriving.add_done_callback(partial(self._take, outcome, packed))
        return outcome

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Release the workers; with `wait`, when they have ended what they do."""
        self._workers.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._answers.shutdown(wait=wait)
        self._close()

    def _take(self, outcome: Future[T], packed: Packed, arrived: Future[bytes]) -> None:
        try:
            self._answers.submit(self._hand_over, outcome, packed, arrived)
        except RuntimeError:  # shut down without waiting: whoever still waits is to hear how it ended
            self._hand_over(outcome, packed, arrived)

    def _hand_over(self, outcome: Future[T], packed: Packed, arrived: Future[bytes]) -> None:
        try:
            answer = _answer(arrived)
            replay(answer.told, packed.observers)
            if answer.failed is None:
                outcome.set_result(cast("T", answer.result))
            else:
                outcome.set_exception(answer.failed.restored())
        except self._lost as error:
            outcome.set_exception(_lost_by(error))
        except BaseException as error:  # noqa: BLE001  a future carries whatever was raised
            outcome.set_exception(error)


def _answer(arrived: Future[bytes]) -> Answer:
    try:
        content = arrived.result()
    except CallFailedError as failed:
        content = failed.args[0]
    return cast("Answer", pickle.loads(content))  # noqa: S301  from the worker that this process chose


def _lost_by(error: BaseException) -> WorkersLostError:
    return WorkersLostError(
        f"worker processes were lost ({describe(error)}): what was committed stays, the next run goes on from there"
    )
