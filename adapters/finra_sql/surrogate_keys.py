"""Surrogate keys of securities, venues and partitions: once committed they never change, so each is read once.

A store keeps those that it has seen: some ten thousand securities are in the data of one week, and the same next week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Table, select

from finra_sql.session import Session

_Natural = tuple[Any, ...]
"""The values of all columns but the first."""
_Known = defaultdict[str, dict[_Natural, int]]
"""By the table's name."""


class SurrogateKeys:
    """The committed keys that a store has seen."""

    def __init__(self) -> None:
        self._known: _Known = defaultdict(dict)

    def in_transaction(self) -> KeysInTransaction:
        """A view of them that learns more in a transaction."""
        return KeysInTransaction(self._known)


class KeysInTransaction:
    """What a transaction sees and enters; others may know of it once that is committed."""

    def __init__(self, known: _Known) -> None:
        self._known = known
        self._learned: _Known = defaultdict(dict)
        self._entered: set[tuple[str, _Natural]] = set()

    def of(self, session: Session, table: Table, rows: Sequence[_Natural]) -> list[int]:
        """The key of each row, in this order, after entering those that are new."""
        known = self._known[table.name]
        unknown = [row for row in rows if row not in known]
        if not unknown:
            return [known[row] for row in rows]
        learned = self._learned[table.name]
        unlearned = [row for row in unknown if row not in learned]
        if unlearned:
            learned |= self._enter(session, table, unlearned)
        return [known[row] if row in known else learned[row] for row in rows]

    def has_entered(self, table: Table, row: _Natural) -> bool:
        """Whether this transaction alone entered the row, so that no other row can refer to it yet."""
        return (table.name, row) in self._entered

    def committed(self) -> None:
        """Let others know."""
        for name, learned in self._learned.items():
            self._known[name].update(learned)

    def _enter(self, session: Session, table: Table, rows: Sequence[_Natural]) -> dict[_Natural, int]:
        found = _look_up(session, table, rows)
        new = sorted(set(rows) - found.keys())
        found |= self._enter_one(session, table, new[0]) if len(new) == 1 else _enter_many(session, table, new)
        return {row: found[row] for row in rows}

    def _enter_one(self, session: Session, table: Table, row: _Natural) -> dict[_Natural, int]:
        names = [column.name for column in table.c][1:]
        key = session.dialect.insert_new(session.connection, table, dict(zip(names, row, strict=True)))
        if key is None:
            return _look_up(session, table, [row])
        self._entered.add((table.name, row))
        return {row: key}


def _enter_many(session: Session, table: Table, rows: Sequence[_Natural]) -> dict[_Natural, int]:
    if not rows:
        return {}
    session.dialect.insert_missing(session.connection, list(table.c)[1:], rows)
    return _look_up(session, table, rows)


def _look_up(session: Session, table: Table, rows: Collection[_Natural]) -> dict[_Natural, int]:
    """The keys of these rows, and of others that begin alike.

    Not of the whole table, which grows with the years; nor of these rows alone, as comparing three columns costs
    more than fetching a few rows too many.
    """
    query = select(table).where(session.dialect.among(list(table.c)[1], {row[0] for row in rows}))
    return {tuple(row[1:]): row[0] for row in session.execute(query).all()}
