"""Raw documents, compressed, stored once for all captures that have the same bytes.

The key is a hash of the bytes and not the capture's content hash: that one is the same in any order of
rows, and what is read back here has to be what came in, byte for byte.
"""

from __future__ import annotations

from sqlalchemy import select

from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_core.weekly_summary.payload import Payload, hash_documents
from finra_sql.schema import captures, raw_payloads
from finra_sql.session import Session

CODEC = "zstd"
_LEVEL = 1
"""0.4 x the time of zlib's fastest level and 0.9 x its bytes; of the next two levels the bytes are the same."""


def put(session: Session, payload: Payload) -> str:
    """Store the documents unless they are there, and say under which hash."""
    from zstandard import compress  # noqa: PLC0415  most runs find nothing new

    payload_hash = payload.documents_hash
    rows = [
        (payload_hash, ordinal, CODEC, len(document), compress(document, _LEVEL))
        for ordinal, document in enumerate(payload.documents)
    ]
    c = raw_payloads.c
    columns = (c.payload_hash, c.ordinal, c.codec, c.size_bytes, c.body)
    session.dialect.insert_missing(session.connection, columns, rows)
    return payload_hash


def get(session: Session, capture: Capture) -> tuple[bytes, ...]:
    """The documents of a capture, in their order."""
    query = (
        select(captures.c.payload_hash, raw_payloads.c.codec, raw_payloads.c.body)
        .outerjoin_from(captures, raw_payloads, raw_payloads.c.payload_hash == captures.c.payload_hash)
        .where(captures.c.capture_no == capture.number)
        .order_by(raw_payloads.c.ordinal)
    )
    stored = session.execute(query).all()
    if not stored:
        raise StoreError(f"{capture} is not in this store", partition=capture.partition)
    documents = tuple(_decompress(capture, row.codec, row.body) for row in stored if row.codec is not None)
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


def _decompress(capture: Capture, codec: str, body: bytes) -> bytes:
    from zstandard import ZstdError, decompress  # noqa: PLC0415  as above

    if codec != CODEC:
        raise StoreError(
            f"{capture}: payload compressed by {codec!r}: upgrade finra-core to read it", partition=capture.partition
        )
    try:
        return decompress(body)
    except ZstdError as error:
        raise _damaged(capture, str(error)) from error


def _damaged(capture: Capture, how: str) -> StoreError:
    return StoreError(
        f"{capture}: its stored payload is damaged ({how}): restore a backup", partition=capture.partition
    )
