"""The settings of the API source, checked before anything is opened, and the part of them that a worker gets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import evolve, field, frozen
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from finra_core.domain.errors import ConfigurationError

API_URL = "https://api.finra.org"
TOKEN_URL = "https://ews.fip.finra.org/fip/rest/ews/oauth2/access_token"  # noqa: S105 - an address, no secret
REQUESTS_PER_SECOND = 20.0
DEADLINE_SECONDS = 600.0

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
Number = TypeVar("Number", int, float)
_PROXY_NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


@frozen
class Credentials:
    """OAuth2 client credentials of FINRA's API console."""

    client_id: str
    client_secret: str = field(repr=False)


@frozen
class Settings:
    """max_bytes: None for no budget. deadline_seconds: for one partition, all its requests, retries and waits.

    proxies: of HTTPS_PROXY, HTTP_PROXY and NO_PROXY those that are set; they may hold a password.
    """

    api_url: str
    token_url: str
    credentials: Credentials | None
    max_bytes: int | None
    requests_per_second: float
    deadline_seconds: float
    proxies: Mapping[str, str] = field(repr=False)


def read_settings(url: str, settings: Mapping[str, str]) -> Settings:
    """Settings from environment-like names; an empty value is none. `api:` means FINRA_API_URL or FINRA's own host.

    Raises:
        ConfigurationError: a value is malformed, one of a pair is missing, or a secret would travel unencrypted.
    """
    given = {name: value.strip() for name, value in settings.items() if value.strip()}
    own_name, own_url = ("the source", url) if url not in ("api", "api:") else _api_url(given)
    token_url = given.get("FINRA_TOKEN_URL", TOKEN_URL)
    credentials = _credentials(given)
    for name, address in ((own_name, own_url), ("FINRA_TOKEN_URL", token_url)):
        _check_url(name, address, secret=credentials is not None)
    max_bytes = _number(given, "FINRA_MAX_BYTES", int)
    rate = _number(given, "FINRA_REQUESTS_PER_SECOND", float)
    deadline = _number(given, "FINRA_DEADLINE", float)
    return Settings(
        api_url=own_url.rstrip("/"),
        token_url=token_url,
        credentials=credentials,
        max_bytes=max_bytes,
        requests_per_second=REQUESTS_PER_SECOND if rate is None else rate,
        deadline_seconds=DEADLINE_SECONDS if deadline is None else deadline,
        proxies=_proxies(given),
    )


@frozen
class Share:
    """The settings of one of several worker processes: its part of FINRA's limits, and no secret.

    Fields are as in `Settings`.
    Credentials and proxies, which may hold a password, are each worker's own: it reads them from its environment.
    max_bytes, requests_per_second: this process's part. anonymous: whether the run has no credentials.
    """

    api_url: str
    token_url: str
    max_bytes: int | None
    requests_per_second: float
    deadline_seconds: float
    anonymous: bool


def share_of(settings: Settings, processes: int) -> Share:
    """The equal share of each of so many processes."""
    return Share(
        api_url=settings.api_url,
        token_url=settings.token_url,
        max_bytes=None if settings.max_bytes is None else settings.max_bytes // processes,
        requests_per_second=settings.requests_per_second / processes,
        deadline_seconds=settings.deadline_seconds,
        anonymous=settings.credentials is None,
    )


def settings_of(share: Share, environ: Mapping[str, str]) -> Settings:
    """The share's settings, with the credentials and proxies of this environment.

    Raises:
        ConfigurationError: it has no credentials although the run has them, or they are malformed.
    """
    own = read_settings(share.api_url, {**environ, "FINRA_TOKEN_URL": share.token_url})
    if own.credentials is None and not share.anonymous:
        raise ConfigurationError(
            "a worker process has no credentials for FINRA: set FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"
            " (or FINRA_CLIENT_SECRET_FILE) in its environment too"
        )
    return evolve(
        own,
        credentials=None if share.anonymous else own.credentials,
        max_bytes=share.max_bytes,
        requests_per_second=share.requests_per_second,
        deadline_seconds=share.deadline_seconds,
    )


def parse_address(name: str, address: str) -> Url:
    """An http or https URL with a host.

    Raises:
        ConfigurationError: it is none; the message does not repeat it, as it may hold a password.
    """
    try:
        parsed = parse_url(address)
    except LocationParseError:
        parsed = Url()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError(f"{name} is no http or https URL")
    return parsed


def _api_url(given: Mapping[str, str]) -> tuple[str, str]:
    return "FINRA_API_URL", given.get("FINRA_API_URL", API_URL)


def _check_url(name: str, address: str, *, secret: bool) -> None:
    parsed = parse_address(name, address)
    if parsed.auth is not None or parsed.query is not None or parsed.fragment is not None:
        raise ConfigurationError(
            f"{name} holds more than a host and a path: give credentials as FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"
        )
    if secret and parsed.scheme == "http" and parsed.host not in _LOOPBACK:
        raise ConfigurationError(f"{name} is not https: credentials are not sent unencrypted")


def _credentials(given: Mapping[str, str]) -> Credentials | None:
    client_id, secret = given.get("FINRA_CLIENT_ID"), _secret(given)
    if client_id is None and secret is None:
        return None
    if client_id is None:
        raise ConfigurationError("a client secret without an id: set FINRA_CLIENT_ID too")
    if secret is None:
        raise ConfigurationError(
            "FINRA_CLIENT_ID without a secret: set FINRA_CLIENT_SECRET or FINRA_CLIENT_SECRET_FILE too"
        )
    if ":" in client_id:
        raise ConfigurationError("FINRA_CLIENT_ID holds a colon, which HTTP Basic authentication does not allow")
    return Credentials(client_id, secret)


def _secret(given: Mapping[str, str]) -> str | None:
    path = given.get("FINRA_CLIENT_SECRET_FILE")
    if path is None:
        return given.get("FINRA_CLIENT_SECRET")
    if "FINRA_CLIENT_SECRET" in given:
        raise ConfigurationError("FINRA_CLIENT_SECRET and FINRA_CLIENT_SECRET_FILE are both set: keep one")
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise ConfigurationError(f"FINRA_CLIENT_SECRET_FILE {path} cannot be read: {reason}") from None
    if not secret:
        raise ConfigurationError(f"FINRA_CLIENT_SECRET_FILE {path} is empty")
    return secret


def _number(given: Mapping[str, str], name: str, kind: Callable[[str], Number]) -> Number | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        value = kind(text)
        if 0 < value < math.inf:
            return value
    except ValueError:
        pass
    raise ConfigurationError(f"{name} is {text!r}: give a number over 0")


def _proxies(given: Mapping[str, str]) -> dict[str, str]:
    proxies = {name: given[name] for name in _PROXY_NAMES if name in given}
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        if name in proxies:
            parse_address(name, proxies[name])
    return proxies
