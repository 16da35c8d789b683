"""What an answer of FINRA means: data, no data, a refusal, or a fault that may pass.

The status alone does not say it: an answer with status 200 may hold an error in JSON, or a web page
of the network in between.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceDataError, SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.domain.weeks import week_ending_of
from finra_core.ports.source import Listing
from finra_http.problems import BadDataError, FaultError, ProblemError, RejectedError, one_line
from finra_http.query import DELIMITER, PROBE_FIELDS
from finra_http.transport import Reply

logger = logging.getLogger(__name__)

MAX_ROWS = 5_000_000
"""Thirty times the rows of the largest partition seen: beyond it the number is wrong."""

_MONDAY = 0
_WEEK_FIELD, _TIER_FIELD = "weekStartDate", "tierIdentifier"
_CSV_TYPES = frozenset({"text/plain", "text/csv"})
_NOTHING = ("no data found", "no partitions found")


T = TypeVar("T")


def understand(reply: Reply, read: Callable[[Reply], T], now: datetime) -> T | ProblemError:
    """An answer as `read` understands it, or what is wrong with it."""
    try:
        check_status(reply, now)
        return read(reply)
    except ProblemError as problem:
        found = problem
    except SourceDataError as error:
        found = BadDataError(error.message)
    found.answered(reply.status, reply.request_id)
    return found


def read_version(reply: Reply) -> SourceVersion | None:
    """The answer to a probe; None where there are no rows.

    Raises:
        FaultError: it is no answer to a probe.
        SourceDataError: its number of rows cannot be.
    """
    text = csv_text(reply, PROBE_FIELDS)
    if text is None:
        return None
    lines = text.decode("utf-8", "replace").split()
    newest = iso_date(lines[-1])
    if len(lines) != len(PROBE_FIELDS) + 1 or newest is None:
        raise FaultError("other than the one date that was asked for")
    total = reply.count("Record-Total")
    if not total:
        raise FaultError("a row without the number of all rows (Record-Total)")
    if total > MAX_ROWS:
        raise SourceDataError(f"{total:,} rows: no week of a tier has so many")
    return SourceVersion(newest, total)


def read_listing(reply: Reply) -> Listing:
    """The partitions of the three tiers; FINRA lists others too (NA, NMS), which are counted in the log.

    Raises:
        FaultError: the answer is no list of partitions.
    """
    answer = json_object(reply)
    if answer is None:
        return Listing(frozenset())
    partitions: set[Partition] = set()
    problems: list[SourceError] = []
    others: Counter[str] = Counter()
    for week, code in _entries(answer):
        tier = Tier.from_finra_code(code)
        if tier is None:
            others[one_line(code)[:20]] += 1
        elif (monday := _monday(week)) is not None:
            partitions.add(Partition(week_ending_of(monday), tier))
        else:
            problems.append(SourceDataError(f"the API lists a week of {tier} that starts on no Monday: {week[:40]!r}"))
    if others:
        logger.debug("API lists %d partitions outside the three tiers: %s", others.total(), dict(others))
    return Listing(frozenset(partitions), tuple(problems))


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
    header, _, rows = reply.body.partition(b"\n")
    names = header.decode("utf-8", "replace").removesuffix("\r").split(DELIMITER)
    if sorted(name.strip('"') for name in names) != sorted(fields):
        raise FaultError("text whose first line is not the header that was asked for")
    return reply.body if rows.strip() else None


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


def _entries(answer: dict[str, object]) -> Iterator[tuple[str, str]]:
    """(weekStartDate, tierIdentifier) of each partition, wherever `partitionFields` puts them."""
    names, available = answer.get("partitionFields"), answer.get("availablePartitions")
    if not isinstance(names, list) or not isinstance(available, list):
        raise FaultError("JSON without partitionFields and availablePartitions")
    if sorted(map(str, names)) != sorted([_WEEK_FIELD, _TIER_FIELD]):
        raise FaultError("partitions by other fields than weekStartDate and tierIdentifier")
    for entry in available:
        values = entry.get("partitions") if isinstance(entry, dict) else None
        if not isinstance(values, list) or len(values) != len(names):
            raise FaultError("a partition without its two values")
        found = dict(zip(names, map(str, values), strict=True))
        yield found[_WEEK_FIELD], found[_TIER_FIELD]


def _monday(text: str) -> date | None:
    day = iso_date(text)
    return day if day is not None and day.weekday() == _MONDAY else None
