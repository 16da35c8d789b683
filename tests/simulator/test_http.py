"""The simulated Query API against the facts known of FINRA's; each test names the paragraph that it rests on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import urllib3
from attrs import evolve
from urllib3.util import make_headers

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_simulator import Delay, Restatement, World
from finra_simulator.http import Options, SimulatorServer
from finra_simulator.rows import FIELDS, MICROS

NOW = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
MONDAY = "2026-03-02"  # fractional shares have begun
T1, T2 = (Partition(date(2026, 3, 6), tier) for tier in (Tier.NMS_TIER_1, Tier.NMS_TIER_2))
WORLD = World(seed=3, symbols=(30, 20, 20), first_week=date(2026, 1, 30), restatement_rate=0)
SUMMARY = "/data/group/otcMarket/name/weeklySummary"
JSON = {"Accept": "application/json"}

Response = urllib3.BaseHTTPResponse


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(WORLD, lambda: NOW) as running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        yield pool


def equal(**values: str) -> list[dict[str, str]]:
    return [{"fieldName": n, "fieldValue": v, "compareType": "EQUAL"} for n, v in values.items()]


def partition(tier: str = "T1", kind: str | None = "ATS_W_SMBL_FIRM", week: str = MONDAY) -> list[dict[str, str]]:
    kinds = equal(summaryTypeCode=kind) if kind else []
    return [*equal(weekStartDate=week, tierIdentifier=tier), *kinds]


def post(
    http: urllib3.PoolManager, server: SimulatorServer, body: dict[str, Any], path: str = SUMMARY, **headers: str
) -> Response:
    return http.request("POST", server.url + path, json=body, headers={**JSON, **headers})


def fetch(http: urllib3.PoolManager, server: SimulatorServer, body: dict[str, Any], path: str = SUMMARY) -> Any:
    response = post(http, server, body, path)
    assert response.status == 200, response.data
    return json.loads(response.data, parse_float=Decimal)


def page_by_page(http: urllib3.PoolManager, server: SimulatorServer, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The loop of 1.4: on by what came, to the Record-Total."""
    rows: list[dict[str, Any]] = []
    while True:
        response = post(http, server, {**body, "offset": len(rows)})
        rows += json.loads(response.data, parse_float=Decimal)
        if len(rows) >= int(response.headers["Record-Total"]):
            return rows


# 1.1 URLs and methods


@pytest.mark.parametrize("name", ["OTCMARKET/name/weeklySummary", "OTCMarket/name/weeklysummary"])
def test_group_and_dataset_are_found_in_any_case(http: urllib3.PoolManager, server: SimulatorServer, name: str) -> None:
    """1.1: group and dataset names are case-insensitive."""
    assert post(http, server, {"limit": 1, "compareFilters": partition()}, f"/data/group/{name}").status == 200


def test_get_ignores_filters_and_begins_in_an_old_partition(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.1: filters work only in a POST body; an unfiltered query starts in an old partition."""
    filters = f"weekStartDate={MONDAY}&compareFilters=x&filter=y"
    plain, filtered = (
        http.request("GET", f"{server.url}{SUMMARY}?limit=3{more}", headers=JSON) for more in ("", f"&{filters}")
    )
    assert plain.data == filtered.data
    assert {row["weekStartDate"] for row in plain.json()} == {"2026-01-26"}


def test_get_honors_limit_offset_and_fields(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.1: GET does honor limit, offset, fields, async."""
    ask = f"{server.url}{SUMMARY}?fields=MPID,issueSymbolIdentifier"
    three = http.request("GET", f"{ask}&limit=3", headers=JSON).json()
    one = http.request("GET", f"{ask}&limit=1&offset=2", headers=JSON).json()
    assert [list(row) for row in three] == [["MPID", "issueSymbolIdentifier"]] * 3
    assert one == three[2:]


@pytest.mark.parametrize("path", ["/metadata/group/otcMarket", "/data/group/otcMarket/name/nonesuch", "/", "/data"])
def test_what_is_not_there_is_a_404(http: urllib3.PoolManager, server: SimulatorServer, path: str) -> None:
    """1.1: `/metadata/group/otcMarket` (no name) is 404."""
    response = http.request("GET", server.url + path)
    assert response.status == 404
    assert response.json()["statusCode"] == 404
    assert all(name in response.json()["message"] for name in ("weeklySummary", "weeklyDownloadDetails", "/datasets"))


def test_metadata_names_the_fields_and_the_partition_fields(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.1 and 2: fields, types, partitionFields."""
    metadata = http.request("GET", f"{server.url}/metadata/group/otcMarket/name/weeklySummary").json()
    assert metadata["partitionFields"] == ["weekStartDate", "tierIdentifier"]
    types = {field["name"]: field["type"] for field in metadata["fields"]}
    assert len(types) == 17
    assert types["totalWeeklyShareQuantity"] == types["firmCRDNumber"] == "Number"
    assert types["lastUpdateDate"] == "Date"
    assert types["MPID"] == "String"


def test_other_methods_are_not_allowed(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.5: 405 is one of the listed codes."""
    assert http.request("PUT", server.url + SUMMARY).status == 405


# 1.2 Authentication

TOKEN = "/fip/rest/ews/oauth2/access_token"
BASIC = make_headers(basic_auth="client:secret")


@pytest.fixture
def locked() -> Iterator[SimulatorServer]:
    options = Options(require_token=True)
    with SimulatorServer(WORLD, lambda: NOW, options=options, credentials={"client": "secret"}) as running:
        yield running


def test_data_needs_no_token_unless_one_is_required(
    http: urllib3.PoolManager, server: SimulatorServer, locked: SimulatorServer
) -> None:
    """1.2: anonymous is tolerated, not promised."""
    assert post(http, server, {"limit": 1}).status == 200
    assert post(http, locked, {"limit": 1}).status == 401


@pytest.mark.parametrize("in_form", [True, False])
def test_client_credentials_buy_a_token_for_twelve_hours(
    http: urllib3.PoolManager, locked: SimulatorServer, in_form: bool
) -> None:
    """1.2: HTTP Basic; grant_type in the query or in the form; expires_in 43,169."""
    if in_form:
        fields = {"grant_type": "client_credentials"}
        got = http.request_encode_body(
            "POST", locked.url + TOKEN, fields=fields, headers=BASIC, encode_multipart=False
        ).json()
    else:
        got = http.request("POST", f"{locked.url}{TOKEN}?grant_type=client_credentials", headers=BASIC).json()
    assert (got["token_type"], got["expires_in"]) == ("Bearer", 43_169)
    headers = {"Authorization": f"Bearer {got['access_token']}"}
    assert post(http, locked, {"limit": 1}, **headers).status == 200


@pytest.mark.parametrize(
    ("basic", "grant", "status"), [("client:wrong", "client_credentials", 401), ("client:secret", "password", 400)]
)
def test_wrong_credentials_or_grant_buy_none(
    http: urllib3.PoolManager, locked: SimulatorServer, basic: str, grant: str, status: int
) -> None:
    """1.2."""
    headers = make_headers(basic_auth=basic)
    assert http.request("POST", f"{locked.url}{TOKEN}?grant_type={grant}", headers=headers).status == status


def test_an_expired_token_is_refused_even_where_none_is_needed(http: urllib3.PoolManager) -> None:
    """1.2: on a 401 a client is to invalidate its token and retry."""
    credentials = {"client": "secret"}
    with SimulatorServer(WORLD, lambda: NOW, credentials=credentials, token_lifetime=timedelta(hours=1)) as running:
        got = http.request("POST", f"{running.url}{TOKEN}?grant_type=client_credentials", headers=BASIC).json()
        headers = {"Authorization": f"Bearer {got['access_token']}"}
        running.clock = lambda: NOW + timedelta(minutes=59)
        assert post(http, running, {"limit": 1}, **headers).status == 200
        running.clock = lambda: NOW + timedelta(minutes=60)
        response = post(http, running, {"limit": 1}, **headers)
        assert response.status == 401
        assert response.json()["statusDescription"] == "Unauthorized"


def test_started_without_credentials_it_knows_any_client(http: urllib3.PoolManager) -> None:
    with SimulatorServer(WORLD, lambda: NOW, options=Options(require_token=True)) as running:
        url = f"{running.url}{TOKEN}?grant_type=client_credentials"
        token = http.request("POST", url, headers=make_headers(basic_auth="any:one")).json()["access_token"]
        statuses = [
            post(http, running, {"limit": 1}, Authorization=given).status
            for given in (f"Bearer {token}", "Bearer one-from-FINRA-itself", "Bearer ", "Basic YW55Om9uZQ==")
        ]
        assert statuses == [200, 200, 401, 401]  # FINRA gave up Basic on data in 2022
        assert http.request("POST", url, headers=make_headers(basic_auth="any:")).status == 401
        assert http.request("POST", url).status == 401


def test_started_with_credentials_it_knows_no_token_but_its_own(
    http: urllib3.PoolManager, locked: SimulatorServer
) -> None:
    assert post(http, locked, {"limit": 1}, Authorization="Bearer one-from-FINRA-itself").status == 401


def catalog(http: urllib3.PoolManager, server: SimulatorServer, query: str = "") -> list[str]:
    response = http.request("GET", f"{server.url}/datasets{query}", headers={"Authorization": "Bearer any"})
    assert response.status == 200
    assert {each["datasetGroup"] for each in response.json()} <= {"otcMarket"}
    return [each["datasetName"] for each in response.json()]


def test_datasets_are_listed_for_who_has_a_token(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.1: the catalog needs a token; its parameters group and name select."""
    assert http.request("GET", f"{server.url}/datasets").status == 401
    names = ["weeklySummary", "weeklySummaryHistoric", "weeklyDownloadDetails"]
    assert catalog(http, server) == catalog(http, server, "?group=OTCMarket") == names
    assert catalog(http, server, "?group=otcMarket&name=weeklysummary") == ["weeklySummary"]
    assert catalog(http, server, "?group=fixedIncomeMarket") == []


# 1.3 Request body


def test_a_post_gives_the_rows_of_the_partition_exactly(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.3 and 2: EQUAL filters; all 17 fields; shares with up to 6 decimals."""
    rows = page_by_page(http, server, {"compareFilters": partition("T1", "OTC_W_SMBL_FIRM"), "limit": 100})
    truth = [row for row in WORLD.rows(T1, NOW) if not row.mpid]
    assert {tuple(row) for row in rows} == {FIELDS}
    expected = [
        (row.symbol, row.issue_name, row.product_type, row.crd, Decimal(row.shares_micros) / MICROS, row.trades)
        for row in truth
    ]
    assert _quantities(rows) == sorted(expected, key=str)
    assert any(row.shares_micros % MICROS for row in truth)


def _quantities(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("issueSymbolIdentifier", "issueName", "productTypeCode", "firmCRDNumber")
    quantities = [
        (*(row[n] for n in names), Decimal(row["totalWeeklyShareQuantity"]), row["totalWeeklyTradeCount"])
        for row in rows
    ]
    return sorted(quantities, key=str)


@pytest.mark.parametrize(
    ("compare", "value", "holds"),
    [
        ("EQUAL", 7, lambda trades: trades == 7),
        ("equal", 7, lambda trades: trades == 7),
        ("NOT_EQUAL", 7, lambda trades: trades != 7),
        ("GREATER", 50, lambda trades: trades > 50),
        ("LESSER", 50, lambda trades: trades < 50),
        ("GTE", 50, lambda trades: trades >= 50),
        ("LTE", "50", lambda trades: trades <= 50),
    ],
)
def test_compare_types(
    http: urllib3.PoolManager, server: SimulatorServer, compare: str, value: object, holds: Any
) -> None:
    """1.3: the six compare types; lower case is accepted; extra keys are tolerated."""
    condition = {"fieldName": "TOTALWEEKLYTRADECOUNT", "fieldValue": value, "compareType": compare, "description": ""}
    rows = fetch(http, server, {"compareFilters": [*partition(), condition], "limit": 5000})
    expected = [r.trades for r in WORLD.rows(T1, NOW) if r.mpid and holds(r.trades)]
    assert sorted(row["totalWeeklyTradeCount"] for row in rows) == sorted(expected)


def test_begins_with(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.3: BEGINS_WITH also exists; 2: symbols are case-sensitive."""
    condition = {"fieldName": "issueSymbolIdentifier", "fieldValue": "Tp", "compareType": "BEGINS_WITH"}
    rows = fetch(http, server, {"compareFilters": [*partition(), condition]})
    assert {row["issueSymbolIdentifier"] for row in rows} == {"TpC"}


def test_date_ranges_hold_both_ends_and_are_anded_with_domains(
    http: urllib3.PoolManager, server: SimulatorServer
) -> None:
    """1.3: dateRangeFilters inclusive at both ends; all lists are ANDed."""
    body = {
        "dateRangeFilters": [{"fieldName": "weekStartDate", "startDate": "2026-02-23", "endDate": MONDAY}],
        "domainFilters": [{"fieldName": "summaryTypeCode", "values": ["ATS_W_SMBL", "OTC_W_SMBL"]}],
        "compareFilters": equal(tierIdentifier="OTCE"),
        "fields": ["weekStartDate", "summaryTypeCode", "tierIdentifier"],
    }
    found = {tuple(row.values()) for row in fetch(http, server, body)}
    assert found == {(week, kind, "OTCE") for week in ("2026-02-23", MONDAY) for kind in ("ATS_W_SMBL", "OTC_W_SMBL")}


def test_a_query_pages_over_several_partitions(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.3 and 1.4: Record-Total counts what matches the whole query, over all weeks."""
    rows = page_by_page(
        http, server, {"compareFilters": equal(tierIdentifier="OTCE", summaryTypeCode="ATS_W_FIRM"), "limit": 7}
    )
    found = {(row["weekStartDate"], row["MPID"]) for row in rows}
    weeks = [p for p in WORLD.published(NOW) if p.tier is Tier.OTC]
    assert found == {(str(p.week_start), row.mpid) for p in weeks for row in WORLD.venue_rows(p, NOW) if row.mpid}
    assert len(rows) == len(found)


def test_a_filter_on_shares_compares_shares_and_null_fulfils_no_filter(
    http: urllib3.PoolManager, server: SimulatorServer
) -> None:
    """1.3: filters on fields that are no partition keys; 2: productTypeCode is null on ATS rows."""
    big = {"fieldName": "totalWeeklyShareQuantity", "fieldValue": "1000.5", "compareType": "GREATER"}
    tape = {"fieldName": "productTypeCode", "fieldValue": "CTS", "compareType": "GTE"}
    rows = page_by_page(http, server, {"compareFilters": [*partition(kind=None), big, tape], "limit": 5000})
    firm_rows = [row for row in rows if row["summaryTypeCode"].endswith("SMBL_FIRM")]
    expected = [row for row in WORLD.rows(T1, NOW) if row.product_type and row.shares_micros > 1_000_500_000]
    assert len(firm_rows) == len(expected) > 0
    assert {row["summaryTypeCode"] for row in firm_rows} == {"OTC_W_SMBL_FIRM"}


def test_sorting_needs_an_equal_filter_on_every_partition_field(
    http: urllib3.PoolManager, server: SimulatorServer
) -> None:
    """1.3: 400 with FINRA's message; a date range does not count."""
    body = {
        "sortFields": ["MPID"],
        "compareFilters": equal(tierIdentifier="T1"),
        "dateRangeFilters": [{"fieldName": "weekStartDate", "startDate": MONDAY, "endDate": MONDAY}],
    }
    response = post(http, server, body)
    assert response.status == 400
    assert response.json()["message"] == (
        "Sorting is allowed only if all partitions keys are specified in EQUAL CompareFilter. "
        "Partition keys missing or not using EQUAL CompareFilter: weekStartDate"
    )


def test_rows_are_sorted_up_and_down_as_asked(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.3: `-` descending, `+` or nothing ascending."""
    fields = ["totalWeeklyTradeCount", "issueSymbolIdentifier", "MPID"]
    sort = ["-totalWeeklyTradeCount", "+issueSymbolIdentifier", "MPID"]
    rows = fetch(http, server, {"compareFilters": partition(), "fields": fields, "sortFields": sort, "limit": 5000})
    keys = [(-row["totalWeeklyTradeCount"], row["issueSymbolIdentifier"], row["MPID"]) for row in rows]
    assert keys == sorted(keys)


def test_unsorted_rows_come_in_no_useful_order(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.3."""
    rows = fetch(http, server, {"compareFilters": partition(), "limit": 5000})
    symbols = [row["issueSymbolIdentifier"] for row in rows]
    assert symbols != sorted(symbols)


def test_the_order_of_unsorted_pages_may_drift(http: urllib3.PoolManager) -> None:
    """1.3: the order is not documented as stable between pages."""
    with SimulatorServer(WORLD, lambda: NOW, options=Options(drifting_order=True)) as running:
        rows = page_by_page(http, running, {"compareFilters": partition(), "limit": 50})
        sort = ["issueSymbolIdentifier", "MPID", "issueName"]
        sorted_rows = page_by_page(http, running, {"compareFilters": partition(), "limit": 50, "sortFields": sort})
    keys, sorted_keys = (
        {(r["issueSymbolIdentifier"], r["MPID"], r["issueName"]) for r in each} for each in (rows, sorted_rows)
    )
    assert len(keys) < len(rows)
    assert len(sorted_keys) == len(sorted_rows) == len(rows)


# 1.4 Limits, paging, headers


def test_the_headers_say_what_the_page_is(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.4: recorded headers."""
    response = post(http, server, {"compareFilters": partition(), "limit": 7, "offset": 3})
    headers = response.headers
    total = sum(row.mpid is not None for row in WORLD.rows(T1, NOW))
    assert headers["Record-Total"] == str(total)
    assert (headers["Record-Offset"], headers["Record-Limit"], headers["Record-Max-Limit"]) == ("3", "7", "5000")
    assert headers["Total-Records-On-Page"] == "7" == str(len(response.json()))
    assert headers["Response-Payload-Max-Size"] == "3mb"
    assert len(headers["FINRA-api-request-id"]) == 36
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("asked", "given"), [({}, "1000"), ({"limit": 500_000}, "5000"), ({"limit": 12}, "12")])
def test_the_limit_is_a_thousand_by_default_and_clamped_at_five_thousand(
    http: urllib3.PoolManager, server: SimulatorServer, asked: dict[str, Any], given: str
) -> None:
    """1.4: a larger limit is no error, it is silently clamped."""
    response = post(http, server, asked)
    assert response.headers["Record-Limit"] == given == response.headers["Total-Records-On-Page"]
    assert len(response.json()) == int(given)


def test_a_page_can_be_short_of_its_limit_and_not_the_last(http: urllib3.PoolManager) -> None:
    """1.4: 3 MB, whichever comes first."""
    with SimulatorServer(WORLD, lambda: NOW, options=Options(max_payload=20_000)) as running:
        first = post(http, running, {"compareFilters": partition(), "limit": 5000})
        assert len(first.data) <= 20_000
        assert len(first.json()) < int(first.headers["Record-Total"]) < int(first.headers["Record-Limit"])
        rows = page_by_page(http, running, {"compareFilters": partition(), "limit": 5000})
    assert len({(r["issueSymbolIdentifier"], r["issueName"], r["MPID"]) for r in rows}) == len(rows)
    assert len(rows) == int(first.headers["Record-Total"])


def test_five_thousand_rows_are_near_the_cap_of_three_megabytes(http: urllib3.PoolManager) -> None:
    """6: JSON about 510-541 bytes a row."""
    world = World(symbols=(300, 1, 1), first_week=date(2026, 2, 27), restatement_rate=0)
    with SimulatorServer(world, lambda: NOW) as running:
        response = post(http, running, {"compareFilters": partition(kind=None), "limit": 5000})
    assert len(response.json()) == 5000
    assert 2_500_000 < len(response.data) < 3_000_000


def test_answers_are_compressed_where_the_client_accepts_it(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.4: Content-Encoding: gzip."""
    body = {"compareFilters": partition(), "limit": 100}
    plain = post(http, server, body)
    zipped = post(http, server, body, **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.data == plain.data
    assert server.requests[-1].bytes_sent < len(plain.data) / 4


def test_record_total_moves_when_finra_republishes(http: urllib3.PoolManager) -> None:
    """1.4: a changed Record-Total means that FINRA republished in mid-read."""
    at = NOW + timedelta(hours=1)
    world = World(seed=3, symbols=10, restatement_rate=0, events=[Restatement(T1, at, 1, 5)])
    with SimulatorServer(world, lambda: NOW) as running:
        body = {"compareFilters": partition(kind=None), "limit": 1}
        before = int(post(http, running, body).headers["Record-Total"])
        running.clock = lambda: at
        assert int(post(http, running, body).headers["Record-Total"]) > before


# 1.5 No data and errors


def test_no_rows_are_a_204_without_a_body(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.5: 204, record-total 0; a mistyped tier looks the same as an unpublished week."""
    for filters in (partition("OTC"), partition(week="2026-04-13"), equal(issueSymbolIdentifier="nonesuch")):
        response = post(http, server, {"compareFilters": filters})
        assert (response.status, response.data, response.headers["Record-Total"]) == (204, b"", "0")


@pytest.mark.parametrize(
    ("no_data", "accept", "body"),
    [
        ("empty", "application/json", b""),
        ("bare", "application/json", b"[]"),
        ("bare", "text/plain", b"MPID,issueName\n"),
        (
            "message",
            "application/json",
            b'{"statusCode": 200, "message": "No data found for specified dataset request"}',
        ),
    ],
)
def test_older_forms_of_no_rows(http: urllib3.PoolManager, no_data: Any, accept: str, body: bytes) -> None:
    """1.5: official pages and years differ."""
    with SimulatorServer(WORLD, lambda: NOW, options=Options(no_data=no_data)) as running:
        asked = {"compareFilters": partition("OTC"), "fields": ["MPID", "issueName"]}
        response = post(http, running, asked, Accept=accept)
    assert (response.status, response.data) == (200, body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"compareFilters": equal(weekStartDate="03/02/2026")},
            "Invalid date field format. Must be yyyy-MM-dd or yyyy-MM-dd HH:mm:ss.SSS",
        ),
        ({"compareFilters": equal(nonesuch="1")}, "Invalid field name 'nonesuch' for dataset weeklySummary"),
        ({"fields": ["nonesuch"]}, "Invalid field name 'nonesuch' for dataset weeklySummary"),
        ({"limit": "many"}, "limit is not a number"),
    ],
)
def test_a_bad_request_is_a_400_in_finras_form(
    http: urllib3.PoolManager, server: SimulatorServer, body: dict[str, Any], message: str
) -> None:
    """1.5: the JSON form of an error; the first message is official."""
    response = post(http, server, body)
    error = response.json()
    assert response.status == error["statusCode"] == 400
    assert error["statusDescription"] == "Bad Request"
    assert error["message"] == message
    assert error["requestId"] == response.headers["FINRA-api-request-id"]
    assert error["dataRequest"]["datasetName"] == "weeklySummary"
    assert error["dataRequest"]["compareFilters"] == body.get("compareFilters", [])


def test_a_date_may_have_a_time(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.3: `yyyy-MM-dd HH:mm:ss.SSS`."""
    filters = equal(weekStartDate=f"{MONDAY} 00:00:00.000", tierIdentifier="T1")
    assert {row["weekStartDate"] for row in fetch(http, server, {"compareFilters": filters})} == {MONDAY}


def test_a_body_that_is_not_json_is_refused(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.5: 400 and 415 are among the listed codes."""
    url = server.url + SUMMARY
    assert http.request("POST", url, body=b"{", headers={"Content-Type": "application/json"}).status == 400
    assert http.request("POST", url, body=b"{}", headers={"Content-Type": "text/xml"}).status == 415


# 1.6 Partitions


def test_partitions_are_weeks_and_tiers_newest_first(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """1.6: T1 is two weeks ahead of the others; NA has what all tiers have."""
    listing = http.request("GET", f"{server.url}/partitions/group/otcMarket/name/weeklySummary").json()
    assert (listing["datasetGroup"], listing["datasetName"]) == ("otcmarket", "weeklysummary")
    assert listing["partitionFields"] == ["weekStartDate", "tierIdentifier"]
    keys = [tuple(item["partitions"]) for item in listing["availablePartitions"]]
    assert [week for week, _tier in keys] == sorted((week for week, _tier in keys), reverse=True)
    newest = {tier: max(week for week, each in keys if each == tier) for tier in ("T1", "T2", "OTCE", "NA")}
    assert newest == {"T1": "2026-03-30", "T2": "2026-03-16", "OTCE": "2026-03-16", "NA": "2026-03-16"}
    assert len(keys) == 10 + 3 * 8


def test_without_partitions_a_200_says_so(http: urllib3.PoolManager) -> None:
    """1.5: `{"statusCode":200,"message":"No partitions found..."}` in the body."""
    with SimulatorServer(WORLD, lambda: datetime(2026, 1, 1, tzinfo=timezone.utc)) as running:
        got = http.request("GET", f"{running.url}/partitions/group/otcMarket/name/weeklySummary")
    assert got.status == 200
    assert got.json()["message"].startswith("No partitions found")


def test_the_week_of_november_2023_has_a_fifth_tier(http: urllib3.PoolManager) -> None:
    """4: partition (2023-11-06, NMS) holds T1-described rows besides the normal T1 partition of that week."""
    world = World(symbols=5, first_week=date(2023, 11, 10), restatement_rate=0)
    with SimulatorServer(world, lambda: datetime(2023, 12, 12, tzinfo=timezone.utc)) as running:
        rows = fetch(http, running, {"compareFilters": partition("NMS", week="2023-11-06")})
        normal = fetch(http, running, {"compareFilters": partition("T1", week="2023-11-06")})
    assert {(row["tierIdentifier"], row["tierDescription"]) for row in rows} == {("NMS", "NMS Tier 1")}
    assert len(rows) == len(normal)


# 1.7 Async


def test_an_asynchronous_request_is_polled_and_then_fetched_elsewhere(
    http: urllib3.PoolManager, server: SimulatorServer
) -> None:
    """1.7: 202 with Location; 202 while pending; 200 with resultLink; no cap of 5000 rows."""
    body = {"compareFilters": partition(kind=None), "limit": 100_000, "async": True}
    started = post(http, server, body)
    assert (started.status, started.json()["checkStatusLink"]) == (202, started.headers["Location"])
    assert http.request("GET", started.headers["Location"]).status == 202
    done = http.request("GET", started.headers["Location"])
    assert (done.status, done.json()["status"]) == (200, "complete")
    rows = http.request("GET", done.json()["resultLink"]).json()
    assert len(rows) == int(post(http, server, {**body, "async": False}).headers["Record-Total"])
    assert http.request("GET", done.json()["resultLink"], headers={"Authorization": "Bearer x"}).status == 400


def test_the_result_of_an_asynchronous_request_expires_two_hours_after_it_is_complete(
    http: urllib3.PoolManager,
) -> None:
    """1.7: `expires` beside the resultLink; until the request is complete there is nothing to fetch."""
    with SimulatorServer(WORLD, lambda: NOW) as running:
        status = post(http, running, {"limit": 1, "async": True}).headers["Location"]
        early = f"{running.url}/async-results/{status.rpartition('/')[2]}"
        assert (http.request("GET", status).status, http.request("GET", early).status) == (202, 403)
        done = http.request("GET", status).json()
        assert done["expires"] == "2026-04-20 14:00:00 UTC"
        running.clock = lambda: NOW + timedelta(minutes=119)
        assert http.request("GET", status).json() == done
        assert http.request("GET", done["resultLink"]).status == 200
        running.clock = lambda: NOW + timedelta(hours=2)
        assert http.request("GET", done["resultLink"]).status == 403


# 1.8 CSV


@pytest.mark.parametrize("accept", ["text/plain", "*/*"])
def test_without_accept_json_the_answer_is_csv(http: urllib3.PoolManager, server: SimulatorServer, accept: str) -> None:
    """1.8: a header line, then one line a record."""
    response = post(http, server, {"compareFilters": partition(), "delimiter": "|", "limit": 5000}, Accept=accept)
    header, *lines = response.data.decode().splitlines()
    assert response.headers["Content-Type"] == "text/plain"
    assert tuple(header.split("|")) == FIELDS
    assert len(lines) == int(response.headers["Total-Records-On-Page"])
    assert all(line.count("|") == 16 for line in lines)


@pytest.mark.parametrize("delimiter", [",", "|", "\t", "\x01"])
def test_quoted_csv_survives_any_delimiter(http: urllib3.PoolManager, server: SimulatorServer, delimiter: str) -> None:
    """1.8: quoteValues quotes values that are not empty; issueName holds commas."""
    body = {"compareFilters": partition(), "delimiter": delimiter, "quoteValues": True, "limit": 5000}
    text = post(http, server, body, Accept="text/plain").data.decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True))
    assert sorted((r["issueSymbolIdentifier"], r["issueName"], r["MPID"]) for r in rows) == sorted(
        (row.symbol or "", row.issue_name or "", row.mpid) for row in WORLD.rows(T1, NOW) if row.mpid
    )
    assert '""' not in text


@pytest.mark.parametrize("delimiter", [",", "|"])
def test_names_with_delimiters_and_quotes_need_quoted_csv(http: urllib3.PoolManager, delimiter: str) -> None:
    """1.8, 6b: a name with `|` is plausible; quotes within a quoted value are doubled."""
    world = evolve(WORLD, delimiters_in_names=True)
    names = {row.issue_name or "" for row in world.rows(T1, NOW)}
    body = {"compareFilters": partition(), "delimiter": delimiter, "quoteValues": True, "limit": 5000}
    with SimulatorServer(world, lambda: NOW) as server:
        quoted = post(http, server, body, Accept="text/plain").data.decode()
        plain = post(http, server, {**body, "quoteValues": False}, Accept="text/plain").data.decode()
    read = {row["issueName"] for row in csv.DictReader(io.StringIO(quoted), delimiter=delimiter, strict=True)}
    assert read == {row.issue_name or "" for row in world.rows(T1, NOW) if row.mpid}
    assert all(any(mark in name for name in read) for mark in ("|", '"'))
    assert read <= names
    assert {line.count("|") for line in plain.splitlines()} > {0 if delimiter == "," else 16}


# 2 Cuts of the same volume


@pytest.mark.parametrize("tier", ["T1", "T2", "OTCE"])
def test_firm_rows_sum_to_symbol_rows_and_to_venue_rows(
    http: urllib3.PoolManager, server: SimulatorServer, tier: str
) -> None:
    """2: *_SMBL and *_SMBL_FIRM are two cuts of the same volume; De Minimis Firms have no line in *_W_FIRM."""
    totals: dict[str, Decimal] = {}
    small = Decimal(0)
    for row in page_by_page(http, server, {"compareFilters": partition(tier, None), "limit": 5000}):
        kind, quantity = row["summaryTypeCode"], Decimal(row["totalWeeklyShareQuantity"])
        totals[kind] = totals.get(kind, Decimal(0)) + quantity
        small += quantity if row["marketParticipantName"] == "De Minimis Firms" else 0
    assert totals["ATS_W_SMBL_FIRM"] == totals["ATS_W_SMBL"] == totals["ATS_W_FIRM"]
    assert totals["OTC_W_SMBL_FIRM"] == totals["OTC_W_SMBL"] == totals["OTC_W_FIRM"] + small
    assert small > 0


def test_market_totals_are_six_rows_of_the_tier_na(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """2: VOL_STATS in tier NA, six a week; no symbol, no venue."""
    rows = fetch(http, server, {"compareFilters": partition("NA", None)})
    assert len(rows) == 6
    assert {row["summaryTypeCode"] for row in rows} == {"ATS_W_VOL_STATS", "OTC_W_VOL_STATS"}
    nothing = ("issueSymbolIdentifier", "issueName", "MPID", "firmCRDNumber", "marketParticipantName")
    assert {row[name] for row in rows for name in nothing} == {None}


def test_notionals_are_integers_until_march_2025_and_in_e_notation_after(http: urllib3.PoolManager) -> None:
    """2: `9.763054589653116E9`."""
    world = World(symbols=60, first_week=date(2025, 3, 7), restatement_rate=0)
    with SimulatorServer(world, lambda: APRIL) as running:
        before, after = (
            post(http, running, {"compareFilters": partition(week=week), "fields": ["totalNotionalSum"]}).data
            for week in ("2025-03-03", "2025-03-10")
        )
    assert all(isinstance(row["totalNotionalSum"], int) for row in json.loads(before))
    assert b"E7}" in after
    truth = {
        row.notional_micros for row in world.rows(Partition(date(2025, 3, 14), Tier.NMS_TIER_1), APRIL) if row.mpid
    }
    exact = [Decimal(row["totalNotionalSum"]) * MICROS for row in json.loads(after, parse_float=Decimal)]
    assert set(exact) <= truth
    assert all(isinstance(row["totalNotionalSum"], float) for row in json.loads(after))


APRIL = datetime(2025, 4, 30, tzinfo=timezone.utc)


# 3 weeklyDownloadDetails


def test_download_details_list_the_weeks_of_a_type_and_tier(http: urllib3.PoolManager, server: SimulatorServer) -> None:
    """3: one row for each; may be sorted with only type and tier given, as FINRA's own site does."""
    body = {
        "compareFilters": equal(summaryTypeCode="ATS_W_SMBL", tierIdentifier="T1"),
        "fields": ["weekStartDate"],
        "sortFields": ["-weekStartDate"],
        "limit": 52,
    }
    response = post(http, server, body, "/data/group/otcMarket/name/weeklyDownloadDetails")
    weeks = [row["weekStartDate"] for row in response.json()]
    assert (weeks[0], weeks[-1], len(weeks)) == ("2026-03-30", "2026-01-26", 10)
    assert weeks == sorted(weeks, reverse=True)
    assert response.headers["Record-Total"] == "10"


# 4 Historic

HISTORIC = "/data/group/otcMarket/name/weeklySummaryHistoric"


@pytest.fixture
def later() -> Iterator[SimulatorServer]:
    with SimulatorServer(WORLD, lambda: NOW + timedelta(days=400)) as running:
        yield running


def test_historic_data_are_asked_for_by_week_or_month(http: urllib3.PoolManager, later: SimulatorServer) -> None:
    """2 and 4: historicalWeek and historicalMonth are echoed, the month by its first day."""
    by_week = fetch(http, later, {"compareFilters": equal(historicalWeek=MONDAY), "limit": 5}, HISTORIC)
    by_month = fetch(http, later, {"compareFilters": equal(historicalMonth="2026-03"), "limit": 5}, HISTORIC)
    assert {(row["historicalWeek"], row["historicalMonth"]) for row in by_week} == {(MONDAY, "2026-03-01")}
    assert {row["historicalMonth"] for row in by_month} == {"2026-03-01"}


def test_a_historic_day_that_is_no_monday_means_its_week_or_nothing(
    http: urllib3.PoolManager, later: SimulatorServer
) -> None:
    """4, as finra-py documents it: historicalWeek finds the day's week, weekStartDate finds no data."""
    by_day = fetch(http, later, {"compareFilters": equal(historicalWeek="2026-03-04"), "limit": 5}, HISTORIC)
    assert {row["weekStartDate"] for row in by_day} == {MONDAY}
    assert post(http, later, {"compareFilters": equal(weekStartDate="2026-03-04")}, HISTORIC).status == 204


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"compareFilters": equal(historicalMonth="March")},
        {"compareFilters": equal(weekStartDate=MONDAY, historicalMonth="2026-03")},
        {"compareFilters": equal(weekStartDate=MONDAY, summaryTypeCode="ATS_W_SMBL")},
        {"compareFilters": equal(weekStartDate=MONDAY, tierIdentifier="T1"), "sortFields": ["MPID"]},
    ],
)
def test_historic_data_allow_one_period_a_tier_and_no_sorting(
    http: urllib3.PoolManager, later: SimulatorServer, body: dict[str, Any]
) -> None:
    """4: exactly one of three periods, optionally tierIdentifier, nothing else, no sort."""
    assert post(http, later, body, HISTORIC).status == 400


# The version of a partition, as the design asks for it


def test_the_newest_update_and_the_number_of_rows_take_one_tiny_request(http: urllib3.PoolManager) -> None:
    """1.3 and 4: lastUpdateDate is per row, and a partition can be sorted by it."""
    at = NOW - timedelta(days=3)
    world = World(seed=3, symbols=10, restatement_rate=0, events=[Restatement(T2, at, 2, 1, 3)])
    body = {
        "compareFilters": partition("T2", None),
        "domainFilters": [{"fieldName": "summaryTypeCode", "values": ["ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"]}],
        "fields": ["lastUpdateDate"],
        "sortFields": ["-lastUpdateDate"],
        "limit": 1,
    }
    with SimulatorServer(world, lambda: NOW) as running:
        response = post(http, running, body)
        logged = running.requests[-1]
    version = world.version(T2, NOW)
    assert version is not None
    assert response.json() == [{"lastUpdateDate": "2026-04-17"}]
    assert version.last_update_date == date(2026, 4, 17)
    assert int(response.headers["Record-Total"]) == version.row_count
    assert (logged.kind, logged.partition) == ("probe", T2)


# 6b Rows of older weeks updated since a day


RESTATED = World(
    seed=11,
    symbols=4,
    ats=3,
    firms=3,
    first_week=date(2025, 12, 5),
    restatement_rate=1,
    events=[Delay(Partition(date(2026, 1, 9), Tier.OTC), datetime(2026, 3, 3, 16, tzinfo=timezone.utc))],
)


def updated_since(day: str, before: str) -> list[dict[str, str]]:
    return [
        {"fieldName": "lastUpdateDate", "compareType": "GTE", "fieldValue": day},
        {"fieldName": "weekStartDate", "compareType": "LESSER", "fieldValue": before},
    ]


@pytest.mark.parametrize("day", ["2026-01-26", "2026-02-16", "2026-03-03", "2026-03-16", "2026-04-20"])
def test_rows_of_older_weeks_updated_since_a_day_come_from_all_partitions(http: urllib3.PoolManager, day: str) -> None:
    """6b: no partition key has an EQUAL filter; the answer is all such rows of all tiers."""
    since, monday = date.fromisoformat(day), date(2026, 2, 9)
    expected = [
        (str(p.week_start), p.tier.finra_code, row.symbol or "", row.mpid or "", row.crd)
        for p in RESTATED.published(NOW)
        if p.week_start < monday
        for row in RESTATED.rows(p, NOW)
        if row.last_update_date >= since
    ]
    kinds = [{"fieldName": "summaryTypeCode", "values": ["ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"]}]
    body = {"compareFilters": updated_since(day, str(monday)), "domainFilters": kinds, "limit": 5000}
    with SimulatorServer(RESTATED, lambda: NOW) as server:
        response = post(http, server, body)
        assert server.counts == {"restatements": 1}
    rows = json.loads(response.data) if response.status == 200 else []
    names = ("weekStartDate", "tierIdentifier", "issueSymbolIdentifier", "MPID", "firmCRDNumber")
    found = [tuple(row[name] if name == "firmCRDNumber" else row[name] or "" for name in names) for row in rows]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_market_totals_are_as_new_as_the_newest_tier(http: urllib3.PoolManager) -> None:
    """6b, 2: the rows of tier NA are sums over the three tiers."""
    since = date(2026, 2, 16)
    newest: dict[date, date] = {}
    for p in RESTATED.published(NOW):
        days = [row.last_update_date for row in RESTATED.rows(p, NOW)]
        newest[p.week_start] = max(newest.get(p.week_start, date.min), *days)
    weeks = {str(week) for week, day in newest.items() if day >= since and week < date(2026, 2, 9)}
    body = {
        "compareFilters": [*updated_since(str(since), "2026-02-09"), *equal(tierIdentifier="NA")],
        "fields": ["weekStartDate"],
    }
    with SimulatorServer(RESTATED, lambda: NOW) as server:
        assert {row["weekStartDate"] for row in fetch(http, server, body)} == weeks


def test_a_filter_can_be_ignored_or_refused(http: urllib3.PoolManager) -> None:
    """6b: filters were seen ignored; whether this question is answered is not known."""
    body = {"compareFilters": updated_since("2026-04-20", "2026-02-09"), "limit": 1}
    with SimulatorServer(RESTATED, lambda: NOW) as server:
        assert post(http, server, body).status == 204
    with SimulatorServer(RESTATED, lambda: NOW, options=Options(ignored_filters=["lastUpdateDate"])) as server:
        response = post(http, server, body)
        assert response.status == 200
        assert int(response.headers["Record-Total"]) > 1
    with SimulatorServer(RESTATED, lambda: NOW, options=Options(refused_filters=["lastUpdateDate"])) as server:
        response = post(http, server, body)
        assert response.status == 400
        assert json.loads(response.data)["message"] == "Filtering by lastUpdateDate is not supported"


def test_shares_may_be_printed_as_sums_of_doubles(http: urllib3.PoolManager) -> None:
    """6b: how FINRA prints sums of fractions is unknown; one that adds doubles prints 32497.333333000002."""
    world = evolve(WORLD, noise_in_numbers=True)
    exact: dict[tuple[Any, ...], Decimal] = {}
    printed: dict[tuple[Any, ...], Decimal] = {}
    for noise, found in ((WORLD, exact), (world, printed)):
        with SimulatorServer(noise, lambda: NOW) as running:
            for row in page_by_page(http, running, {"compareFilters": partition(kind=None), "limit": 5000}):
                key = tuple(row[name] for name in FIELDS if name != "totalWeeklyShareQuantity")
                found[key] = row["totalWeeklyShareQuantity"]
    assert exact.keys() == printed.keys()
    assert all(round(Decimal(printed[key]), 6) == Decimal(value) for key, value in exact.items())
    noisy = {key for key, value in exact.items() if str(printed[key]) != str(value)}
    assert all(exact[key] % 1 for key in noisy)
    kinds = {key[FIELDS.index("summaryTypeCode") - 1] for key in noisy}
    assert kinds == {"OTC_W_SMBL_FIRM", "OTC_W_SMBL", "OTC_W_FIRM"}
