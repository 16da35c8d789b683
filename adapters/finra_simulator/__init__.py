"""A deterministic FINRA that publishes, delays and restates: as a source, as files and as an HTTP server."""

from finra_simulator.files import write_files
from finra_simulator.restating import LateHalf, Restatement
from finra_simulator.source import Outage, SimulatorSource, open_source
from finra_simulator.world import Delay, World

__all__ = ["Delay", "LateHalf", "Outage", "Restatement", "SimulatorSource", "World", "open_source", "write_files"]
