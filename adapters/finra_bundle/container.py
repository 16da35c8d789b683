"""The file: a tar archive of a strict form, in which every byte is prescribed or has a hash.

The payloads come first, each as zstd under the hash of its document. Then come the manifest and the manifest's hash,
each once. A reader takes nothing else: no other name, no other header, no other filling.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

from attrs import frozen

from finra_core.domain.errors import ConfigurationError

BLOCK = tarfile.BLOCKSIZE
CHUNK = 1 << 20
END = bytes(2 * BLOCK)
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.sha256"
MAX_DOCUMENT = 256 << 20
"""Bytes of the documents of one payload. FINRA's largest have some ten million."""
MAX_MANIFEST = 256 << 20
MAX_WINDOW = 32 << 20
"""Bytes that unpacking may keep in memory."""
LEVEL = 3

_PAYLOAD = re.compile(r"payloads/([0-9a-f]{64})\.zst")


@frozen(kw_only=True)
class Entry:
    """One payload document in the file. stored_sha256, stored_bytes: as it is stored, compressed."""

    sha256: str
    stored_sha256: str
    stored_bytes: int
    size_bytes: int


def payload_name(sha256: str) -> str:
    """The entry of a document."""
    return f"payloads/{sha256}.zst"


def header(name: str, size: int) -> bytes:
    """The one header that an entry of this name and size may have: no owner, no time, mode 0644."""
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(format=tarfile.USTAR_FORMAT)


def write_entry(file: BinaryIO, name: str, content: bytes) -> None:
    """Append an entry."""
    file.write(header(name, len(content)))
    file.write(content)
    file.write(bytes(-len(content) % BLOCK))


def compressed(document: bytes) -> bytes:
    """One zstd frame."""
    from zstandard import ZstdCompressor  # noqa: PLC0415  few commands need it

    return ZstdCompressor(level=LEVEL).compress(document)


@frozen
class Contents:
    """A file that has been read from its first byte to its last. offsets: where each payload's bytes begin."""

    entries: dict[str, Entry]
    offsets: dict[str, int]
    manifest: bytes
    manifest_sha256: str


def read_all(file: BinaryIO) -> Contents:
    """Read a bundle from its beginning, and check each byte that needs no manifest to be checked.

    Raises:
        ConfigurationError: it is no bundle, or is damaged.
    """
    entries: dict[str, Entry] = {}
    offsets: dict[str, int] = {}
    name, size = _next(file)
    while found := _PAYLOAD.fullmatch(name):
        sha256 = found.group(1)
        if sha256 in entries:
            raise ConfigurationError(f"the entry {name} stands in it twice")
        offsets[sha256] = file.tell()
        entries[sha256] = _read_payload(file, sha256, size)
        _skip_filling(file, size)
        name, size = _next(file)
    manifest = _read_small(file, (name, size), MANIFEST, MAX_MANIFEST)
    digest = hashlib.sha256(manifest).hexdigest()
    if _read_small(file, _next(file), MANIFEST_HASH, BLOCK) != f"{digest}\n".encode():
        raise ConfigurationError("its manifest is damaged: it does not have the hash that the file names")
    if file.read(len(END) + 1) != END:
        raise ConfigurationError("it does not end as a bundle does: it is cut off, or something follows")
    return Contents(entries, offsets, manifest, digest)


def _next(file: BinaryIO) -> tuple[str, int]:
    """The name and the size of the next entry."""
    block = _exactly(file, BLOCK)
    try:
        entry = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        is_ours = header(entry.name, entry.size) == block
    except (tarfile.TarError, ValueError) as error:
        raise ConfigurationError(f"it is no bundle, or is damaged ({error})") from None
    known = entry.name in (MANIFEST, MANIFEST_HASH) or _PAYLOAD.fullmatch(entry.name)
    if not known or not is_ours:
        raise ConfigurationError(f"the entry {entry.name[:80]!r} is none of a bundle")
    return entry.name, entry.size


def _read_small(file: BinaryIO, found: tuple[str, int], name: str, limit: int) -> bytes:
    if found[0] != name:
        raise ConfigurationError(f"the entry {found[0]} stands where {name} belongs")
    if found[1] > limit:
        raise ConfigurationError(f"the entry {name} has {found[1]:,} bytes, more than the {limit:,} of any bundle")
    content = _exactly(file, found[1])
    _skip_filling(file, found[1])
    return content


def _read_payload(file: BinaryIO, sha256: str, size: int) -> Entry:
    stored = _Hashing(file, size)
    plain, length = hashlib.sha256(), 0
    for chunk in unpack(stored):
        plain.update(chunk)
        length += len(chunk)
    stored.drain()
    if plain.hexdigest() != sha256:
        raise ConfigurationError(f"the payload {payload_name(sha256)} is damaged: it does not have its hash")
    return Entry(sha256=sha256, stored_sha256=stored.digest.hexdigest(), stored_bytes=size, size_bytes=length)


class _Hashing:
    """The next bytes of a file, which are hashed as they are read."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Up to this many bytes."""
        wanted = self._left if size < 0 else min(size, self._left)
        found = _exactly(self._file, wanted)
        self._left -= wanted
        self.digest.update(found)
        return found

    def drain(self) -> None:
        """Read the rest."""
        while self._left:
            self.read(CHUNK)


def unpack(stored: _Hashing) -> Iterator[bytes]:
    """The bytes of a zstd frame, a chunk at a time.

    Raises:
        ConfigurationError: it is no zstd, or has more bytes than any document of FINRA.
    """
    from zstandard import ZstdDecompressor, ZstdError  # noqa: PLC0415  few commands need it

    length = 0
    try:
        with ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(cast("BinaryIO", stored)) as reader:
            while chunk := reader.read(CHUNK):
                length += len(chunk)
                if length > MAX_DOCUMENT:
                    raise ConfigurationError(
                        f"a payload has more than {MAX_DOCUMENT:,} bytes: FINRA publishes none so large"
                    )
                yield chunk
    except (ZstdError, MemoryError) as error:
        raise ConfigurationError(f"a payload is damaged ({error})") from None


def read_document(file: BinaryIO, contents: Contents, sha256: str) -> bytes:
    """One document of a file that was read. Its hash is checked again: the file may have been written since.

    Raises:
        ConfigurationError: it is not what it was.
    """
    file.seek(contents.offsets[sha256])
    document = b"".join(unpack(_Hashing(file, contents.entries[sha256].stored_bytes)))
    if hashlib.sha256(document).hexdigest() != sha256:
        raise ConfigurationError("it was changed while it was read: try again")
    return document


def _skip_filling(file: BinaryIO, size: int) -> None:
    filling = -size % BLOCK
    if _exactly(file, filling) != bytes(filling):
        raise ConfigurationError("it is damaged: there is something between two entries")


def _exactly(file: BinaryIO, size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise ConfigurationError("it is cut off: get it again")
    return found


def check_entries(contents: Contents, stored: Sequence[Entry]) -> None:
    """Check that the file has the payloads that its manifest names, byte for byte, in that order.

    Raises:
        ConfigurationError: it has not.
    """
    if list(contents.entries.values()) != list(stored):
        raise ConfigurationError("its payloads are not those that its manifest names")


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Have what is wrong with a file name the file."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.message}", partition=error.partition) from error
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from error
