"""`finra db`: the schema of the store's database."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from contextlib import closing
from importlib.metadata import entry_points
from typing import TextIO

from finra_cli.output import json_text
from finra_core.domain.errors import ConfigurationError, StoreSchemaError
from finra_core.domain.failures import ExitCode
from finra_core.ports import Store
from finra_core.registry import open_store

SCHEMAS = "finra_core.schemas"
"""The entry points of those who can give their schema as SQL: callables () -> str, by the scheme of their stores."""


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Do what `finra db ...` asks for and return the exit code.

    Raises:
        FinraError: it could not be done.
    """
    if options.action == "sql":
        out.write(_schema_of(options.store.partition(":")[0]))
        return ExitCode.SUCCESS
    return _upgrade(options, out) if options.action == "upgrade" else _check(options, out)


def _upgrade(options: argparse.Namespace, out: TextIO) -> int:
    with closing(open_store(options.store)) as store:
        _say(options, out, store.url, _version(store), f"{store.url}: schema {_version(store)} is current")
    return ExitCode.SUCCESS


def _check(options: argparse.Namespace, out: TextIO) -> int:
    try:
        with closing(open_store(options.store, read_only=True)) as store:
            url, version = store.url, _version(store)
    except StoreSchemaError as error:
        _say(options, out, None, None, error.message)
        return ExitCode.PARTIAL
    if version is None:
        _say(options, out, url, None, f"{url}: no schema yet: `finra db upgrade` or the first run makes it")
        return ExitCode.PARTIAL
    _say(options, out, url, version, f"{url}: schema {version} is current")
    return ExitCode.SUCCESS


def _say(options: argparse.Namespace, out: TextIO, url: str | None, version: str | None, message: str) -> None:
    if options.json:
        out.write(json_text({"schema_version": 1, "store": url, "database_version": version, "message": message}))
    else:
        out.write(message + "\n")


def _version(store: Store) -> str | None:
    try:
        version: str | None = store.schema_version  # type: ignore[attr-defined]
    except AttributeError:
        raise ConfigurationError(f"{store.url} has no schema to look after") from None
    return version


def _schema_of(scheme: str) -> str:
    known = {entry.name: entry for entry in entry_points(group=SCHEMAS)}
    if scheme not in known:
        raise ConfigurationError(f"store scheme {scheme!r} has no SQL schema: those that have one are {_names(known)}")
    schema: str = known[scheme].load()()
    return schema


def _names(known: Collection[str]) -> str:
    return ", ".join(sorted(known)) or "none"
