"""Columns with few distinct values: a partition has tens of venues, thousands of securities and 50,000 rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import compress
from typing import Generic, TypeVar

from attrs import frozen

V = TypeVar("V", bound=Hashable)


@frozen(eq=False)
class DictionaryColumn(Generic[V]):
    """A column as its distinct values and codes: element i is `values[codes[i]]`. Every value occurs."""

    values: Sequence[V]
    codes: Sequence[int]

    @classmethod
    def of(cls, column: Iterable[V]) -> DictionaryColumn[V]:
        """This column, with its values in the order in which they first occur."""
        numbers: DictionaryEncoder[V] = DictionaryEncoder()
        codes = numbers.encode(column)
        return cls(list(numbers), codes)

    @classmethod
    def joined(cls, parts: Iterable[DictionaryColumn[V]]) -> DictionaryColumn[V]:
        """Columns one after the other, as one."""
        numbers: DictionaryEncoder[V] = DictionaryEncoder()
        codes: list[int] = []
        for part in parts:
            codes += map(numbers.encode(part.values).__getitem__, part.codes)
        return cls(list(numbers), codes)

    def only(self, keep: Iterable[bool]) -> DictionaryColumn[V]:
        """The elements whose flag is set, in order."""
        kept = DictionaryColumn.of(compress(self.codes, keep))
        return DictionaryColumn([self.values[code] for code in kept.values], kept.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[V]:
        return map(self.values.__getitem__, self.codes)


class DictionaryEncoder(dict[V, int]):
    """Gives each value a number, from 0 on, in the order in which they are first asked for."""

    def __missing__(self, value: V) -> int:
        code = self[value] = len(self)
        return code

    def encode(self, column: Iterable[V]) -> list[int]:
        """The number of each element."""
        return list(map(self.__getitem__, column))
