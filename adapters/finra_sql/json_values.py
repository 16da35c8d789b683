"""Values of the domain in JSON columns, in the form in which they cross the library's other edges."""

from __future__ import annotations

from typing import Any, TypeVar

from finra_core.domain.errors import ConfigurationError

T = TypeVar("T")

# Imported where it is needed: the converter takes as long to import as a small store to open.


def to_plain(value: object) -> Any:
    """What json.dumps takes."""
    from finra_core.runs.serialization import to_plain as unstructured  # noqa: PLC0415

    return unstructured(value)


def from_plain(stored: Any, kind: type[T]) -> T:
    """The inverse of `to_plain`.

    Raises:
        ValueError: it is no such value.
    """
    from finra_core.runs.serialization import from_plain as structured  # noqa: PLC0415

    try:
        return structured(stored, kind)
    except ConfigurationError as error:
        raise ValueError(error.message) from error
