"""What a worker does with a call that reaches it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from io import BytesIO
from logging import LogRecord

from attrs import frozen

from finra_core.domain.errors import FinraError
from finra_core.domain.failures import describe
from finra_core.ports.observer import Event
from finra_workers.answers import Answer, CallFailedError, Failed, Told
from finra_workers.lending import LENDER
from finra_workers.logs import Levels, heard
from finra_workers.stand_ins import Closeable, Recorded, Reopened


def work(call: bytes, levels: Levels, sender: str) -> bytes:
    """Do a packed call. The `Answer` as bytes.

    Raises:
        CallFailedError: the call raised; with the answer.
    """
    told: list[Told | LogRecord] = []
    with heard(levels, sender, told.append):
        try:
            result = _do(call, told)
        except Exception as error:  # noqa: BLE001  whatever a step raises is its answer
            raise CallFailedError(_as_bytes(Answer(None, Failed.of(error), told))) from None
    return _as_bytes(Answer(result, None, told))


def _do(call: bytes, told: list[Told | LogRecord]) -> object:
    with LENDER.lending() as lend:
        return _Unpickler(call, lend, told).load()()


def _as_bytes(answer: Answer) -> bytes:
    try:
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001  pickling runs whatever code the objects bring
        # What a step returns and tells are the core's own values: this is a defect, not the run's configuration.
        failed = FinraError(f"what a step answered cannot be brought back from its worker ({describe(error)})")
        return pickle.dumps(Answer(None, Failed.of(failed), []))


@frozen
class _Recorder:
    """An observer that keeps what it is told."""

    number: int
    told: list[Told | LogRecord]

    def on_event(self, event: Event) -> None:
        self.told.append(Told.of(self.number, event))


class _Unpickler(pickle.Unpickler):
    def __init__(self, call: bytes, lend: Callable[[Reopened], Closeable], told: list[Told | LogRecord]) -> None:
        super().__init__(BytesIO(call))
        self._lend = lend
        self._told = told

    def persistent_load(self, pid: Reopened | Recorded) -> object:
        return self._lend(pid) if isinstance(pid, Reopened) else _Recorder(pid.number, self._told)
