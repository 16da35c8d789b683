"""What FINRA really sent is understood: a recorded exchange, and real rows in the form in which the API sends them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import MICROS
from finra_core.domain.tiers import Tier
from finra_core.weekly_summary.parsing import parse_content
from finra_http.answers import json_object
from finra_http.limits import Deadline, Tally
from finra_http.query import Request
from finra_http.transport import Transport
from support.byte_server import Seen, answer, serving
from support.one_partition_server import PARTITION, Time, connect, kind_of

FILES = [
    ("finra_otc_weekly_otc_20251215.csv", Partition(date(2025, 11, 14), Tier.OTC), "2025-12-15", 5328),
    ("finra_otc_weekly_otc_20251222.csv", Partition(date(2025, 11, 21), Tier.OTC), "2025-12-22", 5192),
]


def as_recorded(exchange: dict[str, dict[str, object]]) -> bytes:
    """The recorded answer as it went over the network: its headers, gzip, chunks."""
    told = exchange["response"]["headers"]
    assert isinstance(told, dict)
    body = gzip.compress(json.dumps(exchange["response"]["json"]).encode())
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 200 OK\r\n{head}\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


def test_the_recorded_exchange_is_read_as_finra_sent_it(shared_data: Path) -> None:
    exchange = json.loads((shared_data / "weeklyDownloadDetails_cassette_2023-11-09.json").read_text("utf-8"))
    runtime = Time().runtime()
    with serving(lambda _seen: as_recorded(exchange)) as url:
        transport = Transport(url, {})
        request = Request("POST", "", "a test", "application/json", body=b"{}")
        reply = transport.exchange(request, None, Tally(1_000_000), Deadline.after(10, runtime.clock))
        transport.close()
    assert (reply.count("Record-Total"), reply.count("total-records-on-page")) == (262, 52)
    assert reply.request_id == "68406df6-73c6-4dba-85e0-4a0c5d17f6c6"
    assert reply.media_type == "application/json"
    assert json.loads(reply.body) == exchange["response"]["json"]
    # It is a list of rows, where the listing is an object: a fault, not an empty listing.
    with pytest.raises(Exception, match="unexpected kind: list"):
        json_object(reply)


def serve_rows(header: str, lines: list[str], newest: str) -> Callable[[Seen], bytes]:
    def serve(seen: Seen) -> bytes:
        told: dict[str, Any] = {"Record_Total": len(lines), "FINRA_api_request_id": "real"}
        if kind_of(seen) == "probe":
            return answer(f"lastUpdateDate\n{newest}", **told)
        offset, limit = seen.query["offset"], seen.query["limit"]
        assert isinstance(offset, int)
        assert isinstance(limit, int)
        part = lines[offset : offset + min(limit, 2000)]
        return answer("\n".join([header, *part]), zipped=True, Total_Records_On_Page=len(part), **told)

    return serve


@pytest.mark.parametrize(("name", "partition", "newest", "rows"), FILES)
def test_real_rows_pass_every_check(shared_data: Path, name: str, partition: Partition, newest: str, rows: int) -> None:
    with (shared_data / name).open(encoding="ascii", newline="") as file:
        found = list(csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE))
    fixed = {
        "weekStartDate": str(partition.week_start),
        "tierIdentifier": "OTCE",
        "summaryTypeCode": "ATS_W_SMBL_FIRM",
        "firmCRDNumber": "",
        "productTypeCode": "",
    }
    names = [*fixed, *(name for name in found[0] if name != "tierDescription")]
    lines = ["|".join({**fixed, **row}[name] for name in names) for row in found]
    with serving(serve_rows("|".join(names), lines, newest)) as url:
        source = connect(url)
        payload = source.fetch(partition)
        source.close()
    parsed = parse_content(payload.documents, partition)
    assert payload.version is not None
    assert payload.version.row_count == len(parsed.records) == rows
    total = sum(Decimal(row["totalWeeklyShareQuantity"]) for row in found)
    assert sum(parsed.records.shares_micros) == total * MICROS


def test_the_real_answer_of_ignored_filters_is_refused(shared_data: Path) -> None:
    """Two rows of an old week, tier NMS: what FINRA gave to a client whose filters it ignored."""
    rows = json.loads((shared_data / "weeklySummary_unfiltered_2rows.json").read_text("utf-8"))
    names = list(rows[0])
    lines = ["|".join("" if row[name] is None else str(row[name]) for name in names) for row in rows]

    def serve(seen: Seen) -> bytes:
        asked = [str(name) for name in seen.query["fields"]]  # type: ignore[attr-defined]
        picked = ["|".join(line.split("|")[names.index(name)] for name in asked) for line in lines]
        return answer("\n".join(["|".join(asked), *picked[: int(str(seen.query["limit"]))]]), Record_Total=2)

    with serving(serve) as url:
        source = connect(url)
        with pytest.raises(SourceDataError, match="tierIdentifier is 'NMS' where 'OTCE' is asked for"):
            source.fetch(PARTITION)
        source.close()
