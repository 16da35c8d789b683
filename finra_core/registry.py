"""Finding adapters by URL scheme. Ours are registered as anybody's are: by entry points.

    finra_core.sources     (url, settings) -> Source
    finra_core.stores      (url, *, read_only) -> Store
    finra_core.schemas     (url) -> SchemaAdmin
    finra_core.executors   (url, workers) -> Executor

Only the adapter that is asked for is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from finra_core.domain.errors import ConfigurationError
from finra_core.ports.source import Source
from finra_core.ports.store import SchemaAdmin, Store

SOURCES = "finra_core.sources"
STORES = "finra_core.stores"
EXECUTORS = "finra_core.executors"
SCHEMAS = "finra_core.schemas"


def open_source(url: str, settings: Mapping[str, str] | None = None) -> Source:
    """The source behind a URL such as `simulator:?seed=7`; settings are named like the environment variables.

    Raises:
        ConfigurationError: no or several adapters serve the scheme, or the adapter refuses the URL.
    """
    return cast("Source", _load(SOURCES, url)(url, settings or {}))


def open_store(url: str, *, read_only: bool = False) -> Store:
    """The store behind a URL such as `sqlite:///finra_otc.db`.

    Raises:
        ConfigurationError: no or several adapters serve the scheme, or the adapter refuses the URL.
        StoreError: it cannot be opened.
    """
    return cast("Store", _load(STORES, url)(url, read_only=read_only))


def open_schema(url: str) -> SchemaAdmin:
    """Who looks after the schema of the store behind a URL. Nothing is connected to yet.

    Raises:
        ConfigurationError: no or several adapters serve the scheme, its stores have no schema, or the URL is refused.
    """
    return cast("SchemaAdmin", _load(SCHEMAS, url)(url))


def open_executor(url: str, workers: int) -> Executor:
    """The executor behind a URL such as `processes:`, with so many workers where it starts them itself.

    Raises:
        ConfigurationError: no or several adapters serve the scheme, one refuses the URL, or nobody answers there.
    """
    return cast("Executor", _load(EXECUTORS, url)(url, workers))


def _load(group: str, url: str) -> Any:
    kind = group.rpartition(".")[2].removesuffix("s")
    scheme, colon, _rest = url.partition(":")
    if not colon:
        raise ConfigurationError(f"{url!r} is no {kind} URL: the known schemes are {_known(group)}")
    entry_point = _find(group, kind, scheme)
    try:
        return entry_point.load()
    except ModuleNotFoundError as error:
        extra = f"; pip install 'finra-core[{entry_point.extras[0]}]'" if entry_point.extras else ""
        raise ConfigurationError(f"{kind} {scheme}: needs {error.name}, which is not installed{extra}") from error


def _find(group: str, kind: str, scheme: str) -> EntryPoint:
    entries = _scan(group, scheme)
    if not entries:
        raise ConfigurationError(f"unknown {kind} scheme {scheme!r}: {_meant(group, scheme)}")
    # Who registered an entry is in its distribution's metadata, and parsing that takes time: only where several did.
    if len(entries) > 1:
        _check_one_claims(kind, scheme, entries)
    return entries[0]


def _check_one_claims(kind: str, scheme: str, entries: list[EntryPoint]) -> None:
    # One distribution may be on the path twice (a wheel and an editable install). That is no conflict.
    found = {(entry.dist.name if entry.dist else "?", entry.value) for entry in entries}
    if len(found) > 1:
        claims = " and ".join(f"{name} ({value})" for name, value in sorted(found))
        raise ConfigurationError(f"{kind} scheme {scheme!r} is claimed by {claims}: uninstall one")


def _scan(group: str, scheme: str) -> list[EntryPoint]:
    return list(entry_points(group=group, name=scheme))


def _meant(group: str, scheme: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only mistakes need it

    close = get_close_matches(scheme, {entry.name for entry in entry_points(group=group)}, n=1)
    known = f"the known ones are {_known(group)}"
    return f"did you mean {close[0]}? {known.capitalize()}" if close else known


def _known(group: str) -> str:
    return ", ".join(sorted({entry.name for entry in entry_points(group=group)})) or "none"
