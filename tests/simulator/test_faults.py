"""What goes wrong on demand, seen from a client's side of the wire."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from http.client import IncompleteRead
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from urllib3.util import make_headers

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_simulator import Restatement, World
from finra_simulator.http import Fault, RandomFaults, SimulatorServer, serve
from finra_simulator.http.faults import STATUSES, TRANSIENT

NOW = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
T1, T2 = (Partition(date(2026, 3, 6), tier) for tier in (Tier.NMS_TIER_1, Tier.NMS_TIER_2))
RESTATED = NOW + timedelta(hours=2)
WORLD = World(
    seed=3, symbols=10, first_week=date(2026, 2, 27), restatement_rate=0, events=[Restatement(T1, RESTATED, 1, 4)]
)
SUMMARY = "/data/group/otcMarket/name/weeklySummary"


@pytest.fixture(scope="module")
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=10, maxsize=8) as pool:
        yield pool


def served(*faults: Fault, **more: Any) -> SimulatorServer:
    return SimulatorServer(WORLD, lambda: NOW, faults=faults, **more)


def ask(http: urllib3.PoolManager, server: SimulatorServer, tier: str = "T1", **body: Any) -> urllib3.BaseHTTPResponse:
    filters = [
        {"fieldName": "weekStartDate", "fieldValue": "2026-03-02", "compareType": "EQUAL"},
        {"fieldName": "tierIdentifier", "fieldValue": tier, "compareType": "EQUAL"},
    ]
    headers = {"Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "gzip"}
    return http.request(
        "POST", server.url + SUMMARY, json={"compareFilters": filters, "limit": 100, **body}, headers=headers
    )


def probe(http: urllib3.PoolManager, server: SimulatorServer, tier: str = "T1") -> int:
    return ask(http, server, tier, limit=1).status


def listing(http: urllib3.PoolManager, server: SimulatorServer) -> int:
    return http.request("GET", f"{server.url}/partitions/group/otcMarket/name/weeklySummary").status


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_comes_once_in_finras_form_and_then_the_answer(http: urllib3.PoolManager, status: Any) -> None:
    with served(Fault(status)) as server:
        failed = ask(http, server)
        assert failed.status == int(status) == failed.json()["statusCode"]
        assert "Retry-After" not in failed.headers
        assert ask(http, server).status == 200


def test_a_throttled_answer_may_say_when_to_come_back(http: urllib3.PoolManager) -> None:
    with served(Fault("429", retry_after=7)) as server:
        assert ask(http, server).headers["Retry-After"] == "7"


def test_a_fault_hits_the_requests_it_is_meant_for(http: urllib3.PoolManager) -> None:
    with served(Fault("503", on="probe", partition=T2, times=2, after=1)) as server:
        assert listing(http, server) == 200
        assert ask(http, server, "T2").status == 200
        assert [probe(http, server, "T1") for _ in range(3)] == [200, 200, 200]
        assert [probe(http, server, "T2") for _ in range(4)] == [200, 503, 503, 200]


@pytest.mark.parametrize("on", ["listing", "probe", "page", "token", "metadata"])
def test_every_kind_of_request_can_fail(http: urllib3.PoolManager, on: Any) -> None:
    with served(Fault("500", on=on, times=99), credentials={"a": "b"}) as server:
        token = f"{server.url}/fip/rest/ews/oauth2/access_token?grant_type=client_credentials"
        statuses = {
            "listing": listing(http, server),
            "probe": probe(http, server),
            "page": ask(http, server).status,
            "token": http.request("POST", token, headers=make_headers(basic_auth="a:b")).status,
            "metadata": http.request("GET", f"{server.url}/metadata/group/otcMarket/name/weeklySummary").status,
        }
        assert server.counts == dict.fromkeys(statuses, 1)
    assert [kind for kind, status in statuses.items() if status == 500] == [on]
    assert [status for kind, status in statuses.items() if kind != on] == [200] * 4


def test_faults_can_be_added_while_it_runs(http: urllib3.PoolManager) -> None:
    with served() as server:
        assert ask(http, server).status == 200
        server.faults.add(Fault("504"))
        assert ask(http, server).status == 504


def test_a_reset_connection_is_reset(http: urllib3.PoolManager) -> None:
    with served(Fault("reset")) as server:
        with pytest.raises(ProtocolError) as raised:
            ask(http, server)
        assert isinstance(raised.value.args[1], ConnectionResetError)
        assert type(raised.value.args[1]) is ConnectionResetError  # RST, not a FIN before the answer
        assert ask(http, server).status == 200


def test_a_truncated_body_is_shorter_than_it_says(http: urllib3.PoolManager) -> None:
    with served(Fault("truncate")) as server:
        with pytest.raises(ProtocolError) as raised:
            ask(http, server)
        assert isinstance(raised.value.args[1], IncompleteRead)
        assert ask(http, server).status == 200


def test_a_silently_truncated_body_ends_in_mid_row_and_is_as_long_as_it_says(http: urllib3.PoolManager) -> None:
    with served(Fault("truncate-silently")) as server:
        cut, whole = ask(http, server), ask(http, server)
    assert cut.status == 200
    assert cut.headers["Record-Total"] == whole.headers["Record-Total"]
    assert whole.data.startswith(cut.data)
    assert 0 < len(cut.data) < len(whole.data)
    with pytest.raises(ValueError, match=r"."):
        json.loads(cut.data)
    assert not cut.data.endswith((b"}", b","))


def test_an_html_page_comes_with_a_200(http: urllib3.PoolManager) -> None:
    with served(Fault("html")) as server:
        response = ask(http, server)
    assert (response.status, response.headers["Content-Type"]) == (200, "text/html")
    assert b"<html>" in response.data


def test_a_stalled_answer_never_comes_and_stopping_ends_it(http: urllib3.PoolManager) -> None:
    with served(Fault("stall", times=2)) as server:
        with urllib3.PoolManager(retries=False, timeout=0.3) as impatient, pytest.raises(ReadTimeoutError):
            ask(impatient, server)
        failures: list[Exception] = []
        waiting = threading.Thread(target=_ask_in_vain, args=(http, server, failures))
        waiting.start()
        while len(server.requests) < 2:
            time.sleep(0.01)
    waiting.join(10)
    assert not waiting.is_alive()
    assert len(failures) == 1


def _ask_in_vain(http: urllib3.PoolManager, server: SimulatorServer, failures: list[Exception]) -> None:
    try:
        ask(http, server)
    except ProtocolError as error:
        failures.append(error)


def test_a_huge_body_has_no_end(http: urllib3.PoolManager) -> None:
    with served(Fault("huge")) as server:
        response = http.request("POST", server.url + SUMMARY, json={"limit": 50}, preload_content=False)
        read = 0
        while read < 20_000_000:
            read += len(response.read(1_000_000))
        response.close()


def test_the_world_may_move_on_between_two_pages(http: urllib3.PoolManager) -> None:
    with served(Fault("republish", on="page", after=1)) as server:
        first, second = ask(http, server), ask(http, server, offset=100)
        assert server.clock() == RESTATED
    assert int(first.headers["Record-Total"]) < int(second.headers["Record-Total"])


def test_where_no_restatement_lies_ahead_republishing_says_so(http: urllib3.PoolManager) -> None:
    with served(Fault("republish")) as server:
        response = ask(http, server, "T2")
    assert response.status == 500
    assert "no restatement of 2026-03-06 / NMS_TIER_2 lies ahead" in response.json()["message"]


def test_an_expired_token_stays_expired_and_a_new_one_works(http: urllib3.PoolManager) -> None:
    with served(Fault("expired-token", on="page"), credentials={"a": "b"}) as server:
        url = f"{server.url}/fip/rest/ews/oauth2/access_token?grant_type=client_credentials"

        def token() -> str:
            got = http.request("POST", url, headers=make_headers(basic_auth="a:b")).json()["access_token"]
            return f"Bearer {got}"

        def status(authorization: str) -> int:
            headers = {"Accept": "application/json", "Authorization": authorization}
            return http.request("POST", server.url + SUMMARY, json={"limit": 50}, headers=headers).status

        old = token()
        assert [status(old), status(old)] == [401, 401]
        assert status(token()) == 200


def test_a_row_of_the_week_before_is_mixed_in(http: urllib3.PoolManager) -> None:
    with served(Fault("wrong-rows")) as server:
        strange, normal = ask(http, server).json(), ask(http, server).json()
    assert Counter(row["weekStartDate"] for row in strange) == {"2026-02-23": 1, "2026-03-02": len(strange) - 1}
    assert {row["weekStartDate"] for row in normal} == {"2026-03-02"}


def outcomes(http: urllib3.PoolManager, seed: int, count: int = 60) -> list[str | None]:
    with served(random_faults=RandomFaults(0.3, seed)) as server:
        for _ in range(count):
            with suppress(ProtocolError):
                probe(http, server)
        return [request.fault for request in server.requests]


def test_chance_faults_are_transient_and_the_same_for_the_same_seed(http: urllib3.PoolManager) -> None:
    first = outcomes(http, 5)
    assert first == outcomes(http, 5) != outcomes(http, 6)
    assert set(first) <= {None, *TRANSIENT}
    assert 0.1 < sum(fault is not None for fault in first) / len(first) < 0.5


def test_a_fault_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        Fault("earthquake")  # type: ignore[arg-type]


def test_the_log_tells_what_was_asked_and_what_was_sent(http: urllib3.PoolManager) -> None:
    with served(Fault("503", after=1)) as server:
        answer = ask(http, server)
        ask(http, server)
        whole, failed = server.requests
    assert (whole.method, whole.path, whole.kind, whole.partition) == ("POST", SUMMARY, "page", T1)
    assert json.loads(whole.body)["limit"] == 100
    assert whole.headers["accept-encoding"] == "gzip"
    assert (whole.status, whole.fault) == (200, None)
    assert whole.bytes_sent == int(answer.headers["Content-Length"])
    assert (failed.status, failed.fault) == (503, "503")


def test_connections_are_kept_alive(http: urllib3.PoolManager) -> None:
    with served() as server, urllib3.HTTPConnectionPool("127.0.0.1", int(server.url.rpartition(":")[2])) as pool:
        for _ in range(5):
            pool.request("POST", SUMMARY, json={"limit": 1})
        assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_answers_can_be_held_back(http: urllib3.PoolManager) -> None:
    with served(latency=0.2) as server:
        began = time.monotonic()
        probe(http, server)
    assert time.monotonic() - began >= 0.2


def test_many_clients_are_served_at_once(http: urllib3.PoolManager) -> None:
    statuses: list[int] = []
    with served() as server:
        threads = [threading.Thread(target=lambda: statuses.append(ask(http, server).status)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.counts == {"page": 16}
    assert statuses == [200] * 16


def test_a_stopped_server_leaves_no_thread_and_frees_its_port(http: urllib3.PoolManager) -> None:
    before = set(threading.enumerate())
    with served() as server:
        probe(http, server)
        port = int(server.url.rpartition(":")[2])
    assert set(threading.enumerate()) == before
    again = serve(WORLD, port=port)
    again.stop()
    assert again.url == server.url
