"""What a sqlite: URL says: which file, how long to wait for its lock, and which journal it keeps."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from urllib.parse import parse_qsl

from attrs import frozen

from finra_core.domain.errors import ConfigurationError

_PREFIX = "sqlite:///"
_TIMEOUT_SECONDS = 30.0


class Journal(str, Enum):
    """How SQLite makes a commit atomic; docs/adr/0010-sqlite-journal.md says when to choose which.

    WAL: commits and views do not wait for each other. DELETE: for file systems without shared memory.
    """

    WAL = "wal"
    DELETE = "delete"


@frozen
class Location:
    """A database file, absolute, the seconds to wait while another process writes it, and the URL that said so."""

    path: Path
    timeout: float
    url: str
    journal: Journal = Journal.WAL

    def uri(self, mode: str) -> str:
        """SQLite's URI for the file; `mode` is its query."""
        return f"{self.path.as_uri()}?{mode}"


def kind_of(path: Path) -> int | None:
    """The st_mode of what is there; None where nothing is, or where it cannot be looked at."""
    try:
        return path.stat().st_mode
    except OSError:
        return None


def parse_url(url: str) -> Location:
    """Read `sqlite:///relative.db` or `sqlite:////absolute.db`, with `?timeout=SECONDS` or `?journal=delete`.

    Raises:
        ConfigurationError: the URL is neither.
    """
    address, _, query = url.partition("?")
    name = address.removeprefix(_PREFIX)
    if name == address or not name or name == ":memory:":
        # Not in the message: a URL that was meant for a server may have a password in it.
        raise ConfigurationError("malformed store URL: give sqlite:///relative.db or sqlite:////absolute/path.db")
    options = dict(parse_qsl(query, keep_blank_values=True))
    timeout, journal = options.pop("timeout", str(_TIMEOUT_SECONDS)), options.pop("journal", Journal.WAL.value)
    if options or journal not in set(Journal):
        raise _malformed(url)
    return Location(Path(name).absolute(), _seconds(url, timeout), url, Journal(journal))


def _seconds(url: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise _malformed(url) from None
    if not 0 <= seconds < float("inf"):
        raise _malformed(url)
    return seconds


def _malformed(url: str) -> ConfigurationError:
    return ConfigurationError(
        f"malformed store URL {url!r}: its options are timeout, in seconds, and journal, which is wal or delete"
    )
