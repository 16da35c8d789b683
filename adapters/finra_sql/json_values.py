"""Values of the domain in JSON columns: objects by field name, enums and dates as their text."""

from __future__ import annotations

from datetime import date
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from attrs import Attribute, AttrsInstance, asdict

T = TypeVar("T")


def to_json(value: AttrsInstance) -> dict[str, Any]:
    """What json.dumps takes."""
    return asdict(value, value_serializer=_plain)


def from_json(stored: Any, kind: type[T]) -> T:
    """The inverse of `to_json`, and of a list of what it gives.

    Raises:
        ValueError: it is no such value.
    """
    from cattrs import BaseValidationError  # noqa: PLC0415  it takes as long to import as a small store to open

    try:
        value: T = _converter().structure(stored, kind)
    except BaseValidationError as error:
        raise ValueError(f"{stored!r} is no {kind.__name__}") from error
    return value


@cache
def _converter() -> Any:
    from cattrs.preconf.json import make_converter  # noqa: PLC0415  as above

    return make_converter()


def _plain(_instance: type, _field: Attribute[Any], value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value
