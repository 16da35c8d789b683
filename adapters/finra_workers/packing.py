"""A call as bytes for a worker."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from threading import Lock
from typing import Any, BinaryIO

import attrs
from attrs import field, frozen

from finra_core.domain.clock import new_run_id
from finra_core.domain.errors import ConfigurationError, FinraError
from finra_core.domain.failures import describe
from finra_core.ports.observer import Observer
from finra_workers.stand_ins import Recorded, Reopened

REMEMBERED = 8
"""How many sources and stores keep their token from call to call: a run has one of each."""


@frozen
class Packed:
    """A call as bytes, and the observers that are told of its events, by number."""

    content: bytes = field(repr=False)
    observers: tuple[Observer, ...]


class Packer:
    """Packs calls. processes: how many share a source's limits. same_machine: whether they see this one's files."""

    def __init__(self, *, processes: int, same_machine: bool) -> None:
        self._processes = processes
        self._same_machine = same_machine
        self._lock = Lock()
        self._stand_ins: OrderedDict[int, tuple[object, Reopened]] = OrderedDict()

    def pack(self, call: partial[Any]) -> Packed:
        """The call with stand-ins for its sources, stores and observers.

        Raises:
            ConfigurationError: something in it lives in this process alone.
        """
        try:
            return self._dump(call)
        except FinraError:
            raise
        except Exception as error:  # pickling runs whatever code the objects bring
            raise ConfigurationError(
                f"this run cannot be taken to other processes: {self._culprit(call)} cannot be pickled "
                f"({describe(error)}): give what a module defines, or run without worker processes"
            ) from error

    def _dump(self, value: object) -> Packed:
        content = BytesIO()
        pickler = _Pickler(content, self._stand_in)
        pickler.dump(value)
        return Packed(content.getvalue(), tuple(pickler.observers))

    def _stand_in(self, port: Any) -> Reopened:
        with self._lock:
            # Kept with its stand-in, so that no other object gets its id.
            _, stand_in = self._stand_ins.get(id(port)) or (port, self._reopened(port))
            self._stand_ins[id(port)] = port, stand_in
            self._stand_ins.move_to_end(id(port))
            if len(self._stand_ins) > REMEMBERED:
                self._stand_ins.popitem(last=False)
            return stand_in

    def _reopened(self, port: Any) -> Reopened:
        shares = {"processes": self._processes} if hasattr(port, "fetch") else {}  # only a source has limits
        return Reopened(new_run_id(), port.reopener(same_machine=self._same_machine, **shares))

    def _culprit(self, call: partial[Any]) -> str:
        """The first part that does not pickle by itself, for a person."""
        for name, part in _parts(call):
            try:
                self._dump(part)
            except Exception:  # noqa: BLE001, PERF203  as in pack
                return name
        return "the step"


def _parts(call: partial[Any]) -> Iterator[tuple[str, object]]:
    yield f"the function {getattr(call.func, '__qualname__', call.func)}", call.func
    for argument in (*call.args, *call.keywords.values()):
        if attrs.has(type(argument)):
            yield from ((f"its {a.name}", getattr(argument, a.name)) for a in attrs.fields(type(argument)))
        yield f"a {type(argument).__name__}", argument


class _Pickler(pickle.Pickler):
    def __init__(self, file: BinaryIO, stand_in: Callable[[Any], Reopened]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._stand_in = stand_in
        self.observers: list[Observer] = []

    def persistent_id(self, obj: Any) -> Reopened | Recorded | None:
        if isinstance(obj, type):
            return None
        if callable(getattr(obj, "reopener", None)):
            return self._stand_in(obj)
        if callable(getattr(obj, "on_event", None)):
            self.observers.append(obj)
            return Recorded(len(self.observers) - 1)
        return None
