"""Raw documents, compressed, stored once for all captures that have the same bytes.

The key is a hash of the bytes and not the capture's content hash: that one is the same in any order of
rows, and what is read back here has to be what came in, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, select

from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_sql.schema import captures, raw_payloads
from finra_sql.upsert import insert_missing

_CODEC = "zstd"
_LEVEL = 1
"""0.4 x the time of zlib's fastest level and 0.9 x its bytes; of the next two levels the bytes are the same."""


def put(connection: Connection, documents: Sequence[bytes]) -> str:
    """Store the documents unless they are there, and say under which hash."""
    from zstandard import compress  # noqa: PLC0415  most runs find nothing new

    payload_hash = _hash(documents)
    known = select(raw_payloads.c.ordinal).where(raw_payloads.c.payload_hash == payload_hash).limit(1)
    if connection.execute(known).first() is None and documents:
        insert_missing(  # another writer may be storing the same documents
            connection,
            raw_payloads,
            [
                {
                    "payload_hash": payload_hash,
                    "ordinal": ordinal,
                    "codec": _CODEC,
                    "size_bytes": len(document),
                    "body": compress(document, _LEVEL),
                }
                for ordinal, document in enumerate(documents)
            ],
        )
    return payload_hash


def get(connection: Connection, capture: Capture) -> tuple[bytes, ...]:
    """See `Store.documents`."""
    query = select(captures.c.payload_hash).where(captures.c.capture_no == capture.number)
    payload_hash: str | None = connection.execute(query).scalar()
    if payload_hash is None:
        raise StoreError(f"{capture} is not in this store", partition=capture.partition)
    stored = (
        select(raw_payloads.c.codec, raw_payloads.c.body)
        .where(raw_payloads.c.payload_hash == payload_hash)
        .order_by(raw_payloads.c.ordinal)
    )
    return tuple(_decompress(capture, codec, body) for codec, body in connection.execute(stored))


def _decompress(capture: Capture, codec: str, body: bytes) -> bytes:
    from zstandard import ZstdError, decompress  # noqa: PLC0415  as above

    if codec != _CODEC:
        raise StoreError(
            f"{capture}: payload compressed by {codec!r}: upgrade finra-core to read it", partition=capture.partition
        )
    try:
        return decompress(body)
    except ZstdError as error:
        raise StoreError(
            f"{capture}: its stored payload is damaged ({error}): restore a backup", partition=capture.partition
        ) from error


def _hash(documents: Sequence[bytes]) -> str:
    """SHA-256 in hex over the documents' own hashes, so that a cut moved between two documents shows."""
    digests = b"".join(hashlib.sha256(document).digest() for document in documents)
    return hashlib.sha256(digests).hexdigest()
