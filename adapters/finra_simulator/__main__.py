"""`python -m finra_simulator`: a simulated FINRA on a local port until interrupted."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from finra_core.errors import ConfigurationError
from finra_simulator.http import serve
from finra_simulator.source import open_source


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted. 0 on interrupt, 2 for a world or an address that cannot be served."""
    parser = ArgumentParser(prog="python -m finra_simulator", description="Serve a simulated FINRA over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--symbols", default="200,400,300", help="securities in each tier: one number or three")
    parser.add_argument("--rate", default="0.2", help="the share of partitions that are restated")
    given = parser.parse_args(arguments)
    try:
        world = open_source(f"simulator:?seed={given.seed}&symbols={given.symbols}&rate={given.rate}", {}).world
        server = serve(world, given.host, given.port)
    except (ConfigurationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stderr.write(f"simulated FINRA at {server.url}\n")
    try:
        server.stopping.wait()
    except KeyboardInterrupt:
        server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
