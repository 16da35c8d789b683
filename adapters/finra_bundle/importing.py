"""Taking a bundle into a store: every byte is checked before the first is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from finra_bundle.container import MAX_DOCUMENT, Contents, check_entries, naming, read_all, read_document
from finra_bundle.manifest import parse_manifest
from finra_core.domain.completeness import DEFAULT_BOUNDS, CoverageBounds
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.history.bundle import BundledCapture, Manifest
from finra_core.ports.store import Store
from finra_core.runs.replay import Replayed, check_contents, replay


@frozen(kw_only=True)
class Imported:
    """An import. manifest_sha256: as of the export."""

    manifest_sha256: str
    replayed: Replayed


def import_bundle(
    store: Store,
    path: Path | str,
    at: datetime,
    *,
    policies: Sequence[Policy] = BUILT_IN,
    bounds: CoverageBounds = DEFAULT_BOUNDS,
) -> Imported:
    """Check a bundle, then add what the store lacks of it; see `finra_core.runs.replay.replay`.

    Raises:
        ConfigurationError: the file is no whole bundle, or the store has another history; nothing was written.
        StoreError: the store failed.
    """
    with naming(str(path)), Path(path).open("rb") as file:
        contents = read_all(file)
        manifest, payloads = parse_manifest(contents.manifest)
        check_entries(contents, payloads)
        reader = _Reader(file, contents)
        _check_documents(manifest, contents)
        check_contents(manifest, reader.payload)
        replayed = replay(store, manifest, reader.payload, at, policies, bounds)
    return Imported(manifest_sha256=contents.manifest_sha256, replayed=replayed)


@frozen
class _Reader:
    file: BinaryIO
    contents: Contents

    def payload(self, bundled: BundledCapture) -> tuple[bytes, ...]:
        """A capture's documents, in order."""
        return tuple(read_document(self.file, self.contents, document.sha256) for document in bundled.documents)


def _check_documents(manifest: Manifest, contents: Contents) -> None:
    """Check that each document that a capture has is in the file, and none besides."""
    wanted = {document.sha256: document.size_bytes for each in manifest.captures for document in each.documents}
    if wanted != {entry.sha256: entry.size_bytes for entry in contents.entries.values()}:
        raise ConfigurationError("its payloads are not those that its captures have")
    for each in manifest.captures:
        if sum(document.size_bytes for document in each.documents) > MAX_DOCUMENT:
            raise ConfigurationError(f"{each.capture}: its payload has more than {MAX_DOCUMENT:,} bytes")
