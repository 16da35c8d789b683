"""Raw documents, compressed, stored once for all captures that have the same bytes.

The key is a hash of the bytes and not the capture's content hash: that one is the same in any order of
rows, and what is read back here has to be what came in, byte for byte.

A payload is stored whole, or as differences to the payload before it. A base is always whole, so that no payload
needs more than one other to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_core.weekly_summary.payload import Payload, hash_documents
from finra_sql.deltas import deltas, expand
from finra_sql.schema import captures, raw_payloads
from finra_sql.session import Session

WHOLE = "zstd"
DELTA = "zstd-delta"
_LEVEL = 1
"""0.4 x the time of zlib's fastest level and 0.9 x its bytes; of the next two levels the bytes are the same."""
_PAYS = 4

_c = raw_payloads.c


def put(session: Session, payload: Payload, partition_no: int | None) -> str:
    """Store the documents unless they are there, and say under which hash.

    partition_no: whose newest payload they may be stored as differences to; None where it has none.
    """
    payload_hash, documents = payload.documents_hash, payload.documents
    newest = [] if partition_no is None else _newest(session, partition_no)
    if newest and newest[0].payload_hash == payload_hash:
        return payload_hash
    bodies = _as_deltas(session, newest, documents) or [(WHOLE, None, body) for body in whole(documents)]
    rows = [
        (payload_hash, ordinal, codec, len(document), base_hash, body)
        for ordinal, (document, (codec, base_hash, body)) in enumerate(zip(documents, bodies, strict=True))
    ]
    columns = (_c.payload_hash, _c.ordinal, _c.codec, _c.size_bytes, _c.base_hash, _c.body)
    session.dialect.insert_missing(session.connection, columns, rows)
    return payload_hash


_Body = tuple[str, "str | None", bytes]
"""Codec, the base's hash, and the compressed bytes."""


def whole(documents: Sequence[bytes]) -> list[bytes]:
    """The documents, each compressed by itself."""
    from zstandard import compress  # noqa: PLC0415  most runs find nothing new

    return [compress(document, _LEVEL) for document in documents]


def paying_deltas(base: bytes, documents: Sequence[bytes], size: int) -> list[bytes] | None:
    """The documents as differences to a base; None unless they take less than a quarter of it.

    size: of the base, compressed. Documents whose differences take more have little in common with it.
    """
    found = deltas(base, documents)
    return found if found is not None and sum(map(len, found)) * _PAYS < size else None


def _as_deltas(session: Session, newest: Sequence[Row[Any]], documents: Sequence[bytes]) -> list[_Body] | None:
    """Differences to a partition's newest payload, or to that one's own base; None where they do not pay."""
    if not newest:
        return None
    base_hash = newest[0].base_hash or newest[0].payload_hash
    base_rows = newest if newest[0].base_hash is None else _rows(session, base_hash)
    if any(row.codec != WHOLE for row in base_rows):
        return None
    base = _joined(base_rows)
    found = None if base is None else paying_deltas(base, documents, sum(len(row.body) for row in base_rows))
    return None if found is None else [(DELTA, base_hash, body) for body in found]


def _joined(rows: Sequence[Row[Any]]) -> bytes | None:
    """The documents of a whole payload in one piece; None where they are damaged, which is for their reader to say."""
    from zstandard import ZstdError, decompress  # noqa: PLC0415  as above

    try:
        documents = [decompress(row.body) for row in rows]
    except ZstdError:
        return None
    return b"".join(documents) if rows and hash_documents(documents) == rows[0].payload_hash else None


def _newest(session: Session, partition_no: int) -> Sequence[Row[Any]]:
    """The rows of the payload of a partition's newest capture."""
    newest = select(func.max(captures.c.capture_no)).where(captures.c.partition_no == partition_no).scalar_subquery()
    query = (
        select(raw_payloads)
        .join(captures, captures.c.payload_hash == _c.payload_hash)
        .where(captures.c.capture_no == newest)
        .order_by(_c.ordinal)
    )
    return session.execute(query).all()


def _rows(session: Session, payload_hash: str) -> Sequence[Row[Any]]:
    query = select(raw_payloads).where(_c.payload_hash == payload_hash).order_by(_c.ordinal)
    return session.execute(query).all()


def get(session: Session, capture: Capture) -> tuple[bytes, ...]:
    """The documents of a capture, in their order."""
    query = (
        select(captures.c.payload_hash, _c.codec, _c.base_hash, _c.body)
        .outerjoin_from(captures, raw_payloads, _c.payload_hash == captures.c.payload_hash)
        .where(captures.c.capture_no == capture.number)
        .order_by(_c.ordinal)
    )
    stored = session.execute(query).all()
    if not stored:
        raise StoreError(f"{capture} is not in this store", partition=capture.partition)
    documents = _expanded(session, capture, [row for row in stored if row.codec is not None])
    if hash_documents(documents) != stored[0].payload_hash:
        raise _damaged(capture, "it is not what was stored")
    return documents


def size_of(header: bytes) -> int:
    """How many bytes a compressed document has when it is decompressed, by its first bytes; -1 where they are none."""
    from zstandard import ZstdError, get_frame_parameters  # noqa: PLC0415  as above

    try:
        return int(get_frame_parameters(header).content_size)
    except ZstdError:
        return -1


def _expanded(session: Session, capture: Capture, rows: Sequence[Row[Any]]) -> tuple[bytes, ...]:
    from zstandard import ZstdError, decompress  # noqa: PLC0415  as above

    for row in rows:
        if row.codec not in {WHOLE, DELTA}:
            raise StoreError(
                f"{capture}: payload compressed by {row.codec!r}: upgrade finra-core to read it",
                partition=capture.partition,
            )
    hashes = {row.base_hash for row in rows if row.codec == DELTA}
    bases = {base_hash: _base(session, capture, base_hash) for base_hash in hashes}
    try:
        return tuple(
            decompress(row.body) if row.codec == WHOLE else expand(bases[row.base_hash], row.body) for row in rows
        )
    except ZstdError as error:
        raise _damaged(capture, str(error)) from error


def _base(session: Session, capture: Capture, base_hash: str) -> bytes:
    base = _joined(_rows(session, base_hash))
    if base is None:
        raise _damaged(capture, f"the payload {base_hash[:8]} that it differs from is not what was stored")
    return base


def _damaged(capture: Capture, how: str) -> StoreError:
    return StoreError(
        f"{capture}: its stored payload is damaged ({how}): restore a backup", partition=capture.partition
    )
