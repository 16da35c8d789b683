"""Access tokens by client credentials, as FINRA's identity platform gives them out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from threading import Lock

LIFETIME = timedelta(seconds=43_169)
"""About 12 hours, as seen on 2026-10-01."""


_LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Tokens:
    """Issued tokens, told apart by a number and no secret.

    credentials: secrets by client id. None: any client is known, and a token from elsewhere is as good as one of
    these, for many clients get theirs from FINRA's own identity platform whatever they are told.
    """

    def __init__(self, credentials: Mapping[str, str] | None, lifetime: timedelta = LIFETIME) -> None:
        self.lifetime = lifetime
        self._credentials = credentials
        self._expiries: dict[str, datetime] = {}
        self._issued = 0
        self._lock = Lock()

    def issue(self, authorization: str, now: datetime) -> str | None:
        """A new token, or None where these are not the credentials of a client."""
        if not self._knows(authorization):
            return None
        with self._lock:
            self._issued += 1
            token = f"simulated-token-{self._issued}"
            self._expiries[token] = now + self.lifetime
        return token

    def is_valid(self, authorization: str, now: datetime) -> bool:
        """Whether this header bears a token that has neither expired nor been revoked."""
        kind, _, token = authorization.partition(" ")
        with self._lock:
            expiry = self._expiries.get(token)
        if kind != "Bearer" or not token:
            return False
        return self._credentials is None if expiry is None else now < expiry

    def revoke_all(self) -> None:
        """Make every token stale, before its time."""
        with self._lock:
            self._expiries = dict.fromkeys(self._expiries, _LONG_AGO)

    def _knows(self, authorization: str) -> bool:
        kind, _, encoded = authorization.partition(" ")
        try:
            client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        if kind != "Basic":
            return False
        if self._credentials is None:
            return bool(client and secret)
        return client in self._credentials and self._credentials[client] == secret
