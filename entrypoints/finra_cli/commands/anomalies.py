"""`finra anomalies`: what runs found."""

from __future__ import annotations

import click
from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option, switch
from finra_cli.output import show
from finra_cli.presenters.anomalies import Anomalies, anomalies_of, anomalies_page
from finra_cli.settings import StoreSettings
from finra_cli.wiring import read
from finra_core.domain.anomalies import Severity


@frozen(kw_only=True)
class AnomaliesSettings(StoreSettings):
    """What `finra anomalies` takes."""

    all: bool = switch("resolved ones too", short="-a")
    severity: str = option(
        Severity.WARN.value, "this one and worse ones", type=click.Choice([severity.value for severity in Severity])
    )


def _anomalies(settings: AnomaliesSettings) -> int:
    severity = Severity(settings.severity)
    with read(settings) as view:
        found, url = anomalies_of(view.anomalies(include_resolved=settings.all), severity), view.url
    show(found, lambda: anomalies_page(found, url, severity), json=settings.json)
    return 0


command = Command("anomalies", AnomaliesSettings, _anomalies, Anomalies, help="What runs found, latest first.")
