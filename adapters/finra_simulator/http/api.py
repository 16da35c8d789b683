"""FINRA's Query API over a world: requests in, answers out. No sockets here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from http import HTTPStatus
from itertools import count
from threading import Lock
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from attrs import evolve, field, frozen

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.domain.weeks import week_ending_of
from finra_simulator.http.datasets import (
    Dataset,
    Field,
    Record,
    WeeklyDownloadDetails,
    WeeklySummary,
    WeeklySummaryHistoric,
)
from finra_simulator.http.query import MAX_LIMIT, ApiError, Query, find, read_body, read_parameters
from finra_simulator.http.tokens import Tokens
from finra_simulator.text import quoted
from finra_simulator.world import World

GROUP = "otcMarket"
TOKEN_PATH = "/fip/rest/ews/oauth2/access_token"  # noqa: S105 - a path
DATASETS_PATH = "/datasets"
MAX_PAYLOAD = 3_000_000
RESULT_LIFETIME = timedelta(hours=2)
"""How long the result of an asynchronous request is kept once it was said to be complete."""
PROBE_LIMIT = 10
"""Up to so many of a partition's first rows a request counts as a probe, not as a page."""

Kind = Literal["listing", "probe", "page", "restatements", "token", "metadata", "other"]
NoData = Literal["204", "empty", "bare", "message"]
Headers = tuple[tuple[str, str], ...]
Alteration = Callable[[Sequence[Record]], Sequence[Record]]


def _names_of(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


@frozen
class Options:
    """What differs between users, years and documents of FINRA's API.

    require_token: refuse anonymous requests. max_payload: bytes of a synchronous page before compression.
    no_data: 204; a 200 with an empty body; a bare `[]` or CSV header; a 200 whose body has a message.
    drifting_order: turn the order of unsorted records from one request to the next.
    pending_polls: how often an asynchronous request answers that it is not ready.
    ignored_filters, refused_filters: names of fields by which nothing is filtered, without a word or with a 400.
    """

    require_token: bool = False
    max_payload: int = MAX_PAYLOAD
    no_data: NoData = "204"
    drifting_order: bool = False
    pending_polls: int = 1
    ignored_filters: frozenset[str] = field(default=frozenset(), converter=_names_of)
    refused_filters: frozenset[str] = field(default=frozenset(), converter=_names_of)


@frozen
class ApiRequest:
    """headers: by lower-case name. origin: scheme, host and port by which the server was addressed."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    origin: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """The body's JSON object; empty where there is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def wants_json(self) -> bool:
        """Without this header FINRA answers CSV."""
        return "application/json" in self.headers.get("accept", "")


@frozen
class Answer:
    """A status, a body before compression, and headers beside those of the transport."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: Headers = ()


@frozen
class _Job:
    """An asynchronous request: what it asks for, how often it was polled, and until when its result is kept."""

    dataset: Dataset
    query: Query
    request: ApiRequest
    polls: int = 0
    expires: datetime | None = None


class Api:
    """Answers requests as FINRA would at a given instant."""

    def __init__(self, world: World, tokens: Tokens, options: Options | None = None) -> None:
        self.world = world
        self.tokens = tokens
        self.options = options or Options()
        self._numbers = count(1)
        self._lock = Lock()
        self._jobs: dict[str, _Job] = {}
        served = (WeeklySummary(world), WeeklySummaryHistoric(world), WeeklyDownloadDetails(world))
        self._datasets: dict[str, Dataset] = {dataset.name.lower(): dataset for dataset in served}

    def answer(self, request: ApiRequest, now: datetime, alter: Alteration = tuple) -> Answer:
        """The answer, always with a request id. `alter` changes the records of a page on their way out."""
        number = self._next_number()
        request_id = str(uuid5(NAMESPACE_URL, f"{GROUP}/{number}"))
        try:
            answer = self._route(request, now, alter, number)
        except ApiError as error:
            answer = error_answer(request, error.status, error.message, request_id)
        return evolve(answer, headers=(*answer.headers, ("FINRA-api-request-id", request_id)))

    def _next_number(self) -> int:
        with self._lock:
            return next(self._numbers)

    def _route(self, request: ApiRequest, now: datetime, alter: Alteration, number: int) -> Answer:
        if request.path == TOKEN_PATH:
            return self._token(request, now)
        if request.path.startswith("/async-results/"):
            return self._async_result(request, now)
        self._authorize(request, now)
        if request.path.startswith("/async-requests/"):
            return self._async_status(request, now)
        if request.path.rstrip("/") == DATASETS_PATH:
            return self._catalogue(request)
        action, dataset = self._resource(request)
        if action == "data":
            return self._data(dataset, request, now, alter, number)
        if request.method != "GET":
            raise ApiError(405, f"{request.method} is not allowed here")
        return self._partitions(dataset, now) if action == "partitions" else _metadata(dataset)

    def _authorize(self, request: ApiRequest, now: datetime) -> None:
        given = request.headers.get("authorization")
        if given is None and not self.options.require_token:
            return
        if given is None or not self.tokens.is_valid(given, now):
            raise ApiError(401, "Unauthorized: the access token is missing, invalid or expired")

    def _resource(self, request: ApiRequest) -> tuple[str, Dataset]:
        match request.path.strip("/").split("/"):
            case ["data" | "partitions" | "metadata" as action, "group", group, "name", name]:
                dataset = self._datasets.get(name.lower())
                if group.lower() == GROUP.lower() and dataset is not None:
                    return action, dataset
        names = ", ".join(dataset.name for dataset in self._datasets.values())
        raise ApiError(
            404,
            f"No resource at {request.path}: there are {DATASETS_PATH} and "
            f"/data, /partitions and /metadata/group/{GROUP}/name/ with {names}",
        )

    def _catalogue(self, request: ApiRequest) -> Answer:
        """The datasets, of a group or of a name where the request says one. FINRA tells them no stranger."""
        if "authorization" not in request.headers:
            raise ApiError(401, "Unauthorized: the access token is missing")
        group, name = (request.parameters.get(key, "").lower() for key in ("group", "name"))
        found = [d for d in self._datasets.values() if group in ("", GROUP.lower()) and name in ("", d.name.lower())]
        return _json(200, [{**_names(d), "datasetGroup": GROUP, "datasetName": d.name} for d in found])

    def _data(self, dataset: Dataset, request: ApiRequest, now: datetime, alter: Alteration, number: int) -> Answer:
        query = self._filtered(_read(dataset, request))
        if query.is_async:
            return self._async_start(dataset, query, request, number)
        found = find(dataset, query, now, drift=number * 7 if self.options.drifting_order else 0)
        body, shown = _render(query, alter(found.page), request.wants_json, self.options.max_payload)
        headers = (
            ("Record-Total", str(found.total)),
            ("Record-Offset", str(query.offset)),
            ("Record-Limit", str(query.limit)),
            ("Record-Max-Limit", str(MAX_LIMIT)),
            ("Total-Records-On-Page", str(shown)),
            ("Response-Payload-Max-Size", "3mb"),
            ("Data-Version", "1"),
        )
        answer = Answer(200, body, _content_type(request.wants_json)) if shown else self._no_data(query, request)
        return evolve(answer, headers=headers)

    def _filtered(self, query: Query) -> Query:
        refused = [f.name for f in query.filters if f.name in self.options.refused_filters]
        if refused:
            raise ApiError(400, f"Filtering by {refused[0]} is not supported")
        return evolve(query, filters=tuple(f for f in query.filters if f.name not in self.options.ignored_filters))

    def _no_data(self, query: Query, request: ApiRequest) -> Answer:
        if self.options.no_data == "204":
            return Answer(204, content_type=_content_type(request.wants_json))
        if self.options.no_data == "message":
            return _json(200, {"statusCode": 200, "message": "No data found for specified dataset request"})
        bare = b"" if self.options.no_data == "empty" else _render(query, (), request.wants_json, MAX_PAYLOAD)[0]
        return Answer(200, bare, _content_type(request.wants_json))

    def _partitions(self, dataset: Dataset, now: datetime) -> Answer:
        keys = dataset.keys(now)
        if not keys:
            return _json(200, {"statusCode": 200, "message": "No partitions found for the dataset"})
        listed = [{"partitions": [str(value) for value in key]} for key in reversed(keys)]
        return _json(200, {**_names(dataset), "availablePartitions": listed})

    def _token(self, request: ApiRequest, now: datetime) -> Answer:
        """The grant type may stand in the query or in the form; the client's credentials come by HTTP Basic."""
        if request.method != "POST":
            return _json(405, {"error": "method_not_allowed"})
        if "client_credentials" not in (request.parameters.get("grant_type"), _form(request).get("grant_type")):
            return _json(400, {"error": "unsupported_grant_type"})
        token = self.tokens.issue(request.headers.get("authorization", ""), now)
        if token is None:
            return _json(401, {"error": "invalid_client"})
        seconds = int(self.tokens.lifetime.total_seconds())
        return _json(200, {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": "read"})

    def _async_start(self, dataset: Dataset, query: Query, request: ApiRequest, number: int) -> Answer:
        job = str(uuid5(NAMESPACE_URL, f"async/{number}"))
        with self._lock:
            self._jobs[job] = _Job(dataset, query, request)
        link = f"{request.origin}/async-requests/group/{GROUP}/name/{dataset.name}/{job}"
        return evolve(_json(202, {"requestId": job, "checkStatusLink": link}), headers=(("Location", link),))

    def _async_status(self, request: ApiRequest, now: datetime) -> Answer:
        name = request.path.rpartition("/")[2]
        with self._lock:
            job = self._job(name)
            pending = job.polls < self.options.pending_polls
            expires = job.expires or now + RESULT_LIFETIME
            self._jobs[name] = evolve(job, polls=job.polls + 1, expires=None if pending else expires)
        if pending:
            return _json(202, {"requestId": name, "status": "pending"})
        link = f"{request.origin}/async-results/{name}"
        until = f"{expires.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
        return _json(200, {"requestId": name, "status": "complete", "resultLink": link, "expires": until})

    def _async_result(self, request: ApiRequest, now: datetime) -> Answer:
        """A pre-signed link elsewhere: a token sent here is refused, as S3 refuses two ways of authorization."""
        if "authorization" in request.headers:
            raise ApiError(400, "Only one auth mechanism allowed")
        with self._lock:
            job = self._job(request.path.rpartition("/")[2])
        if job.expires is None or now >= job.expires:
            raise ApiError(403, "Request has expired")
        page = find(job.dataset, job.query, now).page
        body, _shown = _render(job.query, page, job.request.wants_json, None)
        return Answer(200, body, _content_type(job.request.wants_json))

    def _job(self, name: str) -> _Job:
        if name not in self._jobs:
            raise ApiError(404, f"No asynchronous request {name}")
        return self._jobs[name]


def classify(request: ApiRequest) -> tuple[Kind, Partition | None]:
    """What a request is for, and the one partition that it concerns, if it names one by EQUAL filters."""
    action, _, rest = request.path.lower().lstrip("/").partition("/")
    if request.path == TOKEN_PATH:
        return "token", None
    if action == "partitions" or rest.endswith("/weeklydownloaddetails"):
        return "listing", None
    if action == "metadata":
        return "metadata", None
    if action != "data":
        return "other", None
    partition, limit = _partition(request.json), request.json.get("limit")
    if partition is None and any(name == "lastupdatedate" for name, _how, _value in _compared(request.json)):
        return "restatements", None
    is_probe = isinstance(limit, int) and limit <= PROBE_LIMIT and not request.json.get("offset")
    kind: Kind = "probe" if is_probe else "page"
    return kind, partition


def error_answer(request: ApiRequest, status: int, message: str, request_id: str = "") -> Answer:
    """FINRA's JSON form of an error."""
    *_start, group, _name, dataset = ["", "", "", *request.path.strip("/").split("/")]
    asked: dict[str, list[object]] = {"fields": [], "dateRangeFilters": [], "domainFilters": [], "compareFilters": []}
    error = {
        "statusCode": status,
        "statusDescription": HTTPStatus(status).phrase,
        "requestId": request_id,
        "message": message,
        "dataRequest": {
            "action": request.method,
            "internalParams": {},
            "datasetGroup": group,
            "datasetName": dataset,
            **{name: request.json.get(name, default) for name, default in asked.items()},
        },
    }
    return _json(status, error)


def _read(dataset: Dataset, request: ApiRequest) -> Query:
    if request.method == "GET":
        return read_parameters(dataset, request.parameters)
    if request.method != "POST":
        raise ApiError(405, f"{request.method} is not allowed here")
    if "json" not in request.headers.get("content-type", ""):
        raise ApiError(415, "Content-Type must be application/json")
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise ApiError(400, "The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The request body is not a JSON object")
    return read_body(dataset, {**({"async": True} if request.parameters.get("async") == "true" else {}), **body})


def _render(query: Query, records: Sequence[Record], as_json: bool, cap: int | None) -> tuple[bytes, int]:
    """The body, of at most `cap` bytes if that holds one record, and how many records are in it."""
    render = _json_line if as_json else _csv_line
    head, separator, end = ("[", ",", "]") if as_json else (_csv_header(query), "", "")
    size = len(head) + len(end)
    texts: list[str] = []
    for record in records:
        text = render(query, record)
        size += len(text) + len(separator)
        if cap is not None and size > cap and texts:
            break
        texts.append(text)
    return f"{head}{separator.join(texts)}{end}".encode(), len(texts)


def _json_line(query: Query, record: Record) -> str:
    return "{" + ",".join([f'"{f.name}":{f.json(record)}' for f in query.fields]) + "}"


def _csv_line(query: Query, record: Record) -> str:
    return _delimited(query, [f.text(record) for f in query.fields])


def _csv_header(query: Query) -> str:
    return _delimited(query, [f.name for f in query.fields])


def _delimited(query: Query, cells: list[str]) -> str:
    if query.quote:
        cells = list(map(quoted, cells))
    return query.delimiter.join(cells) + "\n"


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode())


def _content_type(as_json: bool) -> str:
    return "application/json" if as_json else "text/plain"


def _names(dataset: Dataset) -> dict[str, object]:
    return {
        "datasetGroup": GROUP.lower(),
        "datasetName": dataset.name.lower(),
        "partitionFields": list(dataset.partition_fields),
    }


def _metadata(dataset: Dataset) -> Answer:
    def described(each: Field) -> dict[str, str]:
        return {"name": each.name, "type": each.kind, "description": ""}

    return _json(200, {**_names(dataset), "fields": [described(each) for each in dataset.fields]})


def _form(request: ApiRequest) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in request.body.decode("ascii", "replace").split("&"))
    return {name: value for name, _, value in pairs}


def _compared(body: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each compareFilter's field in lower case, its type in upper case, and its value."""
    filters = body.get("compareFilters")
    given = [f for f in filters if isinstance(f, dict)] if isinstance(filters, list) else []
    return [
        (str(f.get("fieldName")).lower(), str(f.get("compareType", "EQUAL")).upper(), str(f.get("fieldValue")))
        for f in given
    ]


def _partition(body: Mapping[str, Any]) -> Partition | None:
    given = {name: value for name, how, value in _compared(body) if how == "EQUAL"}
    tier = Tier.from_finra_code(given.get("tieridentifier", ""))
    try:
        week = date.fromisoformat(given.get("weekstartdate", ""))
    except ValueError:
        return None
    return None if tier is None else Partition(week_ending_of(week), tier)
