"""What a postgresql: URL says: libpq's own URI, taken apart to name the place and to leave the secrets out."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from attrs import field, frozen
from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from finra_core.domain.errors import ConfigurationError

_PREFIXES = ("postgresql://", "postgres://")
_SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
_DEFAULTS = {"connect_timeout": "10", "fallback_application_name": "finra"}
"""Seconds, in place of libpq's for ever; and how our connections are shown to the database's administrator."""


@frozen
class Location:
    """A database: `conninfo` as libpq takes it, secrets and all; `url` and `name` (host:port/database) without."""

    conninfo: str = field(repr=False)
    url: str
    name: str


def parse_url(url: str) -> Location:
    """Read `postgresql://user:password@host:port/database?options`, of which all parts may be absent.

    What is absent, libpq takes from its own environment variables and files, the password too.

    Raises:
        ConfigurationError: the URL is malformed. It is not in the message, as its password may be what is wrong.
    """
    given = _parts(url)
    usual = {key: value for key, value in _DEFAULTS.items() if key not in given and _of_libpq(key) is None}
    return Location(make_conninfo(**given, **usual), _public_url(given), _name(given))


def _parts(url: str) -> dict[str, str]:
    prefix = next((prefix for prefix in _PREFIXES if url.startswith(prefix)), None)
    if prefix is None or not _is_one_way_to_read(url.removeprefix(prefix)):
        raise _malformed()
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except ProgrammingError:
        raise _malformed() from None  # libpq's message may quote a part of the password
    if not all(port.isdecimal() for port in given.get("port", "").split(",") if port):
        raise _malformed()
    return given


def _is_one_way_to_read(rest: str) -> bool:
    """Whether no @ but the one before the host is there: a password with a bare @, / or ? in it would be cut."""
    authority = rest.replace("?", "/").partition("/")[0]
    return rest.count("@") == authority.count("@") <= 1


def _malformed() -> ConfigurationError:
    return ConfigurationError(
        "malformed store URL: give postgresql://user@host:5432/database?options, with libpq's options,"
        " and %-encode what is neither letter nor digit in a password (@ is %40, / is %2F)"
    )


def _public_url(given: Mapping[str, str]) -> str:
    shown = {key: value for key, value in given.items() if key not in _SECRETS}
    user = f"{quote(shown.pop('user'), safe='')}@" if "user" in shown else ""
    database = quote(shown.pop("dbname", ""), safe="")
    address = _take_address(shown)
    options = f"?{urlencode(shown, quote_via=quote)}" if shown else ""
    return f"postgresql://{user}{address}/{database}{options}"


def _take_address(shown: dict[str, str]) -> str:
    """The host and port as a URL has them; several hosts, or a socket's folder, stay among the options."""
    host = shown.get("host", "")
    if not host or "," in host or host.startswith("/"):
        return ""
    del shown["host"]
    port = f":{shown.pop('port')}" if "port" in shown else ""
    return (f"[{host}]" if ":" in host else host) + port


def _name(given: Mapping[str, str]) -> str:
    host = given.get("host") or _of_libpq("host") or "local socket"
    port = given.get("port") or _of_libpq("port") or "5432"
    user = given.get("user") or _of_libpq("user") or ""
    return f"{host}:{port}/{given.get('dbname') or _of_libpq('dbname') or user}"


def _of_libpq(keyword: str) -> str | None:
    for option in pq.Conninfo.get_defaults():
        if option.keyword.decode() == keyword:
            return option.val.decode() if option.val is not None else None
    return None
