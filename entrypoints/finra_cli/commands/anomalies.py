"""`finra anomalies`: what runs found."""

from __future__ import annotations

from datetime import date

import click
from attrs import frozen

from finra_cli.command import Command, CommandGroup
from finra_cli.options import argument, option, switch
from finra_cli.output import show
from finra_cli.presenters.anomalies import acknowledged_page, anomalies_of, anomalies_page, as_bad_as
from finra_cli.settings import JudgingSettings, StoreSettings
from finra_cli.values import Day
from finra_cli.wiring import reading, writing
from finra_core.domain.anomalies import Severity
from finra_core.domain.clock import utc_now
from finra_core.ports.store import AnomalyQuery
from finra_core.runs.acknowledge import acknowledge


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


@frozen(kw_only=True)
class AcknowledgeSettings(JudgingSettings):
    """What `finra anomalies ack` takes."""

    fingerprint: str = argument("FINGERPRINT")
    reason: str = option(None, "why it is known; kept with the anomaly", metavar="TEXT", required=True)
    until: date | None = option(
        None, "the last day on which that holds", type=Day(), metavar="D", shown_default="while it stays as it is"
    )


def _acknowledge(settings: AcknowledgeSettings) -> int:
    with writing(settings) as store:
        record = acknowledge(
            store,
            settings.fingerprint,
            settings.reason,
            utc_now(),
            until=settings.until,
            policies=settings.policies,
        )
    found = anomalies_of([record])
    show(found, lambda: acknowledged_page(found), json=settings.json)
    return 0


command = CommandGroup(
    Command("anomalies", AnomaliesSettings, _anomalies, help="What runs found, latest first."),
    [
        Command(
            "ack",
            AcknowledgeSettings,
            _acknowledge,
            help="Say that an open anomaly is known, so that it no longer blocks its week. The week is judged again. "
            "FINGERPRINT may be shortened to its first characters.",
        )
    ],
)
