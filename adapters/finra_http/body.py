"""Reading the body of an answer within bounds, whatever the other side sends.

The bytes are taken as they come over the network and inflated here: so they can be counted, and a
small body that inflates without end is given up after MAX_BODY bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from urllib3 import BaseHTTPResponse

from finra_http.budget import Tally
from finra_http.faults import BadDataError, FaultError
from finra_http.runtime import Deadline

MAX_BODY = 8 * 1024 * 1024
"""Bytes of one answer after decompression. FINRA's own cap for a synchronous answer is 3 MB."""

_CHUNK = 64 * 1024


def read_body(response: BaseHTTPResponse, tally: Tally, deadline: Deadline) -> bytes:
    """The whole body, decompressed.

    Raises:
        BadDataError: it passes the tally's bound, or MAX_BODY.
        FaultError: it is broken or not over when the deadline is.
        urllib3.exceptions.HTTPError: the connection failed or ended before the body.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    chunks = _chunks(response, tally, deadline)
    if encoding in ("", "identity") or response.headers.get("Content-Length") == "0":
        return _join(chunks)
    if encoding not in ("gzip", "x-gzip"):
        raise FaultError("a content encoding that was not asked for")
    try:
        return _gunzip(chunks)
    except zlib.error:
        raise FaultError("broken gzip data") from None


def _chunks(response: BaseHTTPResponse, tally: Tally, deadline: Deadline) -> Iterator[bytes]:
    # read1 returns what has arrived: a body that comes in drops cannot outlast the deadline.
    while chunk := response.read1(min(_CHUNK, tally.left), decode_content=False):
        tally.received += len(chunk)
        if not tally.left:
            raise BadDataError(f"the answer takes more than {tally.bound:,} bytes")
        if not deadline.remaining():
            raise FaultError("the answer was not over in time", outcome="time-out")
        yield chunk


def _join(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        _check_size(body)
    return bytes(body)


def _gunzip(chunks: Iterable[bytes]) -> bytes:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    body = bytearray()
    for chunk in chunks:
        body += inflater.decompress(chunk, MAX_BODY + 1 - len(body))
        _check_size(body)
    if not inflater.eof or inflater.unused_data:
        raise FaultError("the gzip data does not end where the answer does")
    return bytes(body)


def _check_size(body: bytearray) -> None:
    if len(body) > MAX_BODY:
        raise BadDataError(f"the answer is larger than {MAX_BODY:,} bytes")
