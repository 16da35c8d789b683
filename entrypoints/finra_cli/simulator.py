"""`finra simulator`: a simulated FINRA on a local port, to try a pipeline against."""

from __future__ import annotations

import argparse
from urllib.parse import urlencode

from finra_cli.streams import deliver
from finra_core.domain.errors import ConfigurationError
from finra_simulator import open_source
from finra_simulator.http import RandomFaults, SimulatorServer


def serve(options: argparse.Namespace) -> int:
    """Serve until a signal ends the process.

    Raises:
        ConfigurationError: an option is malformed, or the port cannot be had.
    """
    server = _started(options)
    try:
        deliver(f"{server.url}\n")
        server.stopping.wait()
    finally:
        server.stop()
    return 0


def _started(options: argparse.Namespace) -> SimulatorServer:
    asked = {name: getattr(options, name) for name in ("seed", "symbols", "rate", "now")}
    given = {name: value for name, value in asked.items() if value is not None}
    source = open_source(f"simulator:?{urlencode(given)}", {})
    server = SimulatorServer(
        source.world,
        source.clock,
        random_faults=_faults(options.fault_rate),
        latency=options.latency,
        host=options.host,
        port=options.port,
    )
    try:
        return server.start()
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"cannot listen on {options.host}:{options.port}: {error}") from None


def _faults(rate: float) -> RandomFaults | None:
    try:
        return RandomFaults(rate) if rate else None
    except ValueError as error:
        raise ConfigurationError(f"--fault-rate {rate}: {error}") from None
