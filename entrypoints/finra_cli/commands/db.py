"""`finra db`: the schema of the store's database."""

from __future__ import annotations

from attrs import frozen

from finra_cli.command import Command
from finra_cli.group import Group
from finra_cli.output import Page, show
from finra_cli.settings import StoreSettings
from finra_cli.streams import deliver
from finra_cli.wiring import schema
from finra_core.domain.errors import StoreSchemaError
from finra_core.domain.failures import ExitCode


@frozen
class Schema:
    """The versions of the schema. database_version: null where there is none, or none of this library's.

    newest_version: the one that this release works with. is_current: whether the database has that one.
    """

    database_version: str | None
    newest_version: str
    is_current: bool
    message: str


@frozen(kw_only=True)
class SchemaSql:
    """The statements that make the schema."""

    sql: str


def _upgrade(settings: StoreSettings) -> int:
    admin = schema(settings)
    admin.upgrade()
    _say(settings, admin.version(), admin.newest_version)
    return ExitCode.SUCCESS


def _check(settings: StoreSettings) -> int:
    admin = schema(settings)
    try:
        found = admin.version()
    except StoreSchemaError as error:
        _show(settings, Schema(None, admin.newest_version, is_current=False, message=error.message))
        return ExitCode.PARTIAL
    _say(settings, found, admin.newest_version)
    return ExitCode.SUCCESS if found == admin.newest_version else ExitCode.PARTIAL


def _sql(settings: StoreSettings) -> int:
    sql = schema(settings).ddl()
    if settings.json:
        show(SchemaSql(sql=sql), Page, json=True)
    else:
        deliver(sql)
    return ExitCode.SUCCESS


def _say(settings: StoreSettings, found: str | None, newest: str) -> None:
    _show(settings, Schema(found, newest, is_current=found == newest, message=_words(found, newest)))


def _show(settings: StoreSettings, schema: Schema) -> None:
    page = Page()
    page.line(schema.message)
    show(schema, lambda: page, json=settings.json)


def _words(found: str | None, newest: str) -> str:
    if found is None:
        return "no schema yet: `finra db upgrade` or the first run makes it"
    if found == newest:
        return f"schema {found} is current"
    return f"schema {found} is not {newest}: `finra db upgrade` if it is older, upgrade finra-core if it is newer"


command = Group(
    "db",
    help="The schema of the store's database.",
    commands=[
        Command("upgrade", StoreSettings, _upgrade, help="Make the schema, or bring it up to date."),
        Command(
            "check",
            StoreSettings,
            _check,
            help="Say which version the schema has; exit 1 if it is not the current one.",
        ),
        Command(
            "sql",
            StoreSettings,
            _sql,
            help="Print the schema's SQL; needs no database, --store postgresql: is enough.",
        ),
    ],
)
