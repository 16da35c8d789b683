"""Plans, decisions, judgments and reports as JSON: the one converter by which they cross the library's edges."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from cattrs import BaseValidationError, transform_error
from cattrs.preconf.json import JsonConverter, make_converter
from cattrs.v import format_exception

from finra_core.domain.errors import ConfigurationError, FinraError
from finra_core.domain.timestamps import parse_utc_text, utc_text

T = TypeVar("T")


def to_json(value: object, indent: int | None = None) -> str:
    """A value as JSON text, by its fields' names; dates and instants in ISO 8601, instants UTC with Z."""
    return json.dumps(to_plain(value), indent=indent, ensure_ascii=False)


def to_plain(value: object) -> Any:
    """A value as dicts, lists, text, numbers, true, false and None."""
    return converter().unstructure(value)


def from_json(text: str, kind: type[T]) -> T:
    """The inverse of `to_json`.

    Raises:
        ConfigurationError: the text is no JSON, or no value of this kind; the message names the first field at fault.
    """
    try:
        return from_plain(json.loads(text), kind)
    except ValueError as error:
        raise ConfigurationError(f"no {kind.__name__}: {error}") from error


def from_plain(value: Any, kind: type[T]) -> T:
    """The inverse of `to_plain`.

    Raises:
        ConfigurationError: it is no value of this kind; the message names the first field at fault.
    """
    try:
        return converter().structure(value, kind)
    except BaseValidationError as error:
        raise ConfigurationError(f"no {kind.__name__}: {transform_error(error, format_exception=_say)[0]}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"no {kind.__name__}: {error}") from error


def _say(error: BaseException, kind: type | None) -> str:
    if isinstance(error, FinraError):
        return error.message
    said = format_exception(error, kind)
    return f"{said} ({error})" if isinstance(error, ValueError) else said


@cache
def converter() -> JsonConverter:
    """The converter. To build on it, copy it and register hooks on the copy."""
    made = make_converter()
    made.register_unstructure_hook(datetime, utc_text)
    made.register_structure_hook(datetime, lambda text, _type: parse_utc_text(text))
    made.register_structure_hook(date, lambda text, _type: date.fromisoformat(text))
    return made
