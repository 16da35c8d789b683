"""Making a bundle: one capture in memory at a time, and a file that is there as a whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from finra_bundle.container import (
    END,
    MANIFEST,
    MANIFEST_HASH,
    MAX_DOCUMENT,
    Entry,
    compressed,
    naming,
    payload_name,
    write_entry,
)
from finra_bundle.manifest import manifest_bytes
from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.bundle import (
    BUNDLE_VERSION,
    BundledCapture,
    Document,
    Manifest,
    bundled,
    bundled_analyses,
    select,
)
from finra_core.ports.store import ReadView


@frozen(kw_only=True)
class Bundled:
    """A bundle that was made. manifest_sha256: what its contents can be known by elsewhere."""

    manifest: Manifest
    manifest_sha256: str
    documents: int
    size_bytes: int


def export_bundle(
    view: ReadView,
    path: Path | str,
    *,
    weeks: Collection[date] | None = None,
    tiers: Collection[Tier] = TIERS,
    since: date | None = None,
    named: Collection[str] | None = None,
) -> Bundled:
    """Write captures to a file, in place of what is there; which ones as `finra_core.history.bundle.select`.

    Equal captures make equal files, byte for byte, as far as the zstd library is the same.

    Raises:
        ConfigurationError: there is no capture of a name, or the file cannot be written.
        StoreError: the store failed.
    """
    selected = select(view, weeks=weeks, tiers=tiers, since=since, named=named)
    path = Path(path)
    with naming(str(path)), _replacing(path) as file:
        payloads = _Payloads(file)
        captures: list[BundledCapture] = []
        for place, each in enumerate(selected, 1):
            documents = payloads.add(view.payload(each.capture))
            records = view.records(each.capture) if each.capture.is_normalized else None
            captures.append(bundled(each, place, documents, records))
        places = {each.capture.number: place for place, each in enumerate(selected, 1)}
        own_weeks = {each.capture.partition.week_ending for each in selected}
        manifest = Manifest(
            version=BUNDLE_VERSION,
            calc_version=CALC_VERSION,
            captures=tuple(captures),
            analyses=tuple(bundled_analyses(view, places, own_weeks)),
        )
        content = manifest_bytes(manifest, payloads.entries)
        digest = hashlib.sha256(content).hexdigest()
        write_entry(file, MANIFEST, content)
        write_entry(file, MANIFEST_HASH, f"{digest}\n".encode())
        file.write(END)
        size = file.tell()
    return Bundled(manifest=manifest, manifest_sha256=digest, documents=len(payloads.entries), size_bytes=size)


class _Payloads:
    """Writes each document once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._known: dict[str, Entry] = {}

    @property
    def entries(self) -> list[Entry]:
        """What was written, in order."""
        return list(self._known.values())

    def add(self, documents: Sequence[bytes]) -> list[Document]:
        """Write the documents of a payload, but those that are there."""
        if sum(map(len, documents)) > MAX_DOCUMENT:
            raise ConfigurationError(f"a payload has more than {MAX_DOCUMENT:,} bytes: no bundle takes it")
        found = []
        for document in documents:
            sha256 = hashlib.sha256(document).hexdigest()
            if sha256 not in self._known:
                self._known[sha256] = self._write(sha256, document)
            found.append(Document(sha256=sha256, size_bytes=len(document)))
        return found

    def _write(self, sha256: str, document: bytes) -> Entry:
        content = compressed(document)
        write_entry(self._file, payload_name(sha256), content)
        return Entry(
            sha256=sha256,
            stored_sha256=hashlib.sha256(content).hexdigest(),
            stored_bytes=len(content),
            size_bytes=len(document),
        )


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of this one when the block ends well, and goes when it does not."""
    new = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with new.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    if os.name != "nt":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
