"""A tamper-evident chain: each entry vouches for what one unit of work put, and for all entries before it.

An entry's hash is the SHA-256 of the canonical JSON (RFC 8785) of its fields, the hash of the entry before it among
them. Whoever changes, drops or adds an entry has to hash all later ones anew, which a hash kept elsewhere gives away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from operator import attrgetter
from typing import Any

from attrs import fields, frozen, has

from finra_core.domain.timestamps import utc_text

NO_ENTRY = "0" * 64
"""What the first entry has in place of the hash before it."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_EXACT = 2**53
"""From here on a number in JSON is not exact."""


class EntryKind(str, Enum):
    """What an entry vouches for.

    CAPTURES: captures as they were stored. CHECKS: when captures were verified and checked. RECORDS: when captures got
    their records, how many, and their coverage. ACKNOWLEDGMENTS has a person's words in full. REMOVALS names captures
    and analytics that are no longer there, PRUNES the records of why. PINS has no digest of a pin that was removed. The
    others are what their names say.
    """

    CAPTURES = "captures"
    CHECKS = "checks"
    RECORDS = "records"
    ANALYSES = "analyses"
    JUDGMENTS = "judgments"
    ANOMALIES = "anomalies"
    ACKNOWLEDGMENTS = "acknowledgments"
    DECISIONS = "decisions"
    RUNS = "runs"
    REMOVALS = "removals"
    PRUNES = "prunes"
    PINS = "pins"

    def __str__(self) -> str:
        return self.value


@frozen
class Vouched:
    """One thing that an entry vouches for: what it is called, and the digest of all that it consists of.

    Of an acknowledgment it has the words themselves in place of the digest.
    """

    name: str
    digest: str


@frozen(kw_only=True)
class ChainEntry:
    """One entry. seq: 1 for the first. subject: canonical JSON. previous: the hash of the entry before it, in hex."""

    seq: int
    kind: str
    subject: str
    at: datetime
    previous: str
    hash: str

    def vouched(self) -> list[Vouched]:
        """What it vouches for.

        Raises:
            ValueError: its subject is not as this library writes it.
        """
        pairs = json.loads(self.subject)
        if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
            raise ValueError(f"entry {self.seq}: its subject is no list of names and digests")
        return [Vouched(*pair) for pair in pairs]


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and [type(each) for each in value] == [str, str]


def canonical_json(value: object) -> bytes:
    """RFC 8785. value: what json.dumps takes, without numbers that JSON cannot hold exactly."""
    from rfc8785 import dumps  # noqa: PLC0415  reading a store needs no hash

    return bytes(dumps(value))  # type: ignore[arg-type]


def digest(value: object) -> str:
    """SHA-256 in hex of a value's canonical JSON. value: an attrs class's, or what JSON has.

    Fields that are None or empty do not count, so a field that a later release adds leaves the digests of what is
    stored already as they are.
    """
    plain = _plain(value)
    text = _ENCODER.encode(plain)
    # In ASCII the standard library's encoder, which is written in C, gives the same: most of what is stored is.
    content = text.encode() if text.isascii() else canonical_json(plain)
    return hashlib.sha256(content).hexdigest()


def entry_hash(*, seq: int, kind: str, subject: str, at: datetime, previous: str) -> str:
    """The hash of an entry with these fields."""
    fields = {"at": utc_text(at), "kind": kind, "previous": previous, "seq": seq, "subject": subject}
    return hashlib.sha256(canonical_json(fields)).hexdigest()


def next_entries(
    head: ChainEntry | None, subjects: Sequence[tuple[EntryKind, Sequence[Vouched]]], at: datetime
) -> list[ChainEntry]:
    """The entries that follow the head, one for each subject. head: None where there is none yet."""
    entries: list[ChainEntry] = []
    for kind, vouched in subjects:
        last = entries[-1] if entries else head
        seq, previous = (last.seq + 1, last.hash) if last else (1, NO_ENTRY)
        subject = canonical_json([[each.name, each.digest] for each in vouched]).decode()
        own = entry_hash(seq=seq, kind=kind.value, subject=subject, at=at, previous=previous)
        entries.append(
            ChainEntry(seq=seq, kind=kind.value, subject=subject, at=at, previous=previous, hash=own),
        )
    return entries


@frozen
class Break:
    """A place at which a chain is not whole, and how."""

    seq: int
    message: str


def breaks(entries: Iterable[ChainEntry], after: ChainEntry | None = None) -> Iterable[Break]:
    """Where a chain is not whole. entries: all that follow `after`, in the order of `seq`; None means from the first.

    An entry that was changed no longer has the hash that it says. Where one was dropped, added or moved, a number is
    missing or double, or an entry does not follow the one before it.
    """
    last = after
    for entry in entries:
        expected = last.seq + 1 if last else 1
        if entry.seq != expected:
            yield Break(entry.seq, f"entry {entry.seq} follows entry {expected - 1}: entries were dropped or added")
        elif entry.previous != (last.hash if last else NO_ENTRY):
            yield Break(entry.seq, f"entry {entry.seq} does not follow the entry before it: one of the two was changed")
        if entry.hash != _own_hash(entry):
            yield Break(entry.seq, f"entry {entry.seq} is not what was hashed: it was changed")
        last = entry


def _own_hash(entry: ChainEntry) -> str:
    try:
        return entry_hash(seq=entry.seq, kind=entry.kind, subject=entry.subject, at=entry.at, previous=entry.previous)
    except (AttributeError, TypeError, ValueError):
        return ""  # damage can leave a value of another kind


def _plain(value: object) -> Any:
    return _WRITERS[type(value)](value)


def _of_class(kind: type) -> Callable[[Any], Any]:
    names = [attribute.name for attribute in fields(kind)]

    def write(value: Any) -> dict[str, Any]:
        values = ((name, getattr(value, name)) for name in names)
        return {name: _plain(each) for name, each in values if each is not None and each not in _EMPTY}

    return write


def _number(value: int) -> int | str:
    return value if abs(value) < _EXACT else repr(value)


def _text(value: str) -> str:
    """Text that UTF-8 can hold: a lone surrogate becomes its escape."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def _object(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(each) for name, each in value.items() if each is not None}


class _Writers(dict[type, Callable[[Any], Any]]):
    """How values become what JSON has, by class; those of enums and attrs classes are learned."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        if issubclass(kind, Enum):
            self[kind] = attrgetter("value")
        elif issubclass(kind, datetime):
            self[kind] = utc_text
        elif has(kind):
            self[kind] = _of_class(kind)
        else:
            raise TypeError(f"{kind.__name__}: no value that the chain can vouch for")
        return self[kind]


_EMPTY: tuple[object, ...] = ((), {})
_WRITERS = _Writers(
    {
        str: _text,
        bytes: bytes.hex,  # none of ours: damage can make it of a text, and that has to show
        bool: bool,
        int: _number,
        float: repr,
        datetime: utc_text,
        date: date.isoformat,
        dict: _object,
        list: lambda value: [_plain(each) for each in value],
        tuple: lambda value: [_plain(each) for each in value],
        type(None): lambda _value: None,
    }
)
