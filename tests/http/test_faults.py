"""Whatever goes wrong with whichever request: right data, or one SourceError that says what happened."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceDataError, SourceError, SourceRejectedError, SourceUnavailableError
from finra_http import HttpSource
from support.byte_server import RESET, STALL, Seen, answer, serving
from support.one_partition_server import CREDENTIALS, HEADER, PARTITION, Change, Desk, Time, always, connect, once

KINDS = ("listing", "token", "probe", "page")
PAGE_OF_THE_NETWORK = "<!DOCTYPE html>\n<html><body>Error 1020\nAccess denied</body></html>"


def cut(_seen: Seen, sound: bytes) -> bytes:
    return sound[:-9]


def chunked(_seen: Seen, sound: bytes, *, whole: bool = False) -> bytes:
    head, _, body = sound.partition(b"\r\n\r\n")
    kept = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
    chunk = f"{len(body):x}\r\n".encode() + (body if whole else body[:-9])
    return kept + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + (b"\r\n0\r\n\r\n" if whole else b"")


def cut_inside_gzip(seen: Seen, sound: bytes) -> bytes:
    body = gzip.compress(sound.partition(b"\r\n\r\n")[2])[:-4]
    return answer(
        body, media_type="application/json" if seen.method == "GET" else "text/plain", Content_Encoding="gzip"
    )


def bomb() -> bytes:
    """A small gzip body that inflates to 64 MiB."""
    packer = zlib.compressobj(9, wbits=31)
    mebibyte = bytes(1024 * 1024)
    body = b"".join(packer.compress(mebibyte) for _ in range(64)) + packer.flush()
    return answer(body, Content_Encoding="gzip")


def status(code: int, text: str = "") -> bytes:
    return answer(text, status=code, FINRA_api_request_id="req-err")


PASSING: dict[str, tuple[Change, int | None]] = {
    "429": (always(status(429)), 429),
    "500": (always(status(500)), 500),
    "502": (always(status(502, PAGE_OF_THE_NETWORK)), 502),
    "503": (always(status(503)), 503),
    "504": (always(status(504)), 504),
    "503, then a broken explanation": (always(status(503, "x" * 50)[:-20]), 503),
    "reset": (always(RESET), None),
    "closed without an answer": (always(b""), None),
    "no HTTP": (always(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), None),
    "headers only": (always(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"), None),
    "cut off": (cut, None),
    "cut off in a chunk": (chunked, None),
    "cut off within gzip": (cut_inside_gzip, 200),
    "broken gzip": (always(answer(b"\x1f\x8b no gzip at all", Content_Encoding="gzip")), 200),
    "an encoding not asked for": (always(answer(b"abc", Content_Encoding="br")), 200),
    "a web page": (always(answer(PAGE_OF_THE_NETWORK, media_type="text/html")), 200),
    "a web page as text": (always(answer(PAGE_OF_THE_NETWORK)), 200),
    "a line of text": (always(answer("service not available")), 200),
    "status 500 in JSON": (
        always(answer('{"statusCode": 500, "message": "oops"}', media_type="application/json")),
        500,
    ),
    "JSON of the wrong kind": (always(answer("[1, 2]", media_type="application/json")), 200),
    "broken JSON": (always(answer('{"statusCode": ', media_type="application/json")), 200),
    "deep JSON": (always(answer("[" * 20_000, media_type="application/json")), 200),
}
REFUSALS = (302, 400, 401, 403, 404, 405, 406, 409, 415, 202)


def ask(kind: str, source: HttpSource) -> None:
    """Make a request of this kind, and check what comes back."""
    if kind == "probe":
        assert source.probe(PARTITION) == SourceVersion(PARTITION.week_start.replace(2026, 2, 3), 16)
    elif kind == "page":
        document = source.fetch(PARTITION).documents[0].decode()
        assert document.splitlines() == [HEADER, *Desk().rows]
    else:
        assert source.list_partitions().partitions == {PARTITION}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_a_retry_and_no_data(kind: str, fault: str) -> None:
    desk = Desk(changes={kind: once(PASSING[fault][0])})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        ask(kind, source)
        source.close()
    assert desk.count()[kind] == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_stays_is_one_error_with_its_status(kind: str, fault: str) -> None:
    change, code = PASSING[fault]
    desk = Desk(changes={kind: change})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        with pytest.raises(SourceUnavailableError) as caught:
            ask(kind, source)
        source.close()
    assert caught.value.status_code == code
    if code is not None:
        assert caught.value.message.startswith(f"API fetch failed (HTTP {code}) for ")
    assert "\n" not in caught.value.message
    assert caught.value.partition == (PARTITION if kind in ("probe", "page") else None)
    assert desk.count()[kind] == 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_not_asked_again(kind: str, code: int) -> None:
    desk = Desk(changes={kind: always(status(code, '{"statusCode": 400, "message": "Invalid\\nfield"}'))})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        with pytest.raises(SourceRejectedError) as caught:
            ask(kind, source)
        source.close()
    assert (caught.value.status_code, caught.value.request_id) == (code, "req-err")
    assert caught.value.message.startswith(f"API fetch failed (HTTP {code}) for ")
    assert "request id req-err: Invalid field" in caught.value.message
    # A 401 on a data request is worth a new token, once.
    assert desk.count()[kind] == (2 if code == 401 and kind != "token" else 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [bomb(), answer(b"x" * 9_000_000)], ids=["bomb", "large"])
def test_an_answer_beyond_its_bound_is_not_read_on(kind: str, content: bytes) -> None:
    desk = Desk(changes={kind: always(content)})
    with serving(desk) as url:
        source = connect(url, CREDENTIALS)
        with pytest.raises(SourceDataError, match=r"API fetch failed \(HTTP 200\) for .* bytes"):
            ask(kind, source)
        assert source.usage().bytes_received < 3_300_000
        source.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_says_nothing_is_left_at_the_deadline(kind: str) -> None:
    desk = Desk(changes={kind: always(STALL)})
    with serving(desk) as url:
        source = connect(url, {**CREDENTIALS, "FINRA_DEADLINE": "0.3"})
        with pytest.raises(SourceUnavailableError, match=r"^API fetch failed \(time-out\)"):
            ask(kind, source)
        source.close()


def test_a_dead_host_is_one_error() -> None:
    with serving(Desk()) as url:
        pass
    source = connect(url)
    with pytest.raises(SourceUnavailableError, match=r"^API fetch failed \(no connection\) for the list") as caught:
        source.list_partitions()
    source.close()
    assert caught.value.status_code is None


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    desk = Desk()
    with serving(desk, Path(__file__).with_name("untrusted.pem")) as url:
        source = connect(url)
        with pytest.raises(SourceUnavailableError, match=r"^API fetch failed \(TLS error\).*certificate"):
            source.list_partitions()
        source.close()
    assert desk.seen == []


def test_the_message_names_the_status_the_partition_and_the_request() -> None:
    with serving(Desk(changes={"page": always(status(503))})) as url:
        source = connect(url)
        with pytest.raises(SourceUnavailableError) as caught:
            source.fetch(PARTITION)
        source.close()
    assert caught.value.message == (
        "API fetch failed (HTTP 503) for 2026-01-02 / OTC, request id req-err: Service Unavailable; "
        "gave up after 6 tries; run again later"
    )
    assert caught.value.request_id == "req-err"


def test_refusals_without_credentials_say_which_settings_to_give() -> None:
    for code in (401, 403):
        with serving(Desk(changes={"listing": always(status(code))})) as url:
            source = connect(url)
            with pytest.raises(SourceRejectedError, match="set FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"):
                source.list_partitions()
            source.close()


def test_an_answer_in_chunks_is_read_whole() -> None:
    desk = Desk(changes={"page": lambda seen, sound: chunked(seen, sound, whole=True)})
    with serving(desk) as url:
        source = connect(url)
        ask("page", source)
        source.close()


def test_pauses_double_up_to_a_limit() -> None:
    time = Time()
    with serving(Desk(changes={"probe": always(status(503))})) as url:
        source = connect(url, time=time)
        with pytest.raises(SourceUnavailableError):
            source.probe(PARTITION)
        source.close()
    assert time.sleeps[-5:] == [0.5, 1, 2, 4, 8]


@pytest.mark.parametrize(
    ("header", "pause"),
    [("7", 7.0), ("0", 0.5), ("Tue, 10 Feb 2026 12:00:30 GMT", 30.0), ("Mon, 09 Feb 2026 12:00:30 GMT", 0.5)],
)
def test_retry_after_is_honored_in_both_its_forms(header: str, pause: float) -> None:
    time = Time()
    desk = Desk(changes={"probe": once(always(answer(status=429, Retry_After=header)))})
    with serving(desk) as url:
        source = connect(url, time=time)
        assert source.probe(PARTITION) is not None
        source.close()
    assert max(time.sleeps) == pause


@pytest.mark.parametrize("header", ["61", "86400", "9" * 400, "Tue, 10 Feb 2099 12:00:30 GMT"])
def test_a_long_retry_after_ends_the_attempt_at_once(header: str) -> None:
    time = Time()
    desk = Desk(changes={"probe": always(answer(status=429, Retry_After=header))})
    with serving(desk) as url:
        source = connect(url, time=time)
        with pytest.raises(SourceUnavailableError, match="it asks to wait"):
            source.probe(PARTITION)
        source.close()
    assert desk.count()["probe"] == 1
    assert max(time.sleeps, default=0) < 1


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "²", "Tue, 99 Foo 2026"])
def test_a_malformed_retry_after_counts_as_none(header: str) -> None:
    desk = Desk(changes={"probe": once(always(answer(status=429, Retry_After=header)))})
    with serving(desk) as url:
        source = connect(url)
        assert source.probe(PARTITION) is not None
        source.close()


def test_pauses_do_not_pass_the_deadline() -> None:
    time = Time()
    with serving(Desk(changes={"probe": always(status(503))})) as url:
        source = connect(url, {"FINRA_DEADLINE": "3"}, time)
        with pytest.raises(SourceUnavailableError, match="gave up after 3 tries"):
            source.probe(PARTITION)
        source.close()
    assert time.now < 1003


def test_a_redirect_is_not_followed() -> None:
    def elsewhere(_seen: Seen) -> bytes:
        pytest.fail("followed")

    with serving(elsewhere) as other:
        moved = always(answer(status=307, Location=f"{other}/x"))
        with serving(Desk(changes={"listing": moved})) as url:
            source = connect(url, CREDENTIALS)
            with pytest.raises(SourceError, match="HTTP 307"):
                source.list_partitions()
            source.close()
