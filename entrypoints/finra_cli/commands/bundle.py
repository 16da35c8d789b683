"""`finra bundle`: captures from one store to another, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import click
from attrs import frozen

from finra_bundle import export_bundle, import_bundle
from finra_cli.command import Command
from finra_cli.group import Group
from finra_cli.options import argument, option, table
from finra_cli.output import show
from finra_cli.presenters.bundle import export_document, export_page, import_document, import_page
from finra_cli.settings import JudgingSettings, StoreSettings
from finra_cli.tables import Table, read_coverage
from finra_cli.values import Day, Tiers, Weeks
from finra_cli.wiring import reading, writing
from finra_core.domain.clock import utc_now
from finra_core.domain.completeness import DEFAULT_BOUNDS, CoverageBounds
from finra_core.domain.tiers import TIERS, Tier


class Names(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """Texts, separated by commas."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The texts."""
        if not isinstance(value, str):
            return tuple(value)
        found = tuple(text.strip() for text in value.split(",") if text.strip())
        return found or self.fail("no name: give at least one", param, ctx)


@frozen(kw_only=True)
class ExportSettings(StoreSettings):
    """What `finra bundle export` takes."""

    file: str = argument("FILE", type=click.Path(dir_okay=False))
    weeks: tuple[date, ...] | None = option(
        None, "only these weeks, each named by any of its dates", type=Weeks(), metavar="D,D..D", shown_default="all"
    )
    only_tiers: tuple[Tier, ...] = option(
        TIERS, "only these tiers", type=Tiers(), metavar="T,T", names=["--tiers"], shown_default="all"
    )
    since: date | None = option(
        None, "only what was captured on this day (UTC) or later", type=Day(), metavar="D", shown_default="all"
    )
    captures: Sequence[str] | None = option(
        None, "only these captures, by capture_id, with rN for one revision", type=Names(), metavar="ID,ID"
    )


def _export(settings: ExportSettings) -> int:
    with reading(settings) as (view, url):
        done = export_bundle(
            view,
            settings.file,
            weeks=settings.weeks,
            tiers=settings.only_tiers,
            since=settings.since,
            named=settings.captures,
        )
    document = export_document(done, settings.file)
    show(document, lambda: export_page(document, url), json=settings.json)
    return 0


@frozen(kw_only=True)
class ImportSettings(JudgingSettings):
    """What `finra bundle import` takes."""

    file: str = argument("FILE", type=click.Path(dir_okay=False))
    coverage: CoverageBounds = table(DEFAULT_BOUNDS, "how much a capture may lack", type=Table(read_coverage))


def _import(settings: ImportSettings) -> int:
    with writing(settings) as store:
        done = import_bundle(store, settings.file, utc_now(), policies=settings.policies, bounds=settings.coverage)
        url = store.url
    document = import_document(done, settings.file)
    show(document, lambda: import_page(document, url), json=settings.json)
    return 0


command = Group(
    "bundle",
    help="Captures as one file, with payloads and hashes, that another store verifies and replays.",
    commands=[
        Command(
            "export",
            ExportSettings,
            _export,
            help="Write captures to FILE, in place of what is there.",
        ),
        Command(
            "import",
            ImportSettings,
            _import,
            help="Verify FILE to the last byte, then add what the store lacks of it. The weeks that gained something "
            "are judged again.",
        ),
    ],
)
