"""Which older weeks FINRA has restated: asked of all of them at once, instead of each by itself."""

from __future__ import annotations

import logging
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from attrs import evolve, frozen

from finra_core.domain.errors import SourceDataError, SourceRejectedError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import week_ending_of, week_start_of
from finra_http.answers import csv_text, iso_date
from finra_http.client import Client
from finra_http.limits import Deadline
from finra_http.problems import FaultError
from finra_http.query import DELIMITER, RESTATED_FIELDS, restated_request
from finra_http.transport import Reply

logger = logging.getLogger(__name__)

MAX_REQUESTS = 20
"""More than any restatements so far need: FINRA has changed a handful of rows at a time."""


def find_restated(client: Client, day: date, before: date, deadline: Deadline) -> frozenset[Partition] | None:
    """Partitions of weeks that end before `before`, with rows updated on or after `day`: mostly one request.

    None, and the reason in the log, where FINRA refuses the question, ignores a part of it, or has more to say than
    MAX_REQUESTS can hold.

    Raises:
        SourceError: the API does not answer, does not accept the credentials, or the budget does not allow it.
    """
    try:
        return _find(client, _Question(day, week_start_of(before)), deadline)
    except SourceDataError as error:
        reason = error.message
    except SourceRejectedError as error:
        if error.status_code != HTTPStatus.BAD_REQUEST:
            raise
        reason = error.message
    logger.info("API cannot tell which older weeks were restated since %s: %s", day, reason)
    return None


class _Row(NamedTuple):
    monday: date
    tier_code: str
    updated: date


@frozen
class _Question:
    """Rows updated on or after `day`, of weeks whose Monday lies before `before`.

    tier: of this one, None for all. but: Mondays of weeks to leave out.
    """

    day: date
    before: date
    tier: Tier | None = None
    but: frozenset[date] = frozenset()

    def is_answered_by(self, row: _Row) -> bool:
        """Whether this is one of the rows that are asked for."""
        of_tier = self.tier is None or row.tier_code == self.tier.finra_code
        return of_tier and row.updated >= self.day and row.monday < self.before and row.monday not in self.but


@frozen
class _Answer:
    """is_whole: whether all rows that are asked for came."""

    partitions: frozenset[Partition] = frozenset()
    is_whole: bool = True


def _find(client: Client, question: _Question, deadline: Deadline) -> frozenset[Partition]:
    """Ask once for all tiers. Where not all rows come, ask for each tier, and leave out the weeks known by then.

    Nothing can sort such an answer, so its pages could overlap and leave gaps: the next question leaves out what is
    known, instead of paging on.
    """
    answer = _ask(client, question, deadline)
    found = set(answer.partitions)
    if answer.is_whole:
        return frozenset(found)
    asked = 1
    for tier in TIERS:
        answer = _Answer(is_whole=False)
        while not answer.is_whole:
            if asked == MAX_REQUESTS:
                raise SourceDataError(f"more rows than {MAX_REQUESTS} answers hold")
            known = frozenset(partition.week_start for partition in found if partition.tier is tier)
            answer = _ask(client, evolve(question, tier=tier, but=known), deadline)
            asked += 1
            found |= answer.partitions
    return frozenset(found)


def _ask(client: Client, question: _Question, deadline: Deadline) -> _Answer:
    request = restated_request(question.day, question.before, question.tier, question.but)
    return client.send(request, partial(_read, question=question), deadline)


def _read(reply: Reply, question: _Question) -> _Answer:
    text = csv_text(reply, RESTATED_FIELDS)
    if text is None:
        return _Answer()
    header, *lines = text.decode("utf-8", "replace").split()
    total = reply.count("Record-Total")
    if total is None:
        raise FaultError("rows without the number of all rows (Record-Total)")
    declared = reply.count("Total-Records-On-Page")
    if declared not in (None, len(lines)) or total < len(lines):
        raise FaultError(f"{len(lines):,} rows arrived where the page says {declared} of {total:,}")
    rows = {_row(header, line) for line in set(lines)}
    for row in sorted(rows):
        if not question.is_answered_by(row):
            raise SourceDataError(
                f"a filter is ignored: the week of {row.monday} / {row.tier_code}, updated on {row.updated}, came too"
            )
    return _Answer(frozenset(filter(None, map(_partition, rows))), is_whole=total == len(lines))


def _row(header: str, line: str) -> _Row:
    names = [name.strip('"') for name in header.split(DELIMITER)]
    cells = [cell.strip('"') for cell in line.split(DELIMITER)]
    if len(cells) != len(names):
        raise FaultError(f"{len(cells)} values where {len(names)} are asked for")
    found = dict(zip(names, cells, strict=True))
    monday, updated = iso_date(found["weekStartDate"]), iso_date(found["lastUpdateDate"])
    if monday is None or monday.weekday() or updated is None:
        raise FaultError("other than the Monday and the date of the last update that are asked for")
    return _Row(monday, found["tierIdentifier"], updated)


def _partition(row: _Row) -> Partition | None:
    """None for what belongs to none of the three tiers (NMS)."""
    tier = Tier.from_finra_code(row.tier_code)
    return None if tier is None else Partition(week_ending_of(row.monday), tier)
