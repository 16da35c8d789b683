"""`finra anomalies`: what runs found."""

from __future__ import annotations

import click
from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option, switch
from finra_cli.output import show
from finra_cli.presenters.anomalies import Anomalies, anomalies_of, anomalies_page, as_bad_as
from finra_cli.settings import StoreSettings
from finra_cli.wiring import reading
from finra_core.domain.anomalies import Severity
from finra_core.ports.store import AnomalyQuery


@frozen(kw_only=True)
class AnomaliesSettings(StoreSettings):
    """What `finra anomalies` takes."""

    all: bool = switch("resolved ones too", short="-a")
    severity: str = option(
        Severity.WARN.value, "this one and worse ones", type=click.Choice([severity.value for severity in Severity])
    )


def _anomalies(settings: AnomaliesSettings) -> int:
    least = Severity(settings.severity)
    query = AnomalyQuery(severities=as_bad_as(least), open_only=not settings.all)
    with reading(settings) as (view, url):
        found = anomalies_of(view.anomalies(query))
    show(found, lambda: anomalies_page(found, url, least), json=settings.json)
    return 0


command = Command("anomalies", AnomaliesSettings, _anomalies, Anomalies, help="What runs found, latest first.")
