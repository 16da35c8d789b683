"""The simulated FINRA over HTTP, with the surface and the habits of `api.finra.org`."""

from finra_simulator.http.api import Options
from finra_simulator.http.faults import Fault, RandomFaults
from finra_simulator.http.server import SimulatorServer, serve
from finra_simulator.http.transport import LoggedRequest

__all__ = ["Fault", "LoggedRequest", "Options", "RandomFaults", "SimulatorServer", "serve"]
