"""One HTTP request and its answer: connections, TLS, proxies, time-outs, bounds. No retries, no meaning."""

from __future__ import annotations

import http.client
import importlib
import importlib.util
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

import urllib3
from attrs import field, frozen
from urllib3 import BaseHTTPResponse, exceptions
from urllib3.util import Url

import finra_core
from finra_http.limits import Deadline, Tally
from finra_http.problems import BadDataError, FaultError, ProblemError, one_line
from finra_http.query import Request
from finra_http.settings import parse_address

USER_AGENT = f"finra-core/{finra_core.__version__} (+https://pypi.org/project/finra-core/)"
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
"""Between two arrivals of bytes. FINRA needs about 1.5 s for a page of 5,000 rows."""

MAX_BODY = 8 * 1024 * 1024
"""Bytes of one answer after decompression. FINRA's own cap for a synchronous answer is 3 MB."""

_CHUNK = 64 * 1024
_CONNECTIONS = 32


@frozen
class Reply:
    """A whole answer, decompressed. `headers` compare without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def request_id(self) -> str | None:
        """FINRA's own name for the request, for questions to FINRA."""
        return _request_id(self.headers)

    def count(self, header: str) -> int | None:
        """A header that is a number of rows; None where there is none."""
        text = self.headers.get(header, "").strip()
        return int(text) if text.isascii() and text.isdigit() else None


class Transport:
    """Connections to one host, for any number of threads."""

    def __init__(self, address: str, proxies: Mapping[str, str]) -> None:
        self._address = address
        self._pool = _open_pool(address, proxies)

    def exchange(self, request: Request, authorization: str | None, tally: Tally, deadline: Deadline) -> Reply:
        """Send the request once and read its answer, whatever the status.

        Raises:
            FaultError: no whole answer came.
            BadDataError: the answer passed the tally's bound, or MAX_BODY.
        """
        left = deadline.remaining()
        if not left:
            raise FaultError("no time was left for it", outcome="time-out")
        try:
            response = self._pool.request(
                request.method,
                self._address + request.path,
                body=request.body,
                headers=_headers(request, authorization),
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=min(READ_SECONDS, left)),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                return Reply(response.status, response.headers, _read(response, tally, deadline))
            finally:
                # A body that was read to its end has given its connection back; any other must not be used again.
                response.close()
        except (exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise _fault(error) from None

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.clear()


def _headers(request: Request, authorization: str | None) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Accept": request.accept, "Accept-Encoding": "gzip"}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if authorization is not None:
        headers["Authorization"] = authorization
    return headers


# Reading a body. The bytes are taken as they come over the network and inflated here: so they can be counted, and a
# small body that inflates without end is given up after MAX_BODY bytes.


def _read(response: BaseHTTPResponse, tally: Tally, deadline: Deadline) -> bytes:
    try:
        return read_body(response, tally, deadline)
    except (exceptions.HTTPError, ProblemError) as error:
        if response.status != HTTPStatus.OK:
            return b""  # the status says what went wrong; a broken explanation must not hide it
        if isinstance(error, ProblemError):
            error.answered(response.status, _request_id(response.headers))
        raise


def read_body(response: BaseHTTPResponse, tally: Tally, deadline: Deadline) -> bytes:
    """The whole body, decompressed.

    Raises:
        BadDataError: it passes the tally's bound, or MAX_BODY.
        FaultError: it is broken or not over when the deadline is.
        urllib3.exceptions.HTTPError: the connection failed or ended before the body.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    chunks = _chunks(response, tally, deadline)
    if encoding in ("", "identity") or response.headers.get("Content-Length") == "0":
        return _join(chunks)
    if encoding not in ("gzip", "x-gzip"):
        raise FaultError("a content encoding that was not asked for")
    try:
        return _gunzip(chunks)
    except zlib.error:
        raise FaultError("broken gzip data") from None


def _chunks(response: BaseHTTPResponse, tally: Tally, deadline: Deadline) -> Iterator[bytes]:
    # read1 returns what has arrived: a body that comes in drops cannot outlast the deadline.
    while chunk := response.read1(min(_CHUNK, tally.left), decode_content=False):
        tally.received += len(chunk)
        if not tally.left:
            raise BadDataError(f"the answer takes more than {tally.bound:,} bytes")
        if not deadline.remaining():
            raise FaultError("the answer was not over in time", outcome="time-out")
        yield chunk


def _join(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        _check_size(body)
    return bytes(body)


def _gunzip(chunks: Iterable[bytes]) -> bytes:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    body = bytearray()
    for chunk in chunks:
        body += inflater.decompress(chunk, MAX_BODY + 1 - len(body))
        _check_size(body)
    if not inflater.eof or inflater.unused_data:
        raise FaultError("the gzip data does not end where the answer does")
    return bytes(body)


def _check_size(body: bytearray) -> None:
    if len(body) > MAX_BODY:
        raise BadDataError(f"the answer is larger than {MAX_BODY:,} bytes")


# What came


def _request_id(headers: Mapping[str, str]) -> str | None:
    return one_line(headers.get("FINRA-api-request-id", "")) or None


_OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NewConnectionError, "no connection"),
    (exceptions.TimeoutError, "time-out"),
    (exceptions.SSLError, "TLS error"),
    (exceptions.ProxyError, "proxy error"),
    (exceptions.ProtocolError, "connection broken"),
)


def _fault(error: Exception) -> FaultError:
    outcome = next((text for kind, text in _OUTCOMES if isinstance(error, kind)), type(error).__name__)
    cause = error.original_error if isinstance(error, exceptions.ProxyError) else error
    # Older versions of urllib3 begin the text of this error with an object's address.
    text = str(cause).rpartition(": ")[2] if isinstance(cause, exceptions.NewConnectionError) else str(cause)
    return FaultError(one_line(text), outcome=outcome)


def _open_pool(address: str, proxies: Mapping[str, str]) -> urllib3.PoolManager:
    url = parse_address("the address", address)
    name = f"{url.scheme}_proxy".upper()
    proxy, bundle = proxies.get(name), _ca_bundle()
    if proxy is None or _goes_direct(url, proxies.get("NO_PROXY", "")):
        return urllib3.PoolManager(maxsize=_CONNECTIONS, ca_certs=bundle)
    auth = parse_address(name, proxy).auth
    headers = urllib3.make_headers(proxy_basic_auth=auth) if auth else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, maxsize=_CONNECTIONS, ca_certs=bundle)


def _goes_direct(url: Url, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host, a domain above it, or everything."""
    host = (url.host or "").lower()
    names = [name.strip().lower().lstrip(".") for name in no_proxy.split(",")]
    return any(name and (name in ("*", host, url.netloc) or host.endswith(f".{name}")) for name in names)


def _ca_bundle() -> str | None:
    """The certificates of certifi where the system has none of its own."""
    system = ssl.get_default_verify_paths()
    if system.cafile or (system.capath and any(Path(system.capath).iterdir())):
        return None
    if ssl.create_default_context().cert_store_stats()["x509_ca"] or not importlib.util.find_spec("certifi"):
        return None
    return str(importlib.import_module("certifi").where())
