"""What a sqlite: URL says: which file, and how long to wait for its lock."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

from attrs import frozen

from finra_core.domain.errors import ConfigurationError

_PREFIX = "sqlite:///"
_TIMEOUT_SECONDS = 30.0


@frozen
class Location:
    """A database file, absolute, the seconds to wait while another process writes it, and the URL that said so."""

    path: Path
    timeout: float
    url: str

    def uri(self, mode: str) -> str:
        """SQLite's URI for the file; `mode` is ro, rw or rwc."""
        return f"{self.path.as_uri()}?mode={mode}"


def parse_url(url: str) -> Location:
    """Read `sqlite:///relative.db` or `sqlite:////absolute.db`, with `?timeout=SECONDS` or without.

    Raises:
        ConfigurationError: the URL is neither.
    """
    address, _, query = url.partition("?")
    name = address.removeprefix(_PREFIX)
    if name == address or not name or name == ":memory:":
        raise ConfigurationError(
            f"malformed store URL {url!r}: give sqlite:///relative.db or sqlite:////absolute/path.db"
        )
    return Location(Path(name).absolute(), _timeout(url, query), url)


def _timeout(url: str, query: str) -> float:
    options = dict(parse_qsl(query, keep_blank_values=True))
    text = options.pop("timeout", str(_TIMEOUT_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if options or not 0 <= seconds < float("inf"):
        raise ConfigurationError(f"malformed store URL {url!r}: its only option is timeout, in seconds")
    return seconds
