"""`finra pin`: captures that are to be kept."""

from __future__ import annotations

import re
from typing import Any

import click
from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import argument, option, switch
from finra_cli.output import show
from finra_cli.presenters.pin import pinned_page, pins_of, pins_page, removed_page
from finra_cli.settings import StoreSettings
from finra_cli.wiring import reading, writing
from finra_core.domain.clock import utc_now
from finra_core.domain.errors import ConfigurationError
from finra_core.runs.prune import pin, remove_pin


class Revision(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """`r2`, or 2."""

    name = "revision"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"r?([1-9]\d{0,8})", str(value))
        return int(found.group(1)) if found else self.fail(f"{value!r} is no revision: give r1, r2 ...", param, ctx)


@frozen(kw_only=True)
class PinSettings(StoreSettings):
    """What `finra pin` takes."""

    capture: str | None = argument("[CAPTURE_ID]", required=False)
    revision: int | None = argument("[rN]", required=False, type=Revision())
    reason: str | None = option(None, "why it is to be kept; kept with the pin", metavar="TEXT")
    list_: bool = switch("show the pins", names=["--list"])
    remove: bool = switch("take the pin away")

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        super().__attrs_post_init__()
        if self.list_ and (self.capture is not None or self.remove):
            raise ConfigurationError("--list shows all pins: leave out the rest")
        if not self.list_ and self.capture is None:
            raise ConfigurationError("say which capture: finra pin CAPTURE_ID --reason TEXT, or finra pin --list")
        if not self.list_ and self.remove is (self.reason is not None):
            raise ConfigurationError("a pin needs --reason TEXT, and --remove takes none")


def _pin(settings: PinSettings) -> int:
    if settings.capture is None:
        with reading(settings) as (view, url):
            found = pins_of(view.pins())
        show(found, lambda: pins_page(found, url), json=settings.json)
        return 0
    with writing(settings) as store:
        if settings.remove:
            done = remove_pin(store, settings.capture, settings.revision, utc_now())
        else:
            done = pin(store, settings.capture, settings.revision, settings.reason or "", utc_now())
    document = pins_of([done])
    page = removed_page if settings.remove else pinned_page
    show(document, lambda: page(document), json=settings.json)
    return 0


command = Command(
    "pin",
    PinSettings,
    _pin,
    help="Protect a capture: `finra prune` leaves it alone, whatever its age. Of several revisions, say which.",
)
