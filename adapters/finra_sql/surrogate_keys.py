"""The numbers under which securities and venues are stored: once committed they never change, so each is read once.

A store keeps those that it has seen: some ten thousand securities are in the data of one week, and the same next week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Table, select

from finra_sql.bulk_parameters import among
from finra_sql.upsert import insert_missing_rows

_Key = tuple[str, ...]
_Known = defaultdict[str, dict[_Key, int]]
"""By the table's name."""


class Numbers:
    """The committed numbers that a store has seen."""

    def __init__(self) -> None:
        self._known: _Known = defaultdict(dict)

    def in_transaction(self) -> NumbersInTransaction:
        """A view of them that learns more in a transaction."""
        return NumbersInTransaction(self._known)


class NumbersInTransaction:
    """What a transaction sees and enters; others may know of it once that is committed."""

    def __init__(self, known: _Known) -> None:
        self._known = known
        self._learned: _Known = defaultdict(dict)

    def of(self, connection: Connection, table: Table, keys: Sequence[_Key]) -> list[int]:
        """The number of each security or venue, in this order, after entering those that are new."""
        known = self._known[table.name]
        unknown = [key for key in keys if key not in known]
        if not unknown:
            return [known[key] for key in keys]
        learned = self._learned[table.name]
        learned |= _enter(connection, table, unknown)
        return [known[key] if key in known else learned[key] for key in keys]

    def committed(self) -> None:
        """Let others know."""
        for name, learned in self._learned.items():
            self._known[name].update(learned)


def _enter(connection: Connection, table: Table, keys: Sequence[_Key]) -> dict[_Key, int]:
    found = _look_up(connection, table, keys)
    new = sorted(set(keys) - found.keys())
    if new:
        insert_missing_rows(connection, list(table.c)[1:], new)
        found |= _look_up(connection, table, new)
    return {key: found[key] for key in keys}


def _look_up(connection: Connection, table: Table, keys: Collection[_Key]) -> dict[_Key, int]:
    """The numbers of these keys, and of others that begin alike.

    Not of the whole table, which grows with the years; nor of these keys alone, as comparing three columns costs
    more than fetching a few rows too many.
    """
    query = select(table).where(among(connection, list(table.c)[1], {key[0] for key in keys}))
    return {row[1:]: row[0] for row in connection.execute(query).all()}
