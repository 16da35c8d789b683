"""The content of a partition as its source gave it, and the hash by which two contents are compared."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterable, Sequence

from attrs import field, frozen

from finra_core.captures import SourceVersion

_SHOWN = 16


def _as_tuple(documents: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(documents)


@frozen
class Payload:
    """A partition's raw content: one or more delimited documents, each a header line and its rows.

    FINRA offers a week's ATS and non-ATS volumes as separate downloads, hence more than one.
    `version` is what the source says of the version of exactly this content, None where it says nothing.
    """

    documents: tuple[bytes, ...] = field(converter=_as_tuple, repr=False)
    source_url: str
    version: SourceVersion | None = None

    @property
    def size_bytes(self) -> int:
        """The documents' size, uncompressed."""
        return sum(map(len, self.documents))


def compute_content_hash(content: bytes) -> str:
    """The first 16 hex digits of the SHA-256 of these bytes: for display. What is stored and compared is whole."""
    return hashlib.sha256(content).hexdigest()[:_SHOWN]


def canonical_hash(documents: Sequence[bytes]) -> str:
    """SHA-256, 64 hex digits, of the content in canonical order: equal contents hash equal in any row order.

    A document's canonical form is its header line and then its other lines sorted bytewise, each
    ended by one LF. Blank lines, the kind of line ending and a byte order mark are no content. Of several documents
    the sorted hashes are hashed.
    """
    hashes = sorted(hashlib.sha256(_canonical(document)).hexdigest() for document in documents)
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("".join(hashes).encode("ascii")).hexdigest()


def count_rows(documents: Sequence[bytes]) -> int:
    """Data rows in all documents: non-blank lines after the header."""
    return sum(len(split_rows(document)) for document in documents)


def split_rows(document: bytes) -> list[bytes]:
    """A document's rows as they are written: the lines after the header that are not blank, without their ends."""
    return _lines(document)[1:]


def _canonical(document: bytes) -> bytes:
    lines = _lines(document)
    body = sorted(lines[1:])
    return b"\n".join([*lines[:1], *body, b""])


def _lines(document: bytes) -> list[bytes]:
    document = document.removeprefix(codecs.BOM_UTF8)
    if b"\r" in document:
        document = document.replace(b"\r\n", b"\n")
    lines = document.split(b"\n")
    return [line for line in lines if line] if b"" in lines else lines
