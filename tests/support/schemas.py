"""Makes docs/schemas from the classes whose instances the command prints: `python -m support.schemas` in tests/."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import click

from finra_cli.commands.checkpoint import CheckpointTaken
from finra_cli.commands.completion import Script
from finra_cli.commands.db import Schema, SchemaSql
from finra_cli.commands.help import Help
from finra_cli.commands.simulator import Serving
from finra_cli.group import finra
from finra_cli.output import SCHEMA_VERSION
from finra_cli.presenters.anomalies import Anomalies
from finra_cli.presenters.asof import AsOfDocument
from finra_cli.presenters.bundle import BundleExport, BundleImport
from finra_cli.presenters.captures import Captures
from finra_cli.presenters.config import Config
from finra_cli.presenters.diff import DiffDocument
from finra_cli.presenters.doctor import Diagnosis
from finra_cli.presenters.explain import Explained
from finra_cli.presenters.export import Export
from finra_cli.presenters.failure import Failure
from finra_cli.presenters.pin import Pins
from finra_cli.presenters.prune import Prune
from finra_cli.presenters.readiness import Judgments
from finra_cli.presenters.restatements import Restatements
from finra_cli.presenters.runs import Runs
from finra_core.history.status import Status
from finra_core.history.verify import Verification
from finra_core.runs.report import SCHEMA_VERSION as REPORT_VERSION
from finra_core.runs.report import RunReport

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schemas"

_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
    object: {},
}


def command_names(group: click.Group = finra, path: str = "") -> Iterator[str]:
    """Every command that prints something, as it is typed after `finra`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from command_names(command, f"{path}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{path}{name}"


DOCUMENTS: dict[str, type] = {
    "run": RunReport,
    "status": Status,
    "readiness": Judgments,
    "explain": Explained,
    "doctor": Diagnosis,
    "captures": Captures,
    "asof": AsOfDocument,
    "diff": DiffDocument,
    "restatements": Restatements,
    "anomalies": Anomalies,
    "anomalies-ack": Anomalies,
    "runs": Runs,
    "export": Export,
    "bundle-export": BundleExport,
    "bundle-import": BundleImport,
    "pin": Pins,
    "prune": Prune,
    "verify": Verification,
    "checkpoint": CheckpointTaken,
    "config-show": Config,
    "db-upgrade": Schema,
    "db-check": Schema,
    "db-sql": SchemaSql,
    "simulator": Serving,
    "completion": Script,
    "help": Help,
    "error": Failure,
}
"""The classes of the documents, by the names of their schemas: a command's name with dashes."""


def schema_text(name: str, document: type) -> str:
    """The schema of a document as it stands in its file. Later versions may print further fields: it allows them."""
    parts: dict[str, Any] = {}
    _object(document, parts)
    whole = parts.pop(document.__name__)
    version = REPORT_VERSION if document is RunReport else SCHEMA_VERSION
    whole["properties"] = {"schema_version": {}, **whole["properties"]} | {"schema_version": {"const": version}}
    whole["required"] = list(whole["properties"])
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"finra {name}",
        **whole,
        "$defs": dict(sorted(parts.items())),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _object(cls: type, parts: dict[str, Any]) -> dict[str, Any]:
    """A reference to the part for an attrs class, which is made where it is not there yet."""
    if cls.__name__ not in parts:
        part: dict[str, Any] = {"description": inspect.getdoc(cls), "type": "object"}
        parts[cls.__name__] = part
        hints = get_type_hints(cls)
        names = [field.name for field in attrs.fields(cls)]
        part["properties"] = {name.rstrip("_"): _schema(hints[name], parts) for name in names}
        part["required"] = list(part["properties"])
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _schema(hint: Any, parts: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(argument, parts) for argument in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], parts)}
    if origin is Mapping:
        keys, values = (_schema(argument, parts) for argument in arguments)
        return {"type": "object", "propertyNames": keys, "additionalProperties": values}
    if attrs.has(hint):
        return _object(hint, parts)
    if issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return dict(_TYPES[hint])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, document in DOCUMENTS.items():
        (FOLDER / f"{name}.json").write_text(schema_text(name, document), encoding="utf-8")
