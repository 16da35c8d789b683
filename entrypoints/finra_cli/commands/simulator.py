"""`finra simulator`: a simulated FINRA on a local port, to try a pipeline against."""

from __future__ import annotations

from urllib.parse import urlencode

import click
from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option, option_free
from finra_cli.output import Page, show
from finra_cli.settings import Common
from finra_core.domain.errors import ConfigurationError
from finra_simulator import open_source
from finra_simulator.http import RandomFaults, SimulatorServer

_WORLD = ("seed", "symbols", "rate", "now")


@frozen(kw_only=True)
class SimulatorSettings(Common):
    """What `finra simulator` takes."""

    host: str = option("127.0.0.1", "address to listen on", metavar="HOST")
    port: int = option(8080, "0 takes any free one; the URL is printed", type=click.INT, metavar="N")
    seed: int | None = option(None, "which world", type=click.INT, metavar="N", shown_default="1")
    symbols: str | None = option(None, "securities in each tier", metavar="N|N,N,N", shown_default="200,400,300")
    rate: str | None = option(None, "the share of partitions that are restated", metavar="R", shown_default="0.2")
    now: str | None = option(None, "stop its clock at this instant (2026-01-05T15:30:00Z)", metavar="TIME")
    latency: float = option(0.0, "hold each answer back so many seconds", type=click.FLOAT, metavar="S")
    fault_rate: float = option(0.0, "the share of requests that fail", type=click.FLOAT, metavar="R")
    world: str | None = option(
        None,
        "more of a simulator: URL's options, such as late_rate=0.5&numbers=doubles",
        metavar="NAME=VALUE&..",
        shown_default="none",
    )
    client_id: str | None = option_free("the only client id that gets a token; without it any does")
    client_secret: str | None = option_free("its secret", secret=True)


@frozen(kw_only=True)
class Serving:
    """Where it answers."""

    url: str


def _serve(settings: SimulatorSettings) -> int:
    """Serve until a signal ends the process."""
    server = _started(settings)
    try:
        page = Page()
        page.line(server.url)
        show(Serving(url=server.url), lambda: page, json=settings.json)
        server.stopping.wait()
    finally:
        server.stop()
    return 0


def _started(settings: SimulatorSettings) -> SimulatorServer:
    given = {name: value for name in _WORLD if (value := getattr(settings, name)) is not None}
    more = f"&{settings.world}" if settings.world else ""
    source = open_source(f"simulator:?{urlencode(given)}{more}", {})
    server = SimulatorServer(
        source.world,
        source.clock,
        random_faults=_faults(settings.fault_rate),
        latency=settings.latency,
        credentials=_credentials(settings),
        host=settings.host,
        port=settings.port,
    )
    try:
        return server.start()
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"cannot listen on {settings.host}:{settings.port}: {error}") from None


def _credentials(settings: SimulatorSettings) -> dict[str, str] | None:
    """Whom the token endpoint knows; None where it knows everybody."""
    if settings.client_id is None and settings.client_secret is None:
        return None
    if settings.client_id is None or settings.client_secret is None:
        raise ConfigurationError("FINRA_CLIENT_ID and FINRA_CLIENT_SECRET go together: set both, or neither")
    return {settings.client_id: settings.client_secret}


def _faults(rate: float) -> RandomFaults | None:
    try:
        return RandomFaults(rate) if rate else None
    except ValueError as error:
        raise ConfigurationError(f"--fault-rate {rate}: {error}") from None


command = Command(
    "simulator",
    SimulatorSettings,
    _serve,
    help="Serve a simulated FINRA over HTTP, to try a pipeline against.",
)
