"""Every source passes the same suite. The expected counts are the simulated world's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports import Source
from finra_core.testing.source import SourceContract
from finra_files import open_source
from finra_simulator import SimulatorSource, World, write_files
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


class TestSimulatorSource(Simulated):
    @pytest.fixture
    def source(self) -> Source:
        return SimulatorSource(WORLD, lambda: NOW)

    @pytest.fixture
    def versions(self) -> bool:
        return True


class TestFileSource(Simulated):
    @pytest.fixture(params=["download", "hive", "api"])
    def source(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
        write_files(WORLD, tmp_path, KNOWN, NOW, request.param)
        with closing(open_source(tmp_path.as_uri(), {})) as source:
            yield source


class TestHttpSource(Simulated):
    @pytest.fixture
    def source(self) -> Iterator[Source]:
        with SimulatorServer(WORLD, lambda: NOW) as server, closing(connect(server.url, {}, Time())) as source:
            yield source

    @pytest.fixture
    def versions(self) -> bool:
        return True
