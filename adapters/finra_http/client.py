"""Requests until they are answered: retries, tokens, and errors in the words of the core."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar

from finra_core.domain.errors import SourceDataError, SourceError, SourceRejectedError, SourceUnavailableError
from finra_http.faults import BadDataError, FaultError, ProblemError, RejectedError
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

_SHOWN, _SHOWN_ID = 300, 100
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
            answer = self._once(request, read, deadline)
            if not isinstance(answer, ProblemError):
                return answer
            pause = self._pause(answer, tries)
            if pause is None or pause >= deadline.remaining():
                raise self._error(request, answer, tries)
            logger.debug("%s; trying again in %.1f s", self._message(request, answer), pause)
            self._runtime.sleep(pause)

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def _once(self, request: Request, read: Callable[[Reply], T], deadline: Deadline) -> T | ProblemError:
        # Problems are returned: an error raised while one is being handled would drag it along, secrets and all.
        try:
            reply = self._authorised(request, deadline)
        except ProblemError as problem:
            return problem
        logger.debug("API answered for %s: HTTP %d, request id %s", request.subject, reply.status, self._id_of(reply))
        try:
            check_status(reply, self._runtime.now())
            return read(reply)
        except ProblemError as problem:
            found = problem
        except SourceDataError as error:
            found = BadDataError(error.message)
        found.answered(reply.status, reply.request_id)
        return found

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

    def _pause(self, problem: ProblemError, tries: int) -> float | None:
        """Seconds to wait before trying again; None when it is not to be tried again."""
        asked = problem.retry_after or 0.0
        if not isinstance(problem, FaultError) or tries >= MAX_TRIES or asked > MAX_RETRY_AFTER:
            return None
        return max(asked, self._runtime.jitter() * FIRST_PAUSE * 2.0 ** (tries - 1))

    def _error(self, request: Request, problem: ProblemError, tries: int) -> SourceError:
        message = self._message(request, problem)
        if isinstance(problem, BadDataError):
            return SourceDataError(message, partition=request.partition)
        if isinstance(problem, RejectedError):
            kind: type[SourceUnavailableError | SourceRejectedError] = SourceRejectedError
            advised = request.about_credentials or problem.status_code in (_UNAUTHORIZED, _FORBIDDEN)
            advice = f"; {self._advice}" if advised else ""
        else:
            kind, advice = SourceUnavailableError, f"; {_given_up(problem, tries)}"
        return kind(
            message + advice,
            partition=request.partition,
            status_code=problem.status_code,
            request_id=self._id_of(problem),
        )

    def _message(self, request: Request, problem: ProblemError) -> str:
        request_id = self._id_of(problem)
        named = f", request id {request_id}" if request_id else ""
        detail = self._shown(problem.detail, _SHOWN)
        return f"API fetch failed ({problem.outcome}) for {request.subject}{named}: {detail}"

    def _id_of(self, answer: Reply | ProblemError) -> str | None:
        return self._shown(answer.request_id or "", _SHOWN_ID) or None

    def _shown(self, text: str, length: int) -> str:
        # Redacted before it is cut: half a token is still a secret.
        return self._secrets.redact(text)[:length]


def _given_up(problem: ProblemError, tries: int) -> str:
    if problem.retry_after is not None and problem.retry_after > MAX_RETRY_AFTER:
        return f"it asks to wait {problem.retry_after:,.0f} s; run again after that"
    return f"gave up after {tries} {'try' if tries == 1 else 'tries'}; run again later"
