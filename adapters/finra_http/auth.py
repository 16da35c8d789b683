"""Access tokens by OAuth2 client credentials, as FINRA's identity platform issues them."""

from __future__ import annotations

import base64
import math
import threading

from attrs import field, frozen

from finra_http.client import Client
from finra_http.faults import FaultError
from finra_http.redaction import Secrets
from finra_http.replies import json_object
from finra_http.runtime import Deadline, Runtime
from finra_http.settings import Credentials
from finra_http.transport import Reply, Request

EARLY = 60.0
"""Seconds before its end in which a token is not used any more."""

DEFAULT_LIFE = 1800.0
"""Seconds for a token that does not say how long it lives; FINRA's said 43,169 in 2026."""


@frozen
class _Token:
    authorization: str = field(repr=False)
    good_until: float


class TokenCache:
    """One token for all threads; while one thread fetches it the others wait."""

    def __init__(
        self, client: Client, token_url: str, credentials: Credentials, runtime: Runtime, secrets: Secrets
    ) -> None:
        pair = f"{credentials.client_id}:{credentials.client_secret}".encode()
        basic = base64.b64encode(pair).decode("ascii")
        secrets.add(credentials.client_secret, basic)
        self._client = client
        self._runtime = runtime
        self._secrets = secrets
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._request = Request(
            "POST",
            f"{token_url}?grant_type=client_credentials",
            "the access token",
            "application/json",
            authorization=f"Basic {basic}",
            about_credentials=True,
        )

    def authorization(self, deadline: Deadline) -> str:
        """The Authorization header for data requests.

        Raises:
            SourceError: there is no token to be had.
        """
        with self._lock:
            if self._token is None or self._runtime.clock() >= self._token.good_until:
                asked_at = self._runtime.clock()
                text, life = self._client.send(self._request, _read_token, deadline)
                self._secrets.add(text)
                self._token = _Token(f"Bearer {text}", asked_at + life - EARLY)
            return self._token.authorization

    def discard(self, authorization: str) -> None:
        """Forget this token, unless another thread has replaced it already."""
        with self._lock:
            if self._token is not None and self._token.authorization == authorization:
                self._token = None


def _read_token(reply: Reply) -> tuple[str, float]:
    """The token and its life in seconds."""
    answer = json_object(reply) or {}
    text = answer.get("access_token")
    # Anything but visible ASCII could not stand in a header, or would end it.
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text or " " in text:
        raise FaultError("the answer holds no usable access_token")
    return text, _life(answer.get("expires_in"))


def _life(value: object) -> float:
    """FINRA has sent expires_in as a number and as text."""
    try:
        life = float(value) if isinstance(value, (int, float, str)) else 0.0
    except (ValueError, OverflowError):
        life = 0.0
    return life if 0 < life < math.inf else DEFAULT_LIFE
