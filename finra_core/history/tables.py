"""Tables as columns, for whoever writes them in a form of their own. They know no file format."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from typing import Any, TypeVar

from attrs import field, frozen

from finra_core.domain.dictionary_column import DictionaryColumn, DictionaryEncoder

V = TypeVar("V", bound=Hashable)
Name = str | None


class Kind(str, Enum):
    """What a column's values are, None aside.

    NAME: text that repeats, as a `DictionaryColumn`; so is DAY, a date. NUMBER: a whole number. SHARES: micro-shares.
    FRACTION: a double. INSTANT: an aware datetime. FLAG: true or false. TEXT: any text.
    """

    NAME = "name"
    DAY = "day"
    NUMBER = "number"
    SHARES = "shares"
    FRACTION = "fraction"
    INSTANT = "instant"
    FLAG = "flag"
    TEXT = "text"


@frozen
class Column:
    """One column. values: of this kind or None."""

    name: str
    kind: Kind
    values: Sequence[Any] | DictionaryColumn[Any] = field(repr=False)


@frozen
class Table:
    """Columns of equal length."""

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values)


def names(name: str, values: Iterable[Name]) -> Column:
    """A column of names."""
    return Column(name, Kind.NAME, DictionaryColumn.of(values))


def names_of(name: str, column: DictionaryColumn[V], of: Callable[[V], Name]) -> Column:
    """A column of names that follow from another column: `of` is asked once for each distinct value."""
    encoder: DictionaryEncoder[Name] = DictionaryEncoder()
    codes = encoder.encode(map(of, column.values))
    return Column(name, Kind.NAME, DictionaryColumn(list(encoder), [codes[code] for code in column.codes]))


def same(name: str, kind: Kind, value: Any, length: int) -> Column:
    """A column that has one value in all of its rows."""
    if kind in (Kind.NAME, Kind.DAY):
        return Column(name, kind, DictionaryColumn([value] if length else [], [0] * length))
    return Column(name, kind, [value] * length)
