"""Requests until they are answered: retries, tokens, and errors in the words of the core."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar

from finra_core.errors import SourceDataError, SourceRejectedError, SourceUnavailableError
from finra_http.faults import FaultError, RejectedError, TooLargeError
from finra_http.redaction import Secrets
from finra_http.replies import check_status
from finra_http.runtime import Deadline, Runtime
from finra_http.transport import Reply, Request, Transport

logger = logging.getLogger(__name__)

MAX_TRIES = 6
FIRST_PAUSE = 0.5
"""Seconds. With full jitter the pauses are at most 0.5, 1, 2, 4 and 8 s: 15.5 s in all, half of it on average."""

MAX_RETRY_AFTER = 60.0
"""Seconds. Asked for a longer pause we leave at once, rather than come back too early or keep others waiting."""

_SHOWN = 500
_UNAUTHORIZED, _FORBIDDEN = 401, 403

T = TypeVar("T")


class Tokens(Protocol):
    """Where a client gets its Authorization header."""

    def authorization(self, deadline: Deadline) -> str:
        """The header's value, fetched where there is none that is still good."""

    def discard(self, authorization: str) -> None:
        """Forget this value if it is still the current one."""


class Client:
    """Asks one host. `advice` ends the message of a refusal that credentials may mend."""

    def __init__(
        self, transport: Transport, runtime: Runtime, secrets: Secrets, advice: str, tokens: Tokens | None = None
    ) -> None:
        self._transport = transport
        self._runtime = runtime
        self._secrets = secrets
        self._advice = advice
        self._tokens = tokens

    def send(self, request: Request, read: Callable[[Reply], T], deadline: Deadline) -> T:
        """The answer as `read` understands it; a FaultError of `read` is tried again like one on the way.

        Raises:
            SourceUnavailableError: MAX_TRIES or the deadline are used up.
            SourceRejectedError: the answer is a refusal.
            SourceDataError: the answer is too large, or `read` says so.
            ByteBudgetError: the budget does not allow it.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(request, read, deadline)
            except FaultError as fault:
                pause = self._pause(fault, tries)
                message = self._message(request, _outcome(fault), fault.detail, fault.request_id)
                if pause is None or pause >= deadline.remaining():
                    raise SourceUnavailableError(
                        f"{message}; {_given_up(fault, tries)}",
                        partition=request.partition,
                        status_code=fault.status_code,
                        request_id=self._secrets.redact(fault.request_id),
                    ) from fault
                logger.debug("%s; trying again in %.1f s", message, pause)
            self._runtime.sleep(pause)

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def _once(self, request: Request, read: Callable[[Reply], T], deadline: Deadline) -> T:
        try:
            reply = self._authorised(request, deadline)
        except TooLargeError as error:
            raise SourceDataError(
                self._message(request, "HTTP 200", str(error), None), partition=request.partition
            ) from None
        try:
            check_status(reply, self._runtime.now())
            return read(reply)
        except FaultError as fault:
            fault.request_id = reply.request_id
            if fault.status_code is None:
                fault.status_code = reply.status
            raise
        except RejectedError as refusal:
            raise self._rejected(request, refusal, reply.request_id) from None
        except SourceDataError as error:
            outcome = f"HTTP {reply.status}"
            message = self._message(request, outcome, error.message, reply.request_id)
            raise SourceDataError(message, partition=request.partition) from None

    def _authorised(self, request: Request, deadline: Deadline) -> Reply:
        """One exchange; on a 401 a second one with a new token, and never a third."""
        if self._tokens is None:
            return self._transport.exchange(request, request.authorization, deadline)
        authorization = self._tokens.authorization(deadline)
        reply = self._transport.exchange(request, authorization, deadline)
        if reply.status != _UNAUTHORIZED:
            return reply
        self._tokens.discard(authorization)
        return self._transport.exchange(request, self._tokens.authorization(deadline), deadline)

    def _pause(self, fault: FaultError, tries: int) -> float | None:
        """Seconds to wait before trying again; None when it is not to be tried again."""
        asked = fault.retry_after or 0.0
        if tries >= MAX_TRIES or asked > MAX_RETRY_AFTER:
            return None
        return max(asked, self._runtime.jitter() * FIRST_PAUSE * 2.0 ** (tries - 1))

    def _rejected(self, request: Request, refusal: RejectedError, request_id: str | None) -> SourceRejectedError:
        advised = request.about_credentials or refusal.status_code in (_UNAUTHORIZED, _FORBIDDEN)
        detail = f"{refusal.detail}; {self._advice}" if advised else refusal.detail
        return SourceRejectedError(
            self._message(request, f"HTTP {refusal.status_code}", detail, request_id),
            partition=request.partition,
            status_code=refusal.status_code,
            request_id=self._secrets.redact(request_id),
        )

    def _message(self, request: Request, outcome: str, detail: str, request_id: str | None) -> str:
        named = f", request id {request_id}" if request_id else ""
        # Redacted before it is cut: half a token is still a secret.
        shown = self._secrets.redact(f"{named}: {detail}")[:_SHOWN]
        return f"API fetch failed ({outcome}) for {request.subject}{shown}"


def _outcome(fault: FaultError) -> str:
    return fault.outcome if fault.status_code is None else f"HTTP {fault.status_code}"


def _given_up(fault: FaultError, tries: int) -> str:
    if fault.retry_after is not None and fault.retry_after > MAX_RETRY_AFTER:
        return f"it asks to wait {fault.retry_after:,.0f} s; run again after that"
    return f"gave up after {tries} {'try' if tries == 1 else 'tries'}; run again later"
