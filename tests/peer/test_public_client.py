"""finra-py, a public client of FINRA's API, gets the world's numbers from the simulator.

Where httpx would open a connection to one of FINRA's hosts it opens one to the simulator. All above that, URLs,
authentication and parsing, is the client as it was installed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finra_core.domain.tiers import TIERS, Tier
from finra_simulator.http import Options, SimulatorServer
from support.peers import CREDENTIALS, NOW, PAGE, WORLD, Record, all_cuts, newest, published, sent, shares, totals, true

_REASON = "finra-py is installed by the tox environment peer"
httpx: Any = pytest.importorskip("httpx", reason=_REASON)
finra: Any = pytest.importorskip("finra.auth", reason=_REASON)
filters: Any = pytest.importorskip("finra.filters", reason=_REASON)
utils: Any = pytest.importorskip("finra.utils", reason=_REASON)
oauth: Any = pytest.importorskip("authlib.integrations.base_client", reason=_REASON)

API, TOKENS, RESULTS = "api.finra.org", "ews.fip.finra.org", "5101-9919-3688-dapi.s3.amazonaws.com"


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(WORLD, lambda: NOW, options=Options(require_token=True), credentials=CREDENTIALS) as running:
        yield running


@pytest.fixture
def rerouted(server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    _reroute(server, monkeypatch)


def _reroute(server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, local = httpx.HTTPTransport.handle_request, httpx.URL(server.url)

    def handle_request(transport: Any, request: Any) -> Any:
        assert (request.url.scheme, request.url.host) in {("https", host) for host in (API, TOKENS, RESULTS)}
        url = request.url.copy_with(scheme=local.scheme, host=local.host, port=local.port)
        here = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return connect(transport, here)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle_request)


@pytest.fixture
def client(rerouted: None) -> Iterator[Any]:
    with _log_in() as client:
        yield client


def _log_in(secret: str = "secret") -> Any:
    return finra.client_from_new_token("client", secret, None, token_write_func=lambda token: None)


def _public(link: str, host: str) -> str:
    """A link of the simulator with the scheme and host that the client insists on."""
    return str(httpx.URL(link).copy_with(scheme="https", host=host, port=None))


def _records(response: Any) -> list[Record]:
    assert response.status_code == 200, response.text
    records: list[Record] = json.loads(response.text, parse_float=Decimal)
    return [{**each, "totalWeeklyShareQuantity": Decimal(each["totalWeeklyShareQuantity"])} for each in records]


def _all(ask: Any, **query: Any) -> list[Record]:
    """The client leaves paging to its caller and gives him Record-Total for it."""
    records: list[Record] = []
    while True:
        response = ask(limit=PAGE, offset=len(records), **query)
        records += _records(response)
        if len(records) >= utils.extract_record_total(response):
            return records


def _partition(client: Any, week: date, tier: Tier) -> Any:
    field = client.WeeklySummary
    chosen = filters.Filter(field).add_compare(field.WEEK_START_DATE, week)
    return chosen.add_compare(field.TIER_IDENTIFIER, tier.finra_code)


def test_a_token_is_bought_kept_for_twelve_hours_and_renewed(client: Any, server: SimulatorServer) -> None:
    assert 43_000 < client.token_expires_in <= 43_169
    assert client.get_weekly_summary(limit=1).status_code == 200
    server.tokens.revoke_all()
    assert client.get_weekly_summary(limit=1).status_code == 401
    client.refresh_token()
    assert client.get_weekly_summary(limit=1).status_code == 200


def test_a_wrong_secret_buys_no_token(rerouted: None) -> None:
    with pytest.raises(oauth.OAuthError, match="invalid_client"):
        _log_in("wrong")


def test_the_metadata_name_the_fields_that_the_client_has_names_for(client: Any) -> None:
    described = client.get_weekly_summary(endpoint=client.Endpoint.METADATA).json()
    known = {field.value for field in client.WeeklySummary}
    assert {field["name"] for field in described["fields"]} == known - {"historicalweek", "historicalmonth"}
    assert described["partitionFields"] == ["weekStartDate", "tierIdentifier"]


def test_the_partitions_are_the_weeks_and_tiers_that_the_world_has_published(client: Any) -> None:
    listing = client.get_weekly_summary(endpoint=client.Endpoint.PARTITIONS).json()
    listed = [tuple(each["partitions"]) for each in listing["availablePartitions"]]
    expected = {(str(p.week_start), p.tier.finra_code) for p in WORLD.published(NOW)}
    assert {key for key in listed if key[1] != "NA"} == expected
    assert {week for week, code in listed if code == "NA"} == {str(p.week_start) for p in published(Tier.OTC)}
    assert len(set(listed)) == len(listed)
    assert [week for week, _code in listed] == sorted((week for week, _code in listed), reverse=True)


@pytest.mark.parametrize("tier", TIERS)
def test_a_partition_comes_whole_with_every_field_of_every_cut(client: Any, tier: Tier) -> None:
    partition = newest(tier)
    records = _all(client.get_weekly_summary, filters=_partition(client, partition.week_start, tier))
    assert sent(records) == true(all_cuts(partition))
    assert (len(records) > PAGE) == (tier is not Tier.NMS_TIER_2)


def test_the_records_of_the_firms_alone_take_several_pages(client: Any) -> None:
    partition, field = newest(Tier.OTC), client.WeeklySummary
    chosen = _partition(client, partition.week_start, Tier.OTC)
    chosen.add_domain(field.SUMMARY_TYPE_CODE, ["ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"])
    records = _all(
        client.get_weekly_summary, filters=chosen, sort_fields=[field.SYMBOL, field.MPID, field.FIRM_CRD_NUMBER]
    )
    assert sent(records) == true(WORLD.rows(partition, NOW))
    assert len(records) > 3 * PAGE


@pytest.mark.parametrize("kind", ["ATS_W_SMBL", "OTC_W_SMBL"])
def test_a_symbol_over_time(client: Any, kind: str) -> None:
    field = client.WeeklySummary
    symbol = totals(Tier.NMS_TIER_1, kind)[7].symbol
    chosen = filters.Filter(field).add_compare(field.SYMBOL, symbol).add_compare(field.SUMMARY_TYPE_CODE, kind)
    records = _all(client.get_weekly_summary, filters=chosen)
    assert sent(records) == true(totals(Tier.NMS_TIER_1, kind, symbol))
    assert len({record["weekStartDate"] for record in records}) == len(published(Tier.NMS_TIER_1)) == 5


@pytest.mark.parametrize("symbol", ["TPC", "TpC"])
def test_symbols_of_two_spellings_are_two(client: Any, symbol: str) -> None:
    field = client.WeeklySummary
    chosen = filters.Filter(field).add_compare(field.SYMBOL, symbol).add_compare(field.SUMMARY_TYPE_CODE, "ATS_W_SMBL")
    rows = [row for tier in TIERS for row in totals(tier, "ATS_W_SMBL", symbol)]
    assert sent(_all(client.get_weekly_summary, filters=chosen)) == true(rows)
    assert rows


def test_ranges_domains_and_comparisons_leave_what_they_should(client: Any) -> None:
    field, (first, second) = client.WeeklySummary, published(Tier.NMS_TIER_2)[1:3]
    chosen = filters.Filter(field).add_compare(field.TIER_IDENTIFIER, "T2")
    chosen.add_date_range(field.WEEK_START_DATE, first.week_start, second.week_start)
    chosen.add_domain(field.SUMMARY_TYPE_CODE, ["ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"])
    chosen.add_compare(field.TOTAL_VOLUME, 1_000, filters.Filter.CompareType.GTE)
    rows = [row for partition in (first, second) for row in WORLD.rows(partition, NOW)]
    large = [row for row in rows if shares(row) >= 1_000]
    assert sent(_all(client.get_weekly_summary, filters=chosen)) == true(large)
    assert 0 < len(large) < len(rows)


def test_the_largest_first(client: Any) -> None:
    partition, field = newest(Tier.NMS_TIER_1), client.WeeklySummary
    chosen = _partition(client, partition.week_start, Tier.NMS_TIER_1).add_compare(
        field.SUMMARY_TYPE_CODE, "OTC_W_SMBL"
    )
    response = client.get_weekly_summary(
        filters=chosen, sort_fields=[(-1, field.TOTAL_VOLUME), field.SYMBOL], fields=[field.SYMBOL, field.TOTAL_VOLUME]
    )
    rows = [row for row in WORLD.control_rows(partition, NOW) if row.summary_type == "OTC_W_SMBL"]
    expected = sorted((-shares(row), row.symbol) for row in rows)
    got = [(-each["totalWeeklyShareQuantity"], each["issueSymbolIdentifier"]) for each in _records(response)]
    assert got == expected


def test_the_client_refuses_to_sort_over_partitions_as_finra_would(client: Any) -> None:
    field = client.WeeklySummary
    with pytest.raises(ValueError, match=r"WeeklySummary\.TIER_IDENTIFIER"):
        client.get_weekly_summary(filters=filters.Filter(field), sort_fields=field.SYMBOL)


def test_a_larger_limit_than_finras_is_clamped_and_said(client: Any) -> None:
    response = client.get_weekly_summary(
        filters=_partition(client, newest(Tier.OTC).week_start, Tier.OTC),
        limit=50_000,
        fields=client.WeeklySummary.MPID,
    )
    assert len(response.json()) == utils.extract_total_records_on_page(response) == PAGE
    assert (utils.extract_record_limit(response), utils.extract_record_max_limit(response)) == (PAGE, PAGE)
    assert utils.extract_record_offset(response) == 0
    assert utils.extract_response_payload_max_size(response) == "3mb"
    assert utils.extract_finra_api_request_id(response)


def test_without_filters_the_client_gets_the_oldest_partition(client: Any) -> None:
    records = client.get_weekly_summary(limit=20, fields=client.WeeklySummary.WEEK_START_DATE).json()
    assert records == [{"weekStartDate": str(published(Tier.NMS_TIER_1)[0].week_start)}] * 20


@pytest.mark.parametrize(("delimiter", "quoted"), [("|", False), (",", True), ("\t", True)])
def test_delimited_text_has_the_same_numbers(client: Any, delimiter: str, quoted: bool) -> None:
    partition = newest(Tier.NMS_TIER_2)
    response = client.get_weekly_summary(
        filters=_partition(client, partition.week_start, Tier.NMS_TIER_2),
        accept_json=False,
        delimiter=delimiter,
        quote_values=quoted,
        limit=PAGE,
    )
    assert utils.extract_content_type(response) == "text/plain"
    lines = csv.DictReader(io.StringIO(response.text), delimiter=delimiter, strict=True)
    assert sent(map(_typed, lines)) == true(all_cuts(partition))


def _typed(line: dict[str, str]) -> Record:
    readers = {"totalWeeklyShareQuantity": Decimal, "totalWeeklyTradeCount": int, "firmCRDNumber": int}
    return {name: readers.get(name, str)(text) if text else None for name, text in line.items()}


@pytest.mark.parametrize("code", ["T1", "OTC"])
def test_no_data_is_a_204_whose_body_is_no_json(client: Any, code: str) -> None:
    """A week that is not published looks as the tier code that is none: the client leaves both to its caller."""
    week = published(Tier.OTC)[-1].week_start + timedelta(weeks=0 if code == "OTC" else 9)
    field = client.WeeklySummary
    chosen = filters.Filter(field).add_compare(field.WEEK_START_DATE, week).add_compare(field.TIER_IDENTIFIER, code)
    response = client.get_weekly_summary(filters=chosen)
    assert (response.status_code, utils.extract_record_total(response)) == (204, 0)
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_an_asynchronous_request_brings_a_partition_in_one_piece(client: Any) -> None:
    partition = newest(Tier.OTC)
    chosen = _partition(client, partition.week_start, Tier.OTC)
    started = client.get_weekly_summary(filters=chosen, limit=100_000, async_request=True)
    assert started.status_code == 202
    status = _public(utils.extract_location(started), API)
    assert client.get_async_request_status(status).status_code == 202
    done = client.get_async_request_status(status)
    assert utils.extract_status(done) == "complete"
    assert utils.extract_expires(done) == NOW + timedelta(hours=2)
    records = _records(client.get_async_result(_public(utils.extract_result_link(done), RESULTS)))
    assert sent(records) == true(all_cuts(partition))
    assert len(records) > 5 * PAGE


def test_a_restatement_shows_from_its_instant_on(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = published(Tier.NMS_TIER_2)[0]
    _published, *changes = WORLD.change_instants(partition)
    with SimulatorServer(WORLD, credentials=CREDENTIALS) as running:
        _reroute(running, monkeypatch)
        seen = []
        for at in (changes[0] - timedelta(minutes=1), changes[0]):
            running.clock = lambda at=at: at  # type: ignore[misc]
            with _log_in() as client:
                chosen = _partition(client, partition.week_start, Tier.NMS_TIER_2)
                seen.append(sent(_all(client.get_weekly_summary, filters=chosen)))
            assert seen[-1] == true(all_cuts(partition, at))
    assert seen[0] != seen[1]


def test_historic_weeks_by_monday_by_any_day_and_by_month(monkeypatch: pytest.MonkeyPatch) -> None:
    later = NOW + timedelta(days=500)
    first, second = published(Tier.NMS_TIER_2)[1:3]
    with SimulatorServer(WORLD, lambda: later, credentials=CREDENTIALS) as running:
        _reroute(running, monkeypatch)
        with _log_in() as client:
            ask = client.get_weekly_summary_historic
            by_monday = _all(ask, week_start_date=first.week_start, tier_identifier="T2")
            by_day = _all(ask, historical_week=first.week_ending, tier_identifier="T2")
            by_month = _all(ask, historical_month=date(2026, 3, 1), tier_identifier="T2")
            tuesday = ask(first.week_start + timedelta(days=1))
    assert sent(by_monday) == sent(by_day) == true(all_cuts(first, later))
    march = [p for p in published(Tier.NMS_TIER_2, later) if (p.week_start.year, p.week_start.month) == (2026, 3)]
    assert sent(by_month) == true(row for partition in march for row in all_cuts(partition, later))
    assert second in march
    assert {record["historicalMonth"] for record in by_month} == {"2026-03-01"}
    assert tuesday.status_code == 204
