"""Against a simulated FINRA, written independently from the same facts: right data, or one error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from attrs import evolve

from finra_core.domain.errors import SourceDataError, SourceError, SourceRejectedError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.source import Usage
from finra_core.weekly_summary.parsing import parse_content
from finra_core.weekly_summary.payload import Payload, canonical_hash, count_rows
from finra_http import ByteBudgetError, HttpSource
from finra_simulator import Restatement, SimulatorSource, World
from finra_simulator.http import Fault, LoggedRequest, Options, RandomFaults, SimulatorServer
from finra_simulator.http.faults import FaultKind
from support.harness import Bench, Clock, as_record
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
        listing = source.list_partitions()
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
        assert source.list_partitions().partitions == WORLD.published(NOW)
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
            source.list_partitions()
        assert server.counts["token"] == 1


def test_a_required_token_without_credentials_says_which_settings_to_give() -> None:
    with (
        served(options=Options(require_token=True)) as (_server, source),
        pytest.raises(SourceRejectedError, match="set FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"),
    ):
        source.probe(T1)


def test_a_run_that_finds_nothing_changed_costs_one_listing_and_a_probe_for_each_partition(bench: Bench) -> None:
    """21 requests for six weeks due in three tiers and two newer ones of tier 1, and under 3 kB of answers."""
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
    assert dict(first_counts) == {"listing": 1, "probe": 20, "page": 20}
    assert dict(spent) == {"listing": 1, "probe": 20}
    assert source.usage().bytes_received - first_bytes < 3000


DELIMITED = evolve(WORLD, delimiters_in_names=True)
"""Three issue names of each tier hold `|`, quotes or both."""


def pages(server: SimulatorServer) -> list[LoggedRequest]:
    return [request for request in server.requests if request.kind == "page"]


def is_quoted(request: LoggedRequest) -> bool:
    return bool(json.loads(request.body)["quoteValues"])


@pytest.mark.parametrize("partition", PARTITIONS, ids=str)
def test_names_with_delimiters_and_quotes_come_as_they_are_for_one_more_request(partition: Partition) -> None:
    names = {row.issue_name or "" for row in DELIMITED.rows(partition, NOW)}
    assert {(name.count("|"), name.count('"')) for name in names} >= {(0, 0), (1, 0), (0, 2), (1, 2)}
    with served(world=DELIMITED) as (server, source):
        payload = source.fetch(partition)
        asked = server.requests
        assert [request.kind for request in asked] == ["probe", "page", "page"]
        assert [is_quoted(request) for request in asked] == [False, False, True]
        assert source.usage() == Usage(3, sum(request.bytes_sent for request in asked))
    assert rows_of(payload, partition) == sorted(map(as_record, DELIMITED.rows(partition, NOW)))
    parsed = parse_content(payload.documents, partition)
    assert (parsed.rejects, parsed.control_rows) == ((), len(DELIMITED.control_rows(partition, NOW)))
    assert payload.version is not None
    assert payload.version.row_count == count_rows(payload.documents) == len(parsed.records) + parsed.control_rows


@pytest.mark.parametrize("partition", PARTITIONS, ids=str)
def test_only_pages_that_need_quotes_are_asked_for_again_and_the_content_does_not_depend_on_which(
    partition: Partition,
) -> None:
    with served(world=DELIMITED) as (_server, source):
        whole = source.fetch(partition)
    with served(world=DELIMITED, options=Options(max_payload=4000)) as (server, source):
        in_pages = source.fetch(partition)
        quoted = list(map(is_quoted, pages(server)))
    assert 0 < quoted.count(True) < quoted.count(False)
    assert in_pages.documents == whole.documents
    assert canonical_hash(in_pages.documents) == canonical_hash(whole.documents)


def test_faults_of_the_request_for_quotes_are_overcome_like_any_other() -> None:
    for fault in ("503", "truncate", "truncate-silently", "html"):
        with served(Fault(fault, on="page", after=1), world=DELIMITED) as (server, source):
            assert rows_of(source.fetch(T1), T1) == sorted(map(as_record, DELIMITED.rows(T1, NOW)))
            assert list(map(is_quoted, pages(server))) == [False, True, True]


def test_a_republication_between_a_page_and_the_same_with_quotes_is_noticed() -> None:
    fault = Fault("republish", on="page", partition=T1, after=1)
    with served(fault, world=DELIMITED) as (_server, source):
        payload = source.fetch(T1)
    assert rows_of(payload, T1) == sorted(map(as_record, DELIMITED.rows(T1, RESTATED)))


def test_the_request_for_quotes_is_not_made_where_it_could_pass_the_budget() -> None:
    with served(world=DELIMITED) as (server, source):
        version = source.probe(T1)
        source.fetch(T1, version)
        probe, plain, _quoted = server.requests
    assert version is not None
    assert version.row_count is not None
    bound = 64 * 1024 + version.row_count * 512
    budget = probe.bytes_sent + plain.bytes_sent + bound
    with served(world=DELIMITED, given={"FINRA_MAX_BYTES": str(budget)}) as (server, source):
        source.fetch(T1)
    with served(world=DELIMITED, given={"FINRA_MAX_BYTES": str(budget - 1)}) as (server, source):
        with pytest.raises(ByteBudgetError):
            source.fetch(T1)
        assert [is_quoted(request) for request in pages(server)] == [False]


def test_a_week_with_such_names_is_ingested_once_and_verified_as_unchanged(bench: Bench) -> None:
    with served(world=DELIMITED) as (_server, source):
        bench.clock = Clock(NOW)
        weeks = [T1.week_ending]
        first = bench.run(source=source, weeks=weeks)
        assert [p.outcome.value for p in first.partitions] == ["ingested"] * 3
        second = bench.run(source=source, weeks=weeks, verify=True)
        assert [p.outcome.value for p in second.partitions] == ["skipped"] * 3
        assert all(p.reason.startswith("Content unchanged") for p in second.partitions)
    with bench.store.read() as view:
        for capture in view.captures():
            expected = map(as_record, DELIMITED.rows(capture.partition, NOW))
            assert sorted(view.records(capture).rows()) == sorted(expected)
