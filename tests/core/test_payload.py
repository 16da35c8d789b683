"""Two contents are equal when their rows are, in any order and with any line ends; any other change is one."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from finra_core.weekly_summary.payload import Payload, canonical_hash, compute_content_hash, count_rows

SHARED_DATA = Path(os.environ.get("FINRA_SHARED_DATA", Path(__file__).resolve().parents[2] / "../shared/data"))
SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4's own example

lines = st.binary(min_size=1, max_size=6).filter(lambda line: b"\n" not in line and b"\r" not in line)
documents = st.lists(lines, min_size=1, max_size=6)


def test_the_displayed_hash_is_the_first_sixteen_digits() -> None:
    assert compute_content_hash(b"abc") == SHA256_OF_ABC[:16]


def test_the_canonical_form_is_the_header_and_then_the_sorted_rows() -> None:
    assert canonical_hash([b"symbol|shares\nB|2\nA|1\n"]) == hashlib.sha256(b"symbol|shares\nA|1\nB|2\n").hexdigest()


def test_a_long_document_is_hashed_as_a_whole() -> None:
    rows = [b"%d|1\n" % number for number in range(3_001, 0, -1)]
    expected = hashlib.sha256(b"".join([b"symbol|shares\n", *sorted(rows)])).hexdigest()
    assert canonical_hash([b"".join([b"symbol|shares\n", *rows])]) == expected


def test_several_documents_are_hashed_by_their_sorted_hashes() -> None:
    hashes = sorted(hashlib.sha256(content).hexdigest() for content in (b"h\na\n", b"h\nb\n"))
    expected = hashlib.sha256("".join(hashes).encode()).hexdigest()
    assert canonical_hash([b"h\na\n", b"h\nb\n"]) == canonical_hash([b"h\nb\n", b"h\na\n"]) == expected


@given(documents, st.data())
def test_row_order_line_ends_and_blank_lines_are_no_content(document: list[bytes], data: st.DataObject) -> None:
    rows = data.draw(st.permutations(document[1:]))
    end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r\n\r\n"]))
    last = data.draw(st.sampled_from([b"", end]))
    assert canonical_hash([end.join([document[0], *rows]) + last]) == canonical_hash([b"\n".join(document)])


@given(documents, documents)
def test_contents_with_other_rows_hash_differently(one: list[bytes], other: list[bytes]) -> None:
    assume((one[0], Counter(one[1:])) != (other[0], Counter(other[1:])))
    assert canonical_hash([b"\n".join(one)]) != canonical_hash([b"\n".join(other)])


@pytest.mark.parametrize(
    "changed",
    [
        b"symbol|shares\nA|1\nB|3\n",
        b"symbol|shares\nA|1\n",
        b"symbol|shares\nA|1\nB|2\nB|2\n",
        b"symbol|trades\nA|1\nB|2\n",
        b"symbol|shares\na|1\nB|2\n",
        b"symbol|shares\nA|1\nB|2.0\n",
    ],
    ids=["value", "withdrawn row", "repeated row", "header", "case", "spelling"],
)
def test_any_changed_value_row_or_header_is_a_change(changed: bytes) -> None:
    assert canonical_hash([changed]) != canonical_hash([b"symbol|shares\nA|1\nB|2\n"])


def test_a_row_moved_to_the_other_document_is_a_change() -> None:
    assert canonical_hash([b"h\na\nb\n", b"h\nc\n"]) != canonical_hash([b"h\na\n", b"h\nb\nc\n"])


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ([], 0),
        ([b""], 0),
        ([b"h"], 0),
        ([b"h\n"], 0),
        ([b"h\na"], 1),
        ([b"h\r\na\r\n\r\nb\r\n"], 2),
        ([b"h\na\n"] * 2, 2),
    ],
)
def test_rows_are_the_lines_that_are_neither_header_nor_blank(content: list[bytes], rows: int) -> None:
    assert count_rows(content) == rows


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="FINRA's real files are not on this machine")
def test_finras_own_files_have_their_rows_and_one_hash_in_any_order() -> None:
    content = (SHARED_DATA / "finra_otc_weekly_otc_20251215.csv").read_bytes()
    header, *rows = content.decode("ascii").splitlines()
    backwards = "\r\n".join([header, *reversed(rows)]).encode("ascii")
    assert count_rows([content]) == 5328
    assert canonical_hash([backwards]) == canonical_hash([content])


def test_a_payloads_size_is_that_of_its_documents() -> None:
    assert Payload((b"abc", b"de"), "file:///a").size_bytes == 5
