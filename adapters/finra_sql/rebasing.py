"""Payloads that go, and others that are stored as differences to them: these get another base first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from finra_core.domain.errors import StoreError
from finra_core.weekly_summary.payload import hash_documents
from finra_sql.deltas import expand
from finra_sql.payloads import DELTA, WHOLE, paying_deltas, whole
from finra_sql.schema import captures, raw_payloads
from finra_sql.session import Session

_c = raw_payloads.c


def remove_unowned(session: Session, hashes: Collection[str]) -> None:
    """Remove those of these payloads that no capture has any more.

    Of those that differ from one that goes, the oldest is stored whole, and the others as differences to it.
    """
    used = select(captures.c.payload_hash).where(captures.c.payload_hash == _c.payload_hash)
    unowned = select(_c.payload_hash).where(_c.payload_hash.in_(sorted(hashes)), ~used.exists()).distinct()
    doomed = sorted(session.execute(unowned).scalars())
    session.execute(delete(raw_payloads).where(_c.payload_hash.in_(doomed), _c.base_hash.is_not(None)))
    for base_hash in doomed:
        _rebase(session, base_hash)
    session.execute(delete(raw_payloads).where(_c.payload_hash.in_(doomed)))


def _rebase(session: Session, base_hash: str) -> None:
    oldest = select(func.min(captures.c.capture_no)).where(captures.c.payload_hash == _c.payload_hash).scalar_subquery()
    differing = session.execute(
        select(raw_payloads).where(_c.base_hash == base_hash).order_by(oldest, _c.payload_hash, _c.ordinal)
    ).all()
    if not differing:
        return
    base = _bytes(session, base_hash)
    by_payload: dict[str, list[Row[Any]]] = {}
    for row in differing:
        by_payload.setdefault(row.payload_hash, []).append(row)
    (new_hash, first), *others = by_payload.items()
    documents = _expanded(base, first)
    new_base, size = b"".join(documents), _store_whole(session, first, documents)
    for _hash, rows in others:
        documents = _expanded(base, rows)
        found = paying_deltas(new_base, documents, size)
        if found is None:
            _store_whole(session, rows, documents)
        else:
            _store(session, rows, DELTA, new_hash, found)


def _expanded(base: bytes, rows: Sequence[Row[Any]]) -> list[bytes]:
    """The documents of a payload, which are not stored anew unless they are what they were.

    Raises:
        StoreError: they are damaged.
    """
    from zstandard import ZstdError  # noqa: PLC0415  few commands need it

    try:
        documents = [expand(base, row.body) for row in rows]
    except ZstdError:
        documents = []
    if hash_documents(documents) != rows[0].payload_hash:
        raise StoreError(f"the stored payload {rows[0].payload_hash[:8]} is damaged: finra verify names its capture")
    return documents


def _bytes(session: Session, payload_hash: str) -> bytes:
    from zstandard import ZstdError, decompress  # noqa: PLC0415  as above

    rows = session.execute(select(_c.body).where(_c.payload_hash == payload_hash).order_by(_c.ordinal))
    try:
        return b"".join(decompress(body) for body in rows.scalars())
    except ZstdError as error:
        raise StoreError(f"the stored payload {payload_hash[:8]} is damaged: finra verify names its capture") from error


def _store_whole(session: Session, rows: Sequence[Row[Any]], documents: Sequence[bytes]) -> int:
    bodies = whole(documents)
    _store(session, rows, WHOLE, None, bodies)
    return sum(map(len, bodies))


def _store(
    session: Session, rows: Sequence[Row[Any]], codec: str, base_hash: str | None, bodies: Sequence[bytes]
) -> None:
    for row, body in zip(rows, bodies, strict=True):
        own = update(raw_payloads).where(_c.payload_hash == row.payload_hash, _c.ordinal == row.ordinal)
        session.execute(own.values(codec=codec, base_hash=base_hash, body=body))
