"""Requests until they are answered: one after the other within the limits, with a token, and again where that helps."""

from __future__ import annotations

import base64
import logging
import math
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from attrs import field, frozen

from finra_http.answers import json_object, understand
from finra_http.limits import Deadline, Limits, Runtime
from finra_http.problems import FaultError, ProblemError, Secrets
from finra_http.query import Request
from finra_http.settings import Credentials, Settings
from finra_http.transport import Reply, Transport

logger = logging.getLogger(__name__)

EARLY = 60.0
"""Seconds before its end in which a token is not used any more."""

DEFAULT_LIFE = 1800.0
"""Seconds for a token that does not say how long it lives; FINRA's said 43,169 in 2026."""

_SHOWN_ID = 100
_ANONYMOUS = "set FINRA_CLIENT_ID and FINRA_CLIENT_SECRET (or FINRA_CLIENT_SECRET_FILE)"
_CREDENTIALS = "check FINRA_CLIENT_ID and FINRA_CLIENT_SECRET: FINRA does not accept them for this"

T = TypeVar("T")


def open_client(settings: Settings, limits: Limits, runtime: Runtime) -> Client:
    """A client of FINRA's API, with tokens where there are credentials. Opens no connection yet."""
    secrets = Secrets()
    transport = Transport(settings.api_url, settings.proxies)
    if settings.credentials is None:
        return Client(transport, limits, runtime, secrets, advice=_ANONYMOUS)
    token_transport = Transport(settings.token_url, settings.proxies)
    token_client = Client(token_transport, limits, runtime, secrets, advice=_CREDENTIALS)
    tokens = Tokens(token_client, settings.credentials, runtime, secrets)
    return Client(transport, limits, runtime, secrets, advice=_CREDENTIALS, tokens=tokens)


class Client:
    """Asks one host. `advice` ends the message of a refusal that credentials may mend."""

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        runtime: Runtime,
        secrets: Secrets,
        *,
        advice: str,
        tokens: Tokens | None = None,
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._runtime = runtime
        self._secrets = secrets
        self._advice = advice
        self._tokens = tokens

    def send(self, request: Request, read: Callable[[Reply], T], deadline: Deadline) -> T:
        """The answer as `read` understands it; a FaultError of `read` is tried again like one on the way.

        Raises:
            SourceUnavailableError: the tries or the deadline are used up.
            SourceRejectedError: the answer is a refusal.
            SourceDataError: the answer is too large, or `read` says so.
            ByteBudgetError: the budget does not allow it.
        """
        tries = 0
        while True:
            tries += 1
            answer = self._ask(request, read, deadline)
            if not isinstance(answer, ProblemError):
                return answer
            pause = answer.pause(tries, self._runtime.jitter())
            if pause is None or pause >= deadline.remaining():
                raise answer.to_error(request, tries, self._advice, self._secrets)
            logger.debug("%s; trying again in %.1f s", answer.explain(request, self._secrets), pause)
            self._runtime.sleep(pause)

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()
        if self._tokens is not None:
            self._tokens.close()

    def _ask(self, request: Request, read: Callable[[Reply], T], deadline: Deadline) -> T | ProblemError:
        # Problems are returned: an error raised while one is being handled would drag it along, secrets and all.
        try:
            reply = self._exchange(request, deadline)
        except ProblemError as problem:
            return problem
        request_id = self._secrets.redact(reply.request_id or "")[:_SHOWN_ID] or None
        logger.debug("API answered for %s: HTTP %d, request id %s", request.subject, reply.status, request_id)
        return understand(reply, read, self._runtime.now())

    def _exchange(self, request: Request, deadline: Deadline) -> Reply:
        """One exchange; on a 401 a second one with a new token, and never a third."""
        renewed = False
        while True:
            authorization = self._tokens.authorization(deadline) if self._tokens else request.authorization
            with self._limits.admit(request.max_bytes, request.subject, request.partition) as tally:
                reply = self._transport.exchange(request, authorization, tally, deadline)
            if reply.status != HTTPStatus.UNAUTHORIZED or self._tokens is None or renewed:
                return reply
            self._tokens.discard(authorization)
            renewed = True


@frozen
class _Token:
    authorization: str = field(repr=False)
    good_until: float


class Tokens:
    """Access tokens by OAuth2 client credentials, as FINRA's identity platform issues them.

    One token serves all threads; while one thread fetches it the others wait.
    """

    def __init__(self, client: Client, credentials: Credentials, runtime: Runtime, secrets: Secrets) -> None:
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
            "?grant_type=client_credentials",
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

    def discard(self, authorization: str | None) -> None:
        """Forget this token, unless another thread has replaced it already."""
        with self._lock:
            if self._token is not None and self._token.authorization == authorization:
                self._token = None

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()


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
