"""A source that costs bytes, and a store whose process dies at a chosen call: what gaps are made and mended with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from attrs import define, field

from finra_core import Partition, Payload, Scope, Source, SourceVersion, UnitOfWork, Usage
from support.harness import ProcessDiedError, StandIn


@define
class Priced:
    """Another source of which each content takes so many bytes, as it says beforehand."""

    source: Source
    bytes_each: int
    fetched: list[Partition] = field(factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = self.source.fetch(partition, expected)
        self.fetched.append(partition)
        return payload

    def estimate(self, version: SourceVersion | None) -> Usage:
        return Usage(1, self.bytes_each if version else 0)

    def usage(self) -> Usage:
        return Usage(len(self.fetched), len(self.fetched) * self.bytes_each)


@define(slots=False)
class DiesBefore(StandIn):
    """Any store, but the process ends when a unit of work is about to call `method` after so many calls of it."""

    method: str
    after: int = 0

    @contextmanager
    def write(self, scope: Scope) -> Iterator[UnitOfWork]:
        with self.store.write(scope) as unit:
            yield cast("UnitOfWork", _Dying(unit, self))

    def about_to_call(self, name: str) -> None:
        if name == self.method:
            self.after -= 1
            if self.after < 0:
                raise ProcessDiedError


@define
class _Dying:
    unit: UnitOfWork
    store: DiesBefore

    def __getattr__(self, name: str) -> Any:
        self.store.about_to_call(name)
        return getattr(self.unit, name)
