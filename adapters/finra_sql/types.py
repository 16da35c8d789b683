"""Values that databases keep in different types. Each database's package registers its own for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, TIMESTAMP, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_registered: dict[str, Mapping[type[TypeEngine[Any]], TypeEngine[Any]]] = {}


def register_types(database: str, *, timestamp: TypeEngine[datetime], json: TypeEngine[Any]) -> None:
    """Say how a database keeps values; `database` is the name of its SQLAlchemy dialect.

    timestamp: takes aware datetimes and gives them in UTC. json: takes and gives what json.dumps takes.
    """
    _registered[database] = {Timestamp: timestamp, Json: json}


class _Registered(TypeDecorator[Any]):
    impl = TypeEngine

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _registered[dialect.name][type(self)]


class Timestamp(_Registered):
    """An instant."""

    impl = TIMESTAMP
    cache_ok = True


class Json(_Registered):
    """A JSON value."""

    impl = JSON
    cache_ok = True
