"""The simulated FINRA on a local port, with its clock, its faults and a log of what was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from types import TracebackType

from finra_core.domain.clock import utc_now
from finra_core.domain.partitions import Partition
from finra_simulator.http.api import Api, Kind, Options
from finra_simulator.http.faults import Fault, FaultPlan, RandomFaults
from finra_simulator.http.tokens import LIFETIME, Tokens
from finra_simulator.http.transport import LoggedRequest, Transport
from finra_simulator.world import World

_POLL_SECONDS = 0.02


class SimulatorServer:
    """A world served on `http://host:port` while the context lasts; port 0 takes any free one.

    clock: what time it is at FINRA; may be set to another while it runs. latency: seconds by which each answer
    is held back. credentials: secrets by client id; None lets any client in. Without `options.require_token`
    anonymous requests are answered too, but a stale token never.
    """

    def __init__(
        self,
        world: World,
        clock: Callable[[], datetime] = utc_now,
        *,
        faults: Sequence[Fault] = (),
        random_faults: RandomFaults | None = None,
        options: Options | None = None,
        credentials: Mapping[str, str] | None = None,
        token_lifetime: timedelta = LIFETIME,
        latency: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.world = world
        self.clock = clock
        self.latency = latency
        self.faults = FaultPlan(faults, random_faults)
        self.tokens = Tokens(credentials, token_lifetime)
        self.api = Api(world, self.tokens, options)
        self.stopping = Event()
        self._address = host, port
        self._requests: list[LoggedRequest] = []
        self._lock = Lock()
        self._transport: Transport | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        host, port = self._transport.server_address[:2] if self._transport else self._address
        return f"http://{host!s}:{port}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """All requests so far, in the order of their answers."""
        with self._lock:
            return list(self._requests)

    @property
    def counts(self) -> Counter[Kind]:
        """How many requests of each kind there were."""
        return Counter(request.kind for request in self.requests)

    def start(self) -> SimulatorServer:
        """Listen and serve in the background."""
        self._transport = Transport(self._address, self)
        self._thread = Thread(target=self._transport.serve_forever, args=(_POLL_SECONDS,), name="finra-simulator")
        self._thread.start()
        return self

    def stop(self) -> None:
        """End all answers, even those that never end, and release the port."""
        self.stopping.set()
        if self._transport and self._thread:
            self._transport.shutdown()
            self._thread.join()
            self._transport.end_connections()
            self._transport.server_close()

    def __enter__(self) -> SimulatorServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def log(self, request: LoggedRequest) -> None:
        """Note a request."""
        with self._lock:
            self._requests.append(request)

    def republish(self, partition: Partition | None) -> None:
        """Stop the clock at the partition's next change.

        Raises:
            ValueError: none lies ahead.
        """
        ahead = [at for at in self.world.change_instants(partition) if at > self.clock()] if partition else []
        if not ahead:
            raise ValueError(f"republish: no restatement of {partition} lies ahead of {self.clock()}")
        self.clock = lambda: ahead[0]


def serve(world: World, host: str = "127.0.0.1", port: int = 0) -> SimulatorServer:
    """A running server of this world by the machine's clock; `stop()` ends it.

    Raises:
        OSError: the port is taken.
    """
    return SimulatorServer(world, host=host, port=port).start()
