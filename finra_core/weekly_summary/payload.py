"""The content of a partition as its source gave it, and the hash by which two contents are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from attrs import field, frozen

from finra_core.domain.captures import SourceVersion
from finra_core.weekly_summary.profile import Profile, hash_lines, profile, split_lines

_SHOWN = 16


def _as_tuple(documents: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(documents)


@frozen
class Payload:
    """A partition's raw content: one or more delimited documents, each a header line and its rows.

    There may be several, because FINRA offers a week's ATS and non-ATS volumes as two downloads. version: the source's
    version of exactly this content, None where it has none. profiles: one for each document, where the source has made
    them already.
    """

    documents: tuple[bytes, ...] = field(converter=_as_tuple, repr=False)
    source_url: str
    version: SourceVersion | None = None
    profiles: tuple[Profile, ...] | None = field(default=None, repr=False, eq=False)
    _hashed: list[str] = field(factory=list, init=False, repr=False, eq=False)

    def profiled(self) -> tuple[Profile, ...]:
        """A profile of each document.

        Raises:
            SourceDataError: one is no FINRA data.
        """
        return self.profiles or tuple(map(profile, self.documents))

    @property
    def documents_hash(self) -> str:
        """`hash_documents` of its documents."""
        if not self._hashed:
            self._hashed.append(hash_documents(self.documents))
        return self._hashed[0]

    @property
    def size_bytes(self) -> int:
        """The documents' size, uncompressed."""
        return sum(map(len, self.documents))


def compute_content_hash(content: bytes) -> str:
    """The first 16 hex digits of the SHA-256 of these bytes: for display. What is stored and compared is whole."""
    return hashlib.sha256(content).hexdigest()[:_SHOWN]


def hash_documents(documents: Sequence[bytes]) -> str:
    """SHA-256, 64 hex digits, over the documents' own hashes, so that a cut moved between two documents shows."""
    digests = b"".join(hashlib.sha256(document).digest() for document in documents)
    return hashlib.sha256(digests).hexdigest()


def canonical_hash(documents: Sequence[bytes]) -> str:
    """SHA-256, 64 hex digits, of the content in canonical order. The order of rows does not change it.

    For one document it is `hash_lines`; for several, the hash of their sorted hashes. Blank lines, the kind of line
    ending and a byte order mark do not count.
    """
    return combined_hash(hash_lines(split_lines(document)) for document in documents)


def combined_hash(hashes: Iterable[str]) -> str:
    """The hash of a content, from the hashes of its documents."""
    ordered = sorted(hashes)
    return ordered[0] if len(ordered) == 1 else hashlib.sha256("".join(ordered).encode("ascii")).hexdigest()


def count_rows(documents: Sequence[bytes]) -> int:
    """Data rows in all documents: non-blank lines after the header."""
    return sum(max(len(split_lines(document)) - 1, 0) for document in documents)
