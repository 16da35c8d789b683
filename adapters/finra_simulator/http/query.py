"""A request for data: read as FINRA reads it, refused as FINRA refuses it, and answered from a dataset."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from attrs import field, frozen

from finra_simulator.http.datasets import Dataset, Field, Key, Record, State

DEFAULT_LIMIT, MAX_LIMIT, MAX_ASYNC_LIMIT = 1_000, 5_000, 100_000
_DELIMITERS = (",", "|", "\t", "\x01")
_BAD_DATE = "Invalid date field format. Must be yyyy-MM-dd or yyyy-MM-dd HH:mm:ss.SSS"


class ApiError(Exception):
    """An answer with this HTTP status and message in FINRA's form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _contains(value: Any, wanted: Any) -> bool:
    return value in wanted


def _within(value: Any, bounds: Any) -> bool:
    return bool(bounds[0] <= value <= bounds[1])


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "GREATER": operator.gt,
    "LESSER": operator.lt,
    "GTE": operator.ge,
    "LTE": operator.le,
    "BEGINS_WITH": str.startswith,
}
_TESTS = {**_COMPARISONS, "DOMAIN": _contains, "RANGE": _within}


@frozen
class Filter:
    """A condition on one field; null fulfills none."""

    name: str
    place: int
    compare: str
    wanted: Any

    def accepts(self, value: Any) -> bool:
        """Whether a value of the field fulfills it."""
        return value is not None and _TESTS[self.compare](value, self.wanted)


@frozen
class Query:
    """What is asked for. limit: as clamped; quote, delimiter: of CSV. sort: places, and whether descending."""

    fields: tuple[Field, ...]
    filters: tuple[Filter, ...]
    sort: tuple[tuple[int, bool], ...]
    limit: int
    offset: int
    delimiter: str = ","
    quote: bool = False
    is_async: bool = False

    def equal(self, name: str) -> Any:
        """The value to which an EQUAL compareFilter holds this field, else None."""
        return next((f.wanted for f in self.filters if f.compare == "EQUAL" and f.name == name), None)


@frozen
class Found:
    """The records of one page in their order, before the cap on the payload, and how many match in all."""

    total: int
    page: Sequence[Record] = field(repr=False)


def read_parameters(dataset: Dataset, parameters: Mapping[str, str]) -> Query:
    """A query as GET asks for it: limit, offset, fields, async. All else, filters too, is ignored without a word."""
    body: dict[str, Any] = {name: parameters[name] for name in ("limit", "offset", "async") if name in parameters}
    if parameters.get("fields"):
        body["fields"] = parameters["fields"].split(",")
    return read_body(dataset, body)


def read_body(dataset: Dataset, body: Mapping[str, Any]) -> Query:
    """A query as the JSON body of a POST asks for it. Keys that are not known are ignored.

    Raises:
        ApiError: 400, it is malformed or sorts where sorting is not allowed.
    """
    delimiter = body.get("delimiter", ",")
    if delimiter not in _DELIMITERS:
        raise ApiError(400, f"Invalid delimiter {delimiter!r}")
    is_async = str(body.get("async", False)).lower() == "true"
    asked = _whole(body, "limit", DEFAULT_LIMIT)
    query = Query(
        fields=tuple(_field(dataset, name) for name in _list(body, "fields")) or dataset.fields,
        filters=tuple(_filters(dataset, body)),
        sort=tuple(_sort_field(dataset, name) for name in _list(body, "sortFields")),
        limit=min(asked, MAX_ASYNC_LIMIT if is_async else MAX_LIMIT),
        offset=_whole(body, "offset", 0),
        delimiter=delimiter,
        quote=str(body.get("quoteValues", False)).lower() == "true",
        is_async=is_async,
    )
    _check_sort(dataset, query)
    _check_historic(dataset, query)
    return query


def find(dataset: Dataset, query: Query, at: datetime, drift: int = 0) -> Found:
    """The page that the query asks for at this instant, over all partitions that its filters leave.

    drift: where the query sorts nothing, by how many records the order is turned: another one for the next
    page gives some records twice and some never.
    """
    total = 0
    page: list[Record] = []
    for key in _matching_keys(dataset, query, at):
        state = dataset.state(key, at)
        size = _size(dataset, key, state, query.filters)
        start, wanted = max(query.offset - total, 0), query.limit - len(page)
        if start < size and wanted:
            matched = _matched(dataset, key, state, query.filters, query.sort)
            page += (matched if query.sort else _turned(matched, drift))[start : start + wanted]
        total += size
    return Found(total, page)


def _turned(records: Sequence[Record], drift: int) -> Sequence[Record]:
    turn = drift % len(records)
    return [*records[turn:], *records[:turn]] if turn else records


@lru_cache(maxsize=65536)
def _size(dataset: Dataset, key: Key, state: State, filters: tuple[Filter, ...]) -> int:
    return len(_matched(dataset, key, state, filters, ()))


@lru_cache(maxsize=64)
def _matched(
    dataset: Dataset, key: Key, state: State, filters: tuple[Filter, ...], sort: tuple[tuple[int, bool], ...]
) -> Sequence[Record]:
    records = dataset.records(key, state)
    for condition in filters:
        if condition.name not in dataset.partition_fields:
            place, accepts = condition.place, condition.accepts
            records = [record for record in records if accepts(record[place])]
    for place, descending in reversed(sort):
        records = sorted(records, key=lambda r: (r[place] is not None, r[place]), reverse=descending)
    return records


def _matching_keys(dataset: Dataset, query: Query, at: datetime) -> Iterator[Key]:
    conditions = [
        (dataset.partition_fields.index(f.name), f) for f in query.filters if f.name in dataset.partition_fields
    ]
    return (
        key
        for key in dataset.keys(at)
        if all(f.accepts(key[place]) for place, f in conditions) and not _is_older(dataset, query, key, at)
    )


def _is_older(dataset: Dataset, query: Query, key: Key, at: datetime) -> bool:
    """Whether a filter asks for rows updated after this partition's last change: all its rows need not be looked at."""
    asked = [f.wanted for f in query.filters if f.name == "lastUpdateDate" and f.compare in ("GTE", "GREATER", "EQUAL")]
    return bool(asked) and dataset.last_change(key, at) < max(asked)


def _filters(dataset: Dataset, body: Mapping[str, Any]) -> Iterator[Filter]:
    for given in _list(body, "compareFilters"):
        target = _field(dataset, given.get("fieldName"))
        compare = str(given.get("compareType", "EQUAL")).upper()
        if compare not in _COMPARISONS or (compare == "BEGINS_WITH" and target.kind != "String"):
            raise ApiError(400, f"Invalid compareType {given.get('compareType')!r} for {target.name}")
        yield Filter(target.name, target.place, compare, _value(target, given.get("fieldValue")))
    for given in _list(body, "dateRangeFilters"):
        target = _field(dataset, given.get("fieldName"))
        if target.kind != "Date":
            raise ApiError(400, f"{target.name} is not a date field")
        bounds = _value(target, given.get("startDate")), _value(target, given.get("endDate"))
        yield Filter(target.name, target.place, "RANGE", bounds)
    for given in _list(body, "domainFilters"):
        target = _field(dataset, given.get("fieldName"))
        values = frozenset(_value(target, value) for value in _list(given, "values"))
        yield Filter(target.name, target.place, "DOMAIN", values)


def _field(dataset: Dataset, name: object) -> Field:
    """By its name, in which case does not count."""
    found = next((f for f in dataset.fields if f.name.lower() == str(name).lower()), None)
    if found is None:
        raise ApiError(400, f"Invalid field name {name!r} for dataset {dataset.name}")
    return found


def _value(target: Field, given: object) -> Any:
    if target.name == "historicalMonth":
        return _date(f"{given}-01")
    if target.name == "historicalWeek":
        day = _date(str(given))
        return day - timedelta(days=day.weekday())
    if target.kind == "Date":
        return _date(str(given))
    if target.kind != "Number":
        return str(given)
    try:
        return Decimal(str(given)) * target.scale
    except InvalidOperation:
        raise ApiError(400, f"Invalid number {given!r} for field {target.name}") from None


def _date(text: str) -> date:
    try:
        if len(text) == len("yyyy-MM-dd"):
            return date.fromisoformat(text)
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").date()  # noqa: DTZ007  only the day counts
    except ValueError:
        raise ApiError(400, _BAD_DATE) from None


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body.get(name) or []
    if not isinstance(value, list) or (name.endswith("Filters") and not all(isinstance(v, dict) for v in value)):
        raise ApiError(400, f"{name} is not a list of the right form")
    return value


def _whole(body: Mapping[str, Any], name: str, default: int) -> int:
    try:
        number = int(body.get(name, default))
    except (TypeError, ValueError):
        raise ApiError(400, f"{name} is not a number") from None
    if number < 0:
        raise ApiError(400, f"{name} is negative")
    return number


def _sort_field(dataset: Dataset, name: object) -> tuple[int, bool]:
    text = str(name)
    return _field(dataset, text.lstrip("+-")).place, text.startswith("-")


def _check_sort(dataset: Dataset, query: Query) -> None:
    if not query.sort:
        return
    if not dataset.sortable:
        raise ApiError(400, f"Sorting is not supported for dataset {dataset.name}")
    missing = [name for name in dataset.partition_fields if query.equal(name) is None]
    if missing:
        raise ApiError(
            400,
            "Sorting is allowed only if all partitions keys are specified in EQUAL CompareFilter. "
            f"Partition keys missing or not using EQUAL CompareFilter: {', '.join(missing)}",
        )


_HISTORIC_PERIODS = ("weekStartDate", "historicalWeek", "historicalMonth")


def _check_historic(dataset: Dataset, query: Query) -> None:
    """Exactly one of the three periods, perhaps the tier, nothing else."""
    if dataset.name != "weeklySummaryHistoric":
        return
    names = [f.name for f in query.filters]
    periods = [name for name in names if name in _HISTORIC_PERIODS]
    others = set(names) - {*_HISTORIC_PERIODS, "tierIdentifier"}
    if len(periods) != 1 or others:
        raise ApiError(400, f"Filter by exactly one of {', '.join(_HISTORIC_PERIODS)} and optionally tierIdentifier")
