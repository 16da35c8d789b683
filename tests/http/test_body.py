"""A body is read within its bounds of bytes, of memory and of time."""

from __future__ import annotations

import gzip
import io
import itertools
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from finra_http.limits import Deadline, Tally
from finra_http.problems import BadDataError, FaultError
from finra_http.transport import MAX_BODY, read_body

STANDING = Deadline.after(1, lambda: 0.0)


def response(content: bytes, encoding: str = "") -> HTTPResponse:
    return HTTPResponse(io.BytesIO(content), {"Content-Encoding": encoding}, preload_content=False)


def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(mebibytes)) + packer.flush()


@given(st.binary(max_size=300_000), st.booleans())
@settings(max_examples=30)
def test_a_body_is_read_as_it_was_and_counted_as_it_came(body: bytes, zipped: bool) -> None:
    content = gzip.compress(body) if zipped else body
    tally = Tally(1_000_000)
    assert read_body(response(content, "gzip" if zipped else ""), tally, STANDING) == body
    assert tally.received == len(content)


def test_a_body_that_inflates_without_end_does_not_fill_the_memory() -> None:
    content = bomb(200)
    tracemalloc.start()
    try:
        with pytest.raises(BadDataError, match="larger than 8,388,608 bytes"):
            read_body(response(content, "gzip"), Tally(1_000_000), STANDING)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * MAX_BODY


def test_a_body_without_compression_has_the_same_bound() -> None:
    with pytest.raises(BadDataError, match="larger than"):
        read_body(response(bytes(MAX_BODY + 1)), Tally(100_000_000), STANDING)


def test_no_byte_beyond_the_bound_is_received() -> None:
    tally = Tally(1000)
    with pytest.raises(BadDataError, match="more than 1,000 bytes"):
        read_body(response(bytes(5000)), tally, STANDING)
    assert tally.received == 1000


def test_a_body_that_comes_in_drops_is_left_at_the_deadline() -> None:
    seconds = itertools.count()
    tally = Tally(10_000_000)
    with pytest.raises(FaultError, match="not over in time"):
        read_body(response(bytes(5_000_000)), tally, Deadline.after(10, lambda: float(next(seconds))))
    assert tally.received < 1_000_000


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:20], lambda c: c + b"x", lambda c: b"x" + c])
def test_damaged_gzip_is_a_fault(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(FaultError):
        read_body(response(damage(gzip.compress(b"rows" * 100)), "gzip"), Tally(1_000_000), STANDING)
