"""Every source passes the same suite. The expected counts are the simulated world's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.source import Source
from finra_core.testing.source import SourceContract
from finra_files import open_source as open_files
from finra_simulator import World, write_files
from finra_simulator import open_source as open_simulator
from finra_simulator.http import SimulatorServer
from support.one_partition_server import Time, connect

NOW = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
WORLD = World(seed=3, symbols=12, first_week=date(2026, 2, 27))
KNOWN = {
    partition: len(WORLD.rows(partition, NOW)) for partition in (Partition(date(2026, 3, 6), tier) for tier in TIERS)
}


class Simulated(SourceContract):
    @pytest.fixture
    def known(self) -> Mapping[Partition, int]:
        return KNOWN

    @pytest.fixture
    def absent(self) -> Partition:
        return Partition(date(2026, 4, 17), Tier.OTC)

    @pytest.fixture
    def reopens(self) -> bool:
        return True


class TestSimulatorSource(Simulated):
    @pytest.fixture
    def new_source(self) -> Callable[[], Source]:
        url = f"simulator:?seed=3&symbols=12&first_week=2026-02-27&now={NOW:%Y-%m-%dT%H:%M:%SZ}"
        return lambda: open_simulator(url, {})

    @pytest.fixture
    def versions(self) -> bool:
        return True

    @pytest.fixture
    def tells_restatements(self) -> bool:
        return True


class TestFileSource(Simulated):
    @pytest.fixture(params=["download", "hive", "api"])
    def new_source(self, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Source]:
        write_files(WORLD, tmp_path, KNOWN, NOW, request.param)
        return lambda: open_files(tmp_path.as_uri(), {})


class TestHttpSource(Simulated):
    @pytest.fixture
    def new_source(self) -> Iterator[Callable[[], Source]]:
        with SimulatorServer(WORLD, lambda: NOW) as server:
            yield lambda: connect(server.url, {}, Time())

    @pytest.fixture
    def versions(self) -> bool:
        return True

    @pytest.fixture
    def tells_restatements(self) -> bool:
        return True
