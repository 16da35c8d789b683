"""The manifest as canonical JSON (RFC 8785)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import frozen
from rfc8785 import dumps

from finra_bundle.container import Entry
from finra_core.domain.errors import ConfigurationError
from finra_core.history.bundle import Manifest
from finra_core.runs.serialization import from_plain, to_plain


@frozen(kw_only=True)
class _File:
    """format: says what it is. payloads: as they are stored in the file, in its order."""

    format: str
    payloads: tuple[Entry, ...]
    manifest: Manifest


_FORMAT = "finra-core bundle"


def manifest_bytes(manifest: Manifest, payloads: Sequence[Entry]) -> bytes:
    """The manifest's entry."""
    return dumps(to_plain(_File(format=_FORMAT, payloads=tuple(payloads), manifest=manifest)))


def parse_manifest(content: bytes) -> tuple[Manifest, tuple[Entry, ...]]:
    """The inverse.

    Raises:
        ConfigurationError: it is no manifest of this form.
    """
    try:
        plain = json.loads(content)
        is_canonical = dumps(plain) == content
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"its manifest is no canonical JSON ({str(error)[:80]})") from None
    if not is_canonical:
        raise ConfigurationError("its manifest is no canonical JSON")
    found = from_plain(plain, _File)
    if found.format != _FORMAT or to_plain(found) != plain:
        raise ConfigurationError("its manifest has not the form of this release's: upgrade finra-core to read it")
    return found.manifest, found.payloads
