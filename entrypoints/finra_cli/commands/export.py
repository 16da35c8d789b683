"""`finra export`: a view in a folder of Parquet, CSV or Arrow files."""

from __future__ import annotations

from datetime import date, datetime

import click
from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import argument, option, switch
from finra_cli.output import show
from finra_cli.presenters.export import export_of, export_page
from finra_cli.settings import StoreSettings
from finra_cli.values import Tiers, Weeks
from finra_cli.wiring import reading
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.export import ExportRequest, Versions, ViewName
from finra_core.history.vintages import Instant, parse_when
from finra_export import FORMATS, export


@frozen(kw_only=True)
class ExportSettings(StoreSettings):
    """What `finra export` takes."""

    directory: str = argument("DIR", type=click.Path(file_okay=False))
    format: str = option("parquet", "form of the files; parquet and arrow need pyarrow", type=click.Choice(FORMATS))
    view: str = option(
        ViewName.NORMALIZED.value, "what to export", type=click.Choice([name.value for name in ViewName])
    )
    as_of: str | None = option(
        None,
        "what was known then: a day (all of it, UTC), or an instant such as 2025-12-30T10:30:00Z",
        metavar="WHEN",
        shown_default="now",
    )
    history: bool = switch("every version, with known_from and known_to")
    weeks: tuple[date, ...] | None = option(
        None, "only these weeks, each named by any of its dates", type=Weeks(), metavar="D,D..D", shown_default="all"
    )
    only_tiers: tuple[Tier, ...] = option(
        TIERS, "only these tiers", type=Tiers(), metavar="T,T", names=["--tiers"], shown_default="all"
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        super().__attrs_post_init__()
        if self.as_of is not None and self.history:
            raise ConfigurationError("--as-of and --history contradict each other: give one")

    def request(self) -> ExportRequest:
        """The export that is asked for.

        Raises:
            ConfigurationError: the instant cannot be read, or the view has no such versions.
        """
        versions = Versions.HISTORY if self.history else Versions.LATEST if self.as_of is None else Versions.AS_OF
        return ExportRequest(
            view=ViewName(self.view),
            versions=versions,
            at=None if self.as_of is None else _instant(self.as_of),
            weeks=None if self.weeks is None else frozenset(self.weeks),
            tiers=self.only_tiers,
        )


def _instant(text: str) -> datetime:
    when = parse_when(text)
    if not isinstance(when, Instant):
        raise ConfigurationError(f"--as-of {text}: an export takes a day or an instant, such as 2025-12-30")
    return when.at


def _export(settings: ExportSettings) -> int:
    request = settings.request()
    with reading(settings) as (view, url):
        done = export(view, settings.directory, request, settings.format)
    document = export_of(done, request, settings.directory, settings.format)
    show(document, lambda: export_page(document, url), json=settings.json)
    return 0


command = Command(
    "export",
    ExportSettings,
    _export,
    help="Write a view to DIR, a file for each week and tier. Called again, it writes those that have changed.",
)
