"""`finra db`: the schema of the store's database."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points

from attrs import frozen

from finra_cli.command import Command
from finra_cli.group import Group
from finra_cli.output import Page, show
from finra_cli.settings import StoreSettings
from finra_cli.streams import deliver
from finra_cli.wiring import opened_store
from finra_core.domain.errors import ConfigurationError, StoreSchemaError
from finra_core.domain.failures import ExitCode
from finra_core.ports import Store

SCHEMAS = "finra_core.schemas"
"""The entry points of those who can give their schema as SQL: callables () -> str, by the scheme of their stores."""


@frozen(kw_only=True)
class Schema:
    """What the database's schema is. store and database_version: null where that is not known."""

    store: str | None
    database_version: str | None
    message: str


@frozen(kw_only=True)
class SchemaSql:
    """The statements that make the schema."""

    sql: str


def _upgrade(settings: StoreSettings) -> int:
    with opened_store(settings, read_only=False) as store:
        version = _version(store)
        _say(
            settings,
            Schema(store=store.url, database_version=version, message=f"{store.url}: schema {version} is current"),
        )
    return ExitCode.SUCCESS


def _check(settings: StoreSettings) -> int:
    try:
        with opened_store(settings) as store:
            url, version = store.url, _version(store)
    except StoreSchemaError as error:
        _say(settings, Schema(store=None, database_version=None, message=error.message))
        return ExitCode.PARTIAL
    if version is None:
        message = f"{url}: no schema yet: `finra db upgrade` or the first run makes it"
        _say(settings, Schema(store=url, database_version=None, message=message))
        return ExitCode.PARTIAL
    _say(settings, Schema(store=url, database_version=version, message=f"{url}: schema {version} is current"))
    return ExitCode.SUCCESS


def _sql(settings: StoreSettings) -> int:
    sql = _schema_of(settings.store.partition(":")[0])
    if settings.json:
        show(SchemaSql(sql=sql), Page, json=True)
    else:
        deliver(sql)
    return ExitCode.SUCCESS


def _say(settings: StoreSettings, schema: Schema) -> None:
    page = Page()
    page.line(schema.message)
    show(schema, lambda: page, json=settings.json)


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


command = Group(
    "db",
    help="The schema of the store's database.",
    commands=[
        Command("upgrade", StoreSettings, _upgrade, Schema, help="Make the schema, or bring it up to date."),
        Command(
            "check",
            StoreSettings,
            _check,
            Schema,
            help="Say which version the schema has; exit 1 if it is not the current one.",
        ),
        Command(
            "sql",
            StoreSettings,
            _sql,
            SchemaSql,
            help="Print the schema's SQL; needs no database, --store postgresql: is enough.",
        ),
    ],
)
