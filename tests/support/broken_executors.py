"""Executors with one fault each, to prove that the suite of executors catches it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from typing import Any

from attrs import evolve


class Sound(ThreadPoolExecutor):
    """No fault."""

    def __init__(self) -> None:
        super().__init__(2)


class LosesErrors(Sound):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def quietly() -> Any:
            try:
                return fn(*args, **kwargs)
            except Exception:  # noqa: BLE001  the fault
                return None

        return super().submit(quietly)


class ReportsErrorsAsText(Sound):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def as_text() -> Any:
            try:
                return fn(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  the fault
                raise RuntimeError(str(error)) from None

        return super().submit(as_text)


class StopsAtAnError(Sound):
    """As a pool does whose worker dies of it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        if future.exception():
            self.shutdown()
        return future


class AnswersAsItGoes(Sound):
    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_options: Any) -> Iterator[Any]:
        futures = [self.submit(fn, *each) for each in zip(*iterables, strict=False)]
        return (future.result() for future in as_completed(futures))


class AnswersInText(Sound):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(lambda: _keyed_by_text(fn(*args, **kwargs)))


def _keyed_by_text(result: Any) -> Any:
    return {str(key): value for key, value in result.items()} if isinstance(result, dict) else result


class RemembersAnswers(Sound):
    """As a cache does that tells calls apart by the function alone."""

    def __init__(self) -> None:
        super().__init__()
        self._remembered: dict[Callable[..., Any], Future[Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        function = getattr(fn, "func", fn)
        if function not in self._remembered:
            self._remembered[function] = super().submit(fn, *args, **kwargs)
        return self._remembered[function]


class TellsNobody(Sound):
    """As workers do that have no way back for what happens in a step."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(fn, *(self._deaf(value) for value in args), **kwargs)

    def _deaf(self, value: Any) -> Any:
        return evolve(value, observer=_Deaf()) if hasattr(value, "observer") else value


class _Deaf:
    def on_event(self, event: object) -> None:
        """Nobody hears it."""


class GivesNoFutures(Executor):
    """Something that has a result, but that cannot be waited for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return _Answer(fn(*args, **kwargs))


class _Answer:
    def __init__(self, value: Any) -> None:
        self._value = value

    def result(self, timeout: float | None = None) -> Any:
        return self._value
