"""A hand-made FINRA with one partition, as a script for `wire`, and a source that reads it without real waiting."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from typing import Any

from attrs import Factory, define, field

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_http import HttpSource, open_source
from finra_http.limits import Runtime
from support.byte_server import Seen, answer

PARTITION = Partition(date(2026, 1, 2), Tier.OTC)
MONDAY, CODE = "2025-12-29", "OTCE"
NEWEST = "2026-02-03"
HEADER = (
    "weekStartDate|tierIdentifier|summaryTypeCode|issueSymbolIdentifier|issueName|marketParticipantName|MPID|"
    "firmCRDNumber|productTypeCode|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"
)
LISTING = json.dumps(
    {
        "datasetGroup": "otcmarket",
        "datasetName": "weeklysummary",
        "partitionFields": ["weekStartDate", "tierIdentifier"],
        "availablePartitions": [{"partitions": [MONDAY, CODE]}, {"partitions": [MONDAY, "NA"]}],
    }
)
TOKEN = json.dumps({"access_token": "tok-1", "token_type": "Bearer", "expires_in": "1800"})


def make_rows(symbols: int = 4) -> list[str]:
    """Per symbol an ATS row, a firm's row and both control totals; the last row is the newest."""
    rows = []
    for i in range(symbols):
        symbol, name = f"S{i:05d}", f"Company {i}, Inc & Sons"
        day = NEWEST if i == symbols - 1 else "2026-02-02"
        parts = [
            ("ATS_W_SMBL", "", "", "", f"{i + 1}.5"),
            ("ATS_W_SMBL_FIRM", "OTCN OTC LINK", "OTCN", "", f"{i + 1}.5"),
            ("OTC_W_SMBL", "", "", "", "100"),
            ("OTC_W_SMBL_FIRM", "A FIRM LLC", "", "12345", "100"),
        ]
        for kind, venue, mpid, crd, shares in parts:
            rows.append(f"{MONDAY}|{CODE}|{kind}|{symbol}|{name}|{venue}|{mpid}|{crd}|OTCE|{shares}|3|{day}")
    return sorted(rows, key=lambda row: row.split("|")[2:4])


def quoted(row: str) -> str:
    """A row as FINRA sends it with quoteValues: quotes around all values that are not empty, quotes in them doubled."""
    cells = row.replace('"', '""').split("|")
    return "|".join(f'"{cell}"' if cell else "" for cell in cells)


def kind_of(seen: Seen) -> str:
    if seen.path.startswith("/partitions/"):
        return "listing"
    if seen.path.startswith("/token"):
        return "token"
    return "probe" if seen.query["fields"] == ["lastUpdateDate"] else "page"


Change = Callable[[Seen, bytes], bytes]


@define
class Desk:
    """Answers every kind of request soundly, except where `changes` puts something else in an answer's place."""

    rows: list[str] = Factory(make_rows)
    page_rows: int = 5000
    changes: dict[str, Change] = Factory(dict)
    seen: list[Seen] = Factory(list)
    _lock: threading.Lock = field(factory=threading.Lock)

    def __call__(self, seen: Seen) -> bytes:
        with self._lock:
            self.seen.append(seen)
        kind = kind_of(seen)
        sound: bytes = getattr(self, f"_{kind}")(seen)
        return self.changes[kind](seen, sound) if kind in self.changes else sound

    def count(self) -> Counter[str]:
        return Counter(map(kind_of, self.seen))

    def _listing(self, _seen: Seen) -> bytes:
        return answer(LISTING, media_type="application/json", zipped=True)

    def _token(self, _seen: Seen) -> bytes:
        return answer(TOKEN, media_type="application/json;charset=UTF-8")

    def _probe(self, _seen: Seen) -> bytes:
        newest = max(row.rpartition("|")[2] for row in self.rows)
        return self._data("lastUpdateDate", [newest])

    def _page(self, seen: Seen) -> bytes:
        query = seen.query
        offset, limit = query["offset"], query["limit"]
        assert isinstance(offset, int)
        assert isinstance(limit, int)
        lines = [HEADER, *self.rows[offset : offset + min(limit, self.page_rows)]]
        header, *rows = map(quoted, lines) if query["quoteValues"] else lines
        return self._data(header, rows)

    def _data(self, header: str, rows: list[str]) -> bytes:
        text = "".join(f"{line}\n" for line in [header, *rows])
        counts: dict[str, Any] = {"Record_Total": len(self.rows), "Total_Records_On_Page": len(rows)}
        return answer(text, zipped=True, FINRA_api_request_id="req-1", **counts)


def once(change: Change) -> Change:
    """The change for the first request only."""
    left = [change]

    def first(seen: Seen, sound: bytes) -> bytes:
        return left.pop()(seen, sound) if left else sound

    return first


def always(content: bytes) -> Change:
    return lambda _seen, _sound: content


@define
class Time:
    """A clock that moves only when someone sleeps."""

    now: float = 1000.0
    sleeps: list[float] = Factory(list)
    _lock: threading.Lock = field(factory=threading.Lock)

    def clock(self) -> float:
        with self._lock:
            return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.sleeps.append(seconds)

    def runtime(self, jitter: float = 1.0) -> Runtime:
        return Runtime(
            self.clock, self.sleep, lambda: jitter, lambda: datetime(2026, 2, 10, 12, 0, 0, tzinfo=timezone.utc)
        )


CREDENTIALS = {"FINRA_CLIENT_ID": "an-id", "FINRA_CLIENT_SECRET": "a-secret!"}


def connect(url: str, settings: Mapping[str, str] | None = None, time: Time | None = None) -> HttpSource:
    """A source of this URL that never really sleeps; its rate limit is out of the way."""
    given = {"FINRA_TOKEN_URL": f"{url}/token", "FINRA_REQUESTS_PER_SECOND": "1e9", **(settings or {})}
    return open_source(url, given, runtime=(time or Time()).runtime())
