"""What an answer of FINRA means: data, no data, a refusal, or a fault that may pass.

The status alone does not say it: an answer with status 200 may hold an error in JSON, or a web page
of the network in between.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from finra_http.faults import FaultError, RejectedError, one_line
from finra_http.query import DELIMITER
from finra_http.transport import Reply

_CSV_TYPES = frozenset({"text/plain", "text/csv"})
_NOTHING = ("no data found", "no partitions found")


def check_status(reply: Reply, now: datetime) -> None:
    """Let an answer with status 200 or 204 pass.

    Raises:
        FaultError: the status says that it may pass (429, 5xx).
        RejectedError: any other status.
    """
    if reply.status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        return
    _refuse(reply.status, _explanation(reply), _retry_after(reply, now))


def csv_text(reply: Reply, fields: tuple[str, ...]) -> bytes | None:
    """The delimited text of an answer to a data query; None for any of FINRA's ways to say that there is no data.

    Its first line names the `fields`, in whatever order.

    Raises:
        FaultError: it is neither, or says that there is no data and how many rows there are.
        RejectedError: its JSON says so.
    """
    text = _csv_or_nothing(reply, fields)
    if text is None and reply.count("Record-Total"):
        raise FaultError(f"no rows, though Record-Total is {reply.headers['Record-Total']}")
    return text


def json_object(reply: Reply) -> dict[str, object] | None:
    """The object of an answer in JSON; None where it says that there is nothing.

    Raises:
        FaultError: it is no JSON, or holds a server error.
        RejectedError: its JSON says so.
    """
    if reply.status == HTTPStatus.NO_CONTENT:
        return None
    value = _json(reply)
    if value == []:
        return None
    if not isinstance(value, dict):
        raise FaultError(f"JSON of an unexpected kind: {type(value).__name__}")
    return None if _says_nothing(value) else value


def iso_date(text: str) -> date | None:
    """A date as FINRA writes them, YYYY-MM-DD; None for anything else, other forms of ISO 8601 included."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def _csv_or_nothing(reply: Reply, fields: tuple[str, ...]) -> bytes | None:
    body = reply.body.strip()
    if reply.status == HTTPStatus.NO_CONTENT or not body:
        return None
    if body.startswith((b"{", b"[")):
        _check_nothing(reply)
        return None
    if reply.media_type not in _CSV_TYPES:
        raise FaultError(f"an answer of type {one_line(reply.media_type) or 'unknown'} where text/plain is asked for")
    header, _, rows = body.partition(b"\n")
    names = header.decode("utf-8", "replace").strip().split(DELIMITER)
    if sorted(name.strip('"') for name in names) != sorted(fields):
        raise FaultError("text whose first line is not the header that was asked for")
    return reply.body if rows else None


def _check_nothing(reply: Reply) -> None:
    if json_object(reply) is not None:
        raise FaultError("a JSON object where text/plain is asked for")


def _json(reply: Reply) -> object:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        kind = one_line(reply.media_type) or "unknown"
        raise FaultError(f"an answer of type {kind} that is no JSON") from None


def _says_nothing(value: dict[str, object]) -> bool:
    """Whether an object is FINRA's message of having nothing; errors in the object are raised."""
    if "statusCode" not in value:
        return False
    message = one_line(str(value.get("message", "")))
    if message.lower().startswith(_NOTHING):
        return True
    status = value["statusCode"]
    if not isinstance(status, int) or status < HTTPStatus.BAD_REQUEST:
        raise FaultError(f"a message in place of data: {message}")
    _refuse(status, message or "an error in place of data", None)
    return False


def _refuse(status: int, detail: str, retry_after: float | None) -> None:
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise FaultError(detail, status_code=status, retry_after=retry_after)
    raise RejectedError(detail, status_code=status)


def _explanation(reply: Reply) -> str:
    """FINRA's message in an error's JSON, else the meaning of the status."""
    try:
        message = json.loads(reply.body)["message"]
    except (ValueError, RecursionError, LookupError, TypeError):
        message = None
    if isinstance(message, str) and message:
        return one_line(message)
    known = {status.value: status.phrase for status in HTTPStatus}
    return known.get(reply.status, "an unknown status")


def _retry_after(reply: Reply, now: datetime) -> float | None:
    """Seconds to wait as the answer asks, from either form of the header; None where it does not say."""
    text = reply.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - now).total_seconds())
