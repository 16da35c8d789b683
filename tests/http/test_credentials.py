"""Tokens: one at a time, renewed in time and once on a 401; and no secret is ever shown."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from finra_core.domain.errors import FinraError, SourceError, SourceRejectedError
from finra_http import HttpSource
from support.byte_server import Seen, answer, serving
from support.one_partition_server import CREDENTIALS, PARTITION, Change, Desk, Time, always, connect, once


def tokens(*, life: object = 3600) -> Change:
    """tok-1, tok-2 and so on, one per request."""
    issued = iter(range(1, 1000))
    lock = threading.Lock()

    def issue(_seen: Seen, _sound: bytes) -> bytes:
        with lock:
            number = next(issued)
        body = json.dumps({"access_token": f"tok-{number}", "token_type": "Bearer", "expires_in": life})
        return answer(body, media_type="application/json")

    return issue


def bearers(desk: Desk) -> list[str]:
    return [seen.headers.get("authorization", "none") for seen in desk.seen if not seen.path.startswith("/token")]


def test_without_credentials_no_token_is_asked_for() -> None:
    desk = Desk()
    with serving(desk) as url:
        source = connect(url)
        source.fetch(PARTITION)
        source.close()
    assert desk.count()["token"] == 0
    assert set(bearers(desk)) == {"none"}


def test_a_token_is_asked_for_as_oauth2_says_and_used_for_all_requests() -> None:
    desk = Desk(changes={"token": tokens()})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        source.list_partitions()
        source.fetch(PARTITION)
        source.close()
    (request,) = [seen for seen in desk.seen if seen.path.startswith("/token")]
    assert (request.method, request.path) == ("POST", "/token?grant_type=client_credentials")
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"an-id:a-secret!"
    assert bearers(desk) == ["Bearer tok-1"] * 3


@pytest.mark.parametrize("life", [3600, "3600", 3600.0])
def test_a_token_is_renewed_a_minute_before_its_end(life: object) -> None:
    time, desk = Time(), Desk(changes={"token": tokens(life=life)})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS, time)
        for pause in (0, 3539, 2):
            time.sleep(pause)
            source.list_partitions()
        source.close()
    assert bearers(desk) == ["Bearer tok-1", "Bearer tok-1", "Bearer tok-2"]


@pytest.mark.parametrize("life", [None, "soon", [], "[1]", -5, True, float("nan"), 1e999])
def test_a_token_that_does_not_say_its_life_is_kept_for_half_an_hour_at_most(life: object) -> None:
    time, desk = Time(), Desk(changes={"token": tokens(life=life)})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS, time)
        source.list_partitions()
        time.sleep(1741)
        source.list_partitions()
        source.close()
    assert bearers(desk) == ["Bearer tok-1", "Bearer tok-2"]


def test_a_401_is_answered_with_one_new_token() -> None:
    desk = Desk(changes={"token": tokens(), "listing": once(always(answer(status=401)))})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        source.list_partitions()
        source.close()
    assert bearers(desk) == ["Bearer tok-1", "Bearer tok-2"]


def test_a_401_that_stays_is_no_loop() -> None:
    desk = Desk(changes={"token": tokens(), "listing": always(answer(status=401))})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        with pytest.raises(SourceRejectedError, match="check FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"):
            source.list_partitions()
        source.close()
    assert bearers(desk) == ["Bearer tok-1", "Bearer tok-2"]


def test_many_threads_ask_for_one_token() -> None:
    desk = Desk(changes={"token": tokens()})
    with serving(desk) as url, ThreadPoolExecutor(8) as threads:
        source = connect(url, CREDENTIALS)
        list(threads.map(lambda _: source.probe(PARTITION), range(24)))
        source.close()
    assert desk.count() == {"token": 1, "probe": 24}


def test_many_threads_that_meet_a_401_ask_for_one_new_token() -> None:
    def stale(seen: Seen, sound: bytes) -> bytes:
        return answer(status=401) if seen.headers["authorization"] == "Bearer tok-1" else sound

    desk = Desk(changes={"token": tokens(), "probe": stale})
    with serving(desk) as url, ThreadPoolExecutor(8) as threads:
        source = connect(url, CREDENTIALS)
        assert None not in list(threads.map(lambda _: source.probe(PARTITION), range(24)))
        source.close()
    assert desk.count()["token"] == 2


def test_a_token_that_could_not_stand_in_a_header_is_no_token() -> None:
    for text in ("", "a b", "a\r\nX-Evil: 1", "tök", None, 5):
        body = json.dumps({"access_token": text})
        desk = Desk(changes={"token": always(answer(body, media_type="application/json"))})
        with serving(desk) as url:
            source = connect(url, CREDENTIALS)
            with pytest.raises(SourceError, match="no usable access_token"):
                source.list_partitions()
            source.close()


def echo(code: int) -> Change:
    """An answer that repeats the request's headers wherever an answer has room."""

    def repeat(seen: Seen, _sound: bytes) -> bytes:
        told = seen.headers.get("authorization", "") + " " + seen.headers.get("authorization", "") * 40
        decoded = f"{told} a-secret!"
        body = json.dumps({"statusCode": code, "message": decoded})
        return answer(body, status=code, media_type="application/json", FINRA_api_request_id=decoded, Retry_After=1)

    return repeat


def shown(error: FinraError) -> str:
    chain = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return f"{chain}{error!r}{error.message}{error.__dict__}{pickle.dumps(error)!r}"


Act = Callable[[HttpSource], object]


def outcome(act: Act, source: HttpSource) -> str:
    try:
        return repr(act(source))
    except SourceError as error:
        return shown(error)


ACTS: list[Act] = [
    lambda source: source.list_partitions(),
    lambda source: source.probe(PARTITION),
    lambda source: source.fetch(PARTITION),
]


@pytest.mark.parametrize("code", [200, 400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("kind", ["listing", "token", "probe", "page"])
def test_no_secret_is_shown_even_if_the_other_side_repeats_it(
    kind: str, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = Desk(changes={"token": tokens(), kind: echo(code)})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        texts = [outcome(act, source) for act in ACTS]
        texts += [repr(source), repr(vars(source)), repr(source.usage())]
        source.close()
    texts += [record.getMessage() + str(record.exc_info) for record in caplog.records]
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert_nothing_secret("\n".join(texts))


def test_no_secret_is_in_the_payload(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(Desk(changes={"token": tokens()})) as url:
        source = connect(url, CREDENTIALS)
        payload = source.fetch(PARTITION)
        source.close()
    assert payload.source_url == f"{url}/data/group/otcMarket/name/weeklySummary"
    assert_nothing_secret(repr(payload) + payload.documents[0].decode() + caplog.text)


def assert_nothing_secret(text: str) -> None:
    basic = base64.b64encode(b"an-id:a-secret!").decode()
    for secret in ("a-secret!", basic, basic[:12], "tok-1", "tok-2"):
        assert secret not in text
