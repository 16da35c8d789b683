"""Against a simulated FINRA, written independently from the same facts: right data, or one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any, get_args

import pytest

from finra_core.domain.errors import SourceDataError, SourceError, SourceRejectedError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.weekly_summary.parsing import parse_content
from finra_core.weekly_summary.payload import Payload
from finra_http import HttpSource
from finra_simulator import Restatement, SimulatorSource, World
from finra_simulator.http import Fault, Options, RandomFaults, SimulatorServer
from finra_simulator.http.faults import FaultKind
from support.harness import Bench, Clock
from support.one_partition_server import Time, connect

NOW = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
PARTITIONS = [Partition(date(2026, 3, 6), tier) for tier in TIERS]
T1 = PARTITIONS[0]
RESTATED = NOW + timedelta(hours=2)
WORLD = World(
    seed=3, symbols=12, first_week=date(2026, 2, 27), restatement_rate=0, events=[Restatement(T1, RESTATED, 1, 4)]
)
CREDENTIALS = {"FINRA_CLIENT_ID": "an-id", "FINRA_CLIENT_SECRET": "a-secret!"}
TOKEN_PATH = "/fip/rest/ews/oauth2/access_token"
Rows = list[tuple[Any, ...]]


@contextmanager
def served(*faults: Fault, world: World = WORLD, given: dict[str, str] | None = None, **more: Any) -> Iterator[Served]:
    credentials = {"an-id": "a-secret!"}
    with SimulatorServer(world, lambda: NOW, faults=faults, credentials=credentials, **more) as server:
        settings = {"FINRA_TOKEN_URL": server.url + TOKEN_PATH, **(given or {})}
        with closing(connect(server.url, settings, Time())) as source:
            yield server, source


Served = tuple[SimulatorServer, HttpSource]


def rows_of(payload: Payload, partition: Partition) -> Rows:
    return sorted(parse_content(payload.documents, partition).records.rows())


def true_rows(partition: Partition, at: datetime = NOW, world: World = WORLD) -> Rows:
    """What the simulator hands over in process, without HTTP, pages or control totals."""
    return rows_of(SimulatorSource(world, lambda: at).fetch(partition), partition)


@pytest.mark.parametrize("partition", PARTITIONS, ids=str)
@pytest.mark.parametrize("max_payload", [3_000_000, 4000])
@pytest.mark.parametrize("given", [{}, CREDENTIALS], ids=["anonymous", "with credentials"])
def test_a_partition_comes_whole_with_its_control_totals(
    partition: Partition, max_payload: int, given: dict[str, str]
) -> None:
    options = Options(max_payload=max_payload, drifting_order=True, require_token=bool(given))
    with served(given=given, options=options) as (server, source):
        payload = source.fetch(partition)
        assert rows_of(payload, partition) == true_rows(partition)
        parsed = parse_content(payload.documents, partition)
        control_rows = len(WORLD.control_rows(partition, NOW))
        assert parsed.control_rows == control_rows
        assert payload.version == source.probe(partition)
        assert payload.version is not None
        assert payload.version.row_count == len(parsed.records) + control_rows
        assert (server.counts["page"] > 1) == (max_payload < 3_000_000)


def test_the_listing_is_what_is_published() -> None:
    with served() as (_server, source):
        listing = source.listing()
    assert (listing.partitions, listing.problems) == (WORLD.published(NOW), ())


@pytest.mark.parametrize("no_data", ["204", "empty", "bare", "message"])
def test_a_week_that_is_not_published_has_no_version(no_data: Any) -> None:
    future = Partition(date(2026, 4, 17), Tier.OTC)
    with served(options=Options(no_data=no_data)) as (_server, source):
        assert source.probe(future) is None
        with pytest.raises(SourceDataError, match="no rows for 2026-04-17 / OTC"):
            source.fetch(future)


def ask(kind: str, source: HttpSource) -> None:
    if kind == "listing":
        assert source.listing().partitions == WORLD.published(NOW)
    elif kind == "probe":
        assert source.probe(T1) is not None
    else:
        assert rows_of(source.fetch(T1), T1) in (true_rows(T1), true_rows(T1, RESTATED))


REFUSED = {"400", "401", "403", "404", "wrong-rows", "huge"}
KINDS = ("listing", "token", "probe", "page")
FAULTS = [fault for fault in get_args(FaultKind) if fault != "republish"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("times", [1, 99])
def test_every_fault_ends_in_right_data_or_in_one_error(kind: Any, fault: FaultKind, times: int) -> None:
    given = {**CREDENTIALS, "FINRA_DEADLINE": "0.5"} if fault == "stall" else CREDENTIALS
    with served(Fault(fault, on=kind, times=times), given=given) as (_server, source):
        try:
            ask(kind, source)
        except SourceError as error:
            assert times > 1 or fault in REFUSED or fault == "stall" or (fault, kind) == ("expired-token", "token")
            check_status(error, fault)
            if times == 1 and fault != "stall":
                ask(kind, source)
        else:
            assert times == 1 or (fault, kind) in HARMLESS


# A page's first row can only be wrong where there are pages.
HARMLESS = {("wrong-rows", kind) for kind in ("listing", "token", "probe")}


def check_status(error: SourceError, fault: FaultKind) -> None:
    code = 401 if fault == "expired-token" else int(fault) if fault.isdigit() else None
    if code is not None:
        assert isinstance(error, SourceUnavailableError if code in (429, 500, 502, 503, 504) else SourceRejectedError)
        assert error.status_code == code
        assert error.message.startswith(f"API fetch failed (HTTP {code}) for ")
    assert "\n" not in error.message


def test_a_partition_republished_in_mid_read_comes_in_its_new_version() -> None:
    fault = Fault("republish", on="page", partition=T1, after=1)
    with served(fault, options=Options(max_payload=4000)) as (server, source):
        payload = source.fetch(T1)
        assert server.counts["probe"] == 2
    assert true_rows(T1, RESTATED) != true_rows(T1)
    assert rows_of(payload, T1) == true_rows(T1, RESTATED)
    assert payload.version is not None
    assert payload.version.last_update_date == date(2026, 4, 20)


@pytest.mark.parametrize("seed", range(4))
def test_faults_by_chance_cost_requests_but_no_data(seed: int) -> None:
    chance = RandomFaults(0.15, seed)
    with served(random_faults=chance, given=CREDENTIALS, options=Options(max_payload=4000)) as (_server, source):
        for partition in PARTITIONS:
            assert rows_of(source.fetch(partition), partition) == true_rows(partition)


def test_a_stale_token_is_renewed_within_the_request() -> None:
    with served(Fault("expired-token", on="page"), given=CREDENTIALS) as (server, source):
        assert rows_of(source.fetch(T1), T1) == true_rows(T1)
        assert server.counts["token"] == 2


def test_wrong_credentials_are_a_refusal_that_says_so() -> None:
    wrong = {**CREDENTIALS, "FINRA_CLIENT_SECRET": "another"}
    with served(given=wrong) as (server, source):
        with pytest.raises(SourceRejectedError, match="check FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"):
            source.listing()
        assert server.counts["token"] == 1


def test_a_required_token_without_credentials_says_which_settings_to_give() -> None:
    with (
        served(options=Options(require_token=True)) as (_server, source),
        pytest.raises(SourceRejectedError, match="set FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"),
    ):
        source.probe(T1)


def test_a_run_that_finds_nothing_changed_costs_one_listing_and_a_probe_for_each_partition(bench: Bench) -> None:
    """19 requests for six due weeks of three tiers, and under 3 kB of answers."""
    bench.clock = Clock(NOW + timedelta(days=2))  # after the newest lastUpdateDate has ended
    world = World(seed=5, symbols=6, first_week=date(2025, 12, 1), restatement_rate=0)
    with served(world=world) as (server, source):
        first = bench.run(source=source)
        assert {str(p.outcome.value) for p in first.partitions} == {"ingested"}
        first_counts, first_bytes = server.counts, source.usage().bytes_received
        bench.clock.forward(days=1)
        second = bench.run(source=source)
        assert {str(p.outcome.value) for p in second.partitions} == {"skipped"}
        spent = server.counts - first_counts
    assert dict(first_counts) == {"listing": 1, "probe": 18, "page": 18}
    assert dict(spent) == {"listing": 1, "probe": 18}
    assert source.usage().bytes_received - first_bytes < 3000
