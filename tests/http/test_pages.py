"""A partition is read whole or not at all: paging, and what a page must hold."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceDataError, SourceError, SourceUnavailableError
from finra_core.weekly_summary.parsing import parse_content
from finra_core.weekly_summary.payload import Payload, count_rows
from support.byte_server import Seen, answer, serving
from support.one_partition_server import (
    HEADER,
    NEWEST,
    PARTITION,
    Change,
    Desk,
    always,
    connect,
    kind_of,
    make_rows,
    once,
    quoted,
)

NO_DATA = {
    "204": answer(status=204, Record_Total=0),
    "empty": answer(),
    "empty array": answer("[]", media_type="application/json"),
    "header only": answer(HEADER + "\n", Record_Total=0),
    "header only, no line end": answer(HEADER),
    "JSON object": answer(
        '{"statusCode": 200, "message": "No data found for specified dataset request"}', media_type="application/json"
    ),
}


def fetch(desk: Desk) -> Payload:
    with serving(desk) as url:
        source = connect(url)
        try:
            return source.fetch(PARTITION)
        finally:
            source.close()


def text_of(payload: Payload) -> str:
    (document,) = payload.documents
    return document.decode()


def page(rows: list[str], *, header: str = HEADER, end: str = "\n", **counts: object) -> bytes:
    told: dict[str, Any] = {"Record_Total": len(rows), "Total_Records_On_Page": len(rows), **counts}
    return answer("\n".join([header, *rows]) + end, **{k: v for k, v in told.items() if v is not None})


def offsets(desk: Desk) -> list[tuple[object, object]]:
    return [(seen.query["offset"], seen.query["limit"]) for seen in desk.seen if kind_of(seen) == "page"]


def test_the_pages_of_a_partition_make_one_document_with_one_header() -> None:
    desk = Desk(make_rows(3100))
    payload = fetch(desk)
    assert text_of(payload) == "".join(f"{line}\n" for line in [HEADER, *desk.rows])
    assert sorted(offsets(desk), key=str) == [(0, 5000), (10000, 2400), (5000, 5000)]
    assert payload.version == SourceVersion(date.fromisoformat(NEWEST), 12_400)


def test_the_core_reads_the_document_and_its_control_totals_agree() -> None:
    parsed = parse_content(fetch(Desk()).documents, PARTITION)
    assert (len(parsed.records), parsed.control_rows, parsed.rejects) == (8, 8, ())
    assert sum(parsed.records.shares_micros) == (1.5 + 2.5 + 3.5 + 4.5 + 400) * 1_000_000


def test_a_short_page_is_not_the_last() -> None:
    desk = Desk(page_rows=7)
    assert count_rows(fetch(desk).documents) == 16
    assert offsets(desk) == [(0, 16), (7, 9), (14, 2)]


@given(cap=st.integers(1, 40), symbols=st.integers(1, 8))
@settings(max_examples=25)
def test_the_document_does_not_depend_on_where_pages_end(cap: int, symbols: int) -> None:
    rows = make_rows(symbols)
    assert text_of(fetch(Desk(rows, page_rows=cap))).splitlines()[1:] == rows


def test_the_questions_fix_both_partition_keys_and_the_order() -> None:
    desk = Desk()
    fetch(desk)
    for seen in desk.seen:
        query = seen.query
        filters = {(f["fieldName"], f["compareType"], f["fieldValue"]) for f in query["compareFilters"]}  # type: ignore[attr-defined]
        assert filters == {("weekStartDate", "EQUAL", "2025-12-29"), ("tierIdentifier", "EQUAL", "OTCE")}
        assert query["domainFilters"] == [
            {
                "fieldName": "summaryTypeCode",
                "values": ["ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM", "ATS_W_SMBL", "OTC_W_SMBL"],
            }
        ]
        assert (query["delimiter"], query["quoteValues"]) == ("|", False)
        assert (seen.headers["accept"], seen.headers["accept-encoding"]) == ("text/plain", "gzip")
    probe, first = desk.seen[0].query, desk.seen[1].query
    assert (probe["fields"], probe["sortFields"], probe["limit"]) == (["lastUpdateDate"], ["-lastUpdateDate"], 1)
    assert first["fields"] == HEADER.split("|")
    assert first["sortFields"] == [
        "summaryTypeCode",
        "issueSymbolIdentifier",
        "MPID",
        "firmCRDNumber",
        "productTypeCode",
        "issueName",
    ]


def republishing(times: int) -> tuple[Desk, Change]:
    """A desk whose rows grow by one symbol while a page is on its way, the first `times` times."""
    desk = Desk(make_rows(4), page_rows=9)
    left = [times]

    def change(seen: Seen, sound: bytes) -> bytes:
        if left[0] and seen.query["offset"] == 0:
            left[0] -= 1
            desk.rows = make_rows(len(desk.rows) // 4 + 1)
        return sound

    desk.changes["page"] = change
    return desk, change


def test_a_partition_republished_in_mid_read_is_read_again() -> None:
    desk, _ = republishing(1)
    payload = fetch(desk)
    assert text_of(payload).splitlines()[1:] == make_rows(5)
    assert payload.version == SourceVersion(date.fromisoformat(NEWEST), 20)
    assert desk.count()["probe"] == 2


def test_a_partition_republished_again_and_again_is_left_to_a_later_run() -> None:
    desk, _ = republishing(99)
    with pytest.raises(SourceUnavailableError, match="republished while being read, 3 times") as caught:
        fetch(desk)
    assert caught.value.partition == PARTITION
    assert desk.count()["probe"] == 3


def test_a_newer_row_than_the_probe_saw_is_a_republication() -> None:
    newer = [row.replace(NEWEST, "2026-02-09") for row in make_rows()]
    with pytest.raises(SourceUnavailableError, match="lastUpdateDate went from 2026-02-03 to 2026-02-09"):
        fetch(Desk(changes={"page": always(page(newer))}))


def test_a_row_that_comes_twice_is_no_whole_partition() -> None:
    twice = [make_rows()[-1], *make_rows()[1:]]
    with pytest.raises(SourceUnavailableError, match="1 rows came twice"):
        fetch(Desk(changes={"page": always(page(twice))}))


def test_a_failing_page_ends_the_whole_partition() -> None:
    def last_fails(seen: Seen, sound: bytes) -> bytes:
        return answer(status=400) if seen.query["offset"] == 10_000 else sound

    with pytest.raises(SourceError, match="HTTP 400"):
        fetch(Desk(make_rows(3100), changes={"page": last_fails}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2025-12-29", "2023-11-06", "weekStartDate is '2023-11-06' where '2025-12-29' is asked for"),
        ("|OTCE|ATS", "|NMS|ATS", "tierIdentifier is 'NMS' where 'OTCE' is asked for"),
        ("|ATS_W_SMBL|", "|ATS_W_FIRM|", "summaryTypeCode is 'ATS_W_FIRM', which was not asked for"),
        ("Company 2, Inc", "Company | Inc", "a value holds a delimiter or a quote, and FINRA does not quote values"),
        ("Company 2, Inc", "Company\nInc", "line 4 of a page: 5 fields where the header has 12"),
        ("Company 2, Inc", 'Company "2" Inc', "a value holds a delimiter or a quote, and FINRA does not quote values"),
        ("Company 2, Inc", "Company\r2", r"line 4 of a page holds '\\r' in a value"),
        ("2026-02-03", "2026-02-31", "lastUpdateDate '2026-02-31' is not a date"),
        ("2026-02-03", "", "lastUpdateDate '' is not a date"),
    ],
)
def test_rows_that_were_not_asked_for_or_cannot_be_told_apart_are_an_error(old: str, new: str, message: str) -> None:
    rows = [row.replace(old, new) for row in make_rows()]
    with pytest.raises(SourceDataError, match=f"^API fetch failed .HTTP 200. for 2026-01-02 / OTC: {message}"):
        fetch(Desk(changes={"page": always(page(rows, Total_Records_On_Page=16))}))


def test_a_page_that_holds_a_quote_is_asked_for_again_with_quotes_around_all_values() -> None:
    rows = [row.replace("Company 2, Inc", 'Company "2" Inc') for row in make_rows()]
    desk = Desk(rows, page_rows=8)
    assert text_of(fetch(desk)).splitlines() == [HEADER, *rows]
    asked = [(seen.query["offset"], seen.query["quoteValues"]) for seen in desk.seen if kind_of(seen) == "page"]
    # The rows of company 2 are 3 and 11 of 16.
    assert asked == [(0, False), (0, True), (8, False), (8, True)]


def test_values_that_are_quoted_though_that_was_not_asked_for_are_read_as_such() -> None:
    desk = Desk()
    header, *rows = map(quoted, [HEADER, *desk.rows])
    desk.changes["page"] = once(always(page(rows, header=header)))
    assert text_of(fetch(desk)) == text_of(fetch(Desk()))
    assert desk.count()["page"] == 2


def test_text_that_is_not_utf8_is_an_error() -> None:
    content = page(make_rows()).replace(b"Company 2", b"Compan\xe9 2")
    with pytest.raises(SourceDataError, match="not UTF-8"):
        fetch(Desk(changes={"page": always(content)}))


def test_more_rows_than_asked_for_are_an_error() -> None:
    with pytest.raises(SourceDataError, match="20 rows where 16 are asked for"):
        fetch(Desk(changes={"page": always(page(make_rows(5), Record_Total=16))}))


@pytest.mark.parametrize("end", ["\n", ""])
@pytest.mark.parametrize("cut", [1, 40, 90, 400])
def test_a_body_cut_without_any_sign_of_its_length_is_noticed(cut: int, end: str) -> None:
    text = "\n".join([HEADER, *make_rows()]) + end
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nRecord-Total: 16\r\nTotal-Records-On-Page: 16\r\n\r\n"
    desk = Desk(changes={"page": once(always((head + text[: -cut - len(end)]).encode()))})
    assert text_of(fetch(desk)).splitlines()[1:] == desk.rows
    assert offsets(desk) == [(0, 16), (0, 16)]


def test_a_probe_of_unknown_or_absurd_total_is_no_answer() -> None:
    for total, kind in ((None, SourceUnavailableError), ("many", SourceUnavailableError), (10**15, SourceDataError)):
        told = {} if total is None else {"Record_Total": total}
        with pytest.raises(kind):
            fetch(Desk(changes={"probe": always(answer("lastUpdateDate\n2026-02-03\n", **told))}))  # type: ignore[arg-type]


def test_a_partition_that_shrinks_in_mid_read_is_read_again() -> None:
    desk = Desk(make_rows(8), page_rows=20)

    def shrink(seen: Seen, sound: bytes) -> bytes:
        desk.rows = make_rows(4)
        return sound

    desk.changes["page"] = shrink
    assert text_of(fetch(desk)).splitlines()[1:] == make_rows(4)


@pytest.mark.parametrize("symbols", [8, 2])
def test_a_partition_republished_between_its_probe_and_its_fetch_is_asked_for_anew(symbols: int) -> None:
    desk = Desk(make_rows(4))
    with serving(desk) as url:
        source = connect(url)
        expected = source.probe(PARTITION)
        desk.rows = make_rows(symbols)
        payload = source.fetch(PARTITION, expected)
        source.close()
    assert text_of(payload).splitlines()[1:] == make_rows(symbols)
    assert payload.version == SourceVersion(date.fromisoformat(NEWEST), 4 * symbols)
    assert desk.count()["probe"] == 2


def test_rows_restated_between_their_probe_and_their_fetch_have_the_version_that_they_came_with() -> None:
    desk = Desk()
    with serving(desk) as url:
        source = connect(url)
        expected = source.probe(PARTITION)
        desk.rows = [row.replace(NEWEST, "2026-02-09") for row in desk.rows]
        payload = source.fetch(PARTITION, expected)
        source.close()
    assert payload.version == SourceVersion(date(2026, 2, 9), 16)


def test_what_the_caller_has_seen_is_not_asked_for_again_and_the_source_remembers_nothing() -> None:
    desk = Desk()
    with serving(desk) as url, connect(url) as source:
        expected = source.probe(PARTITION)
        assert source.fetch(PARTITION, expected).version == expected
        assert source.fetch(PARTITION, expected).version == expected
        assert desk.count() == {"probe": 1, "page": 2}
        assert source.fetch(PARTITION).version == expected
    assert desk.count() == {"probe": 2, "page": 3}


def test_a_version_that_does_not_count_its_rows_is_no_help() -> None:
    desk = Desk()
    with serving(desk) as url, connect(url) as source:
        payload = source.fetch(PARTITION, SourceVersion(date.fromisoformat(NEWEST), None))
    assert payload.version == SourceVersion(date.fromisoformat(NEWEST), 16)
    assert desk.count() == {"probe": 1, "page": 1}


def test_a_partition_withdrawn_in_mid_read_has_no_rows() -> None:
    gone = always(answer(status=204, Record_Total=0))
    desk = Desk(changes={"page": gone})

    def second(_seen: Seen, sound: bytes) -> bytes:
        return sound if desk.count()["probe"] == 1 else NO_DATA["204"]

    desk.changes["probe"] = second
    with pytest.raises(SourceDataError, match="no rows for"):
        fetch(desk)


def test_columns_in_another_order_are_put_in_ours() -> None:
    names = HEADER.split("|")
    order = sorted(range(len(names)), key=lambda i: names[i])

    def shuffled(line: str) -> str:
        cells = line.split("|")
        return "|".join(cells[i] for i in order)

    content = page([shuffled(row) for row in make_rows()], header=shuffled(HEADER))
    payload = fetch(Desk(changes={"page": always(content)}))
    assert text_of(payload).splitlines() == [HEADER, *make_rows()]


def test_line_ends_of_another_kind_are_no_content() -> None:
    text = "\r\n".join([HEADER, *make_rows(), ""])
    content = answer(text, Record_Total=16, Total_Records_On_Page=16)
    assert text_of(fetch(Desk(changes={"page": always(content)}))) == text_of(fetch(Desk()))


@pytest.mark.parametrize("before", ["\t", " ", "\n"])
def test_a_header_with_something_before_it_is_a_fault(before: str) -> None:
    desk = Desk(changes={"page": once(always(page(make_rows(), header=before + HEADER)))})
    assert text_of(fetch(desk)).splitlines() == [HEADER, *desk.rows]
    assert desk.count()["page"] == 2


@pytest.mark.parametrize("form", NO_DATA)
def test_no_data_is_a_state_to_the_probe_and_an_error_to_the_fetch(form: str) -> None:
    content = NO_DATA[form].replace(HEADER.encode(), b"lastUpdateDate")
    content = content.replace(f"Content-Length: {len(HEADER)}".encode(), b"Content-Length: 14")
    content = content.replace(f"Content-Length: {len(HEADER) + 1}".encode(), b"Content-Length: 15")
    desk = Desk(changes={"probe": always(content)})
    with serving(desk) as url:
        source = connect(url)
        assert source.probe(PARTITION) is None
        with pytest.raises(SourceDataError, match=r"^no rows for 2026-01-02 / OTC, though it was listed") as caught:
            source.fetch(PARTITION)
        source.close()
    assert caught.value.partition == PARTITION
    assert desk.count() == {"probe": 2}


@pytest.mark.parametrize("form", [form for form in NO_DATA if "Record-Total" not in NO_DATA[form].decode()])
def test_an_empty_page_before_the_last_row_is_a_fault(form: str) -> None:
    desk = Desk(changes={"page": once(always(NO_DATA[form]))})
    assert text_of(fetch(desk)).splitlines()[1:] == desk.rows
    with pytest.raises(SourceUnavailableError):
        fetch(Desk(changes={"page": always(NO_DATA[form])}))


def test_nothing_is_no_answer_where_the_total_says_otherwise() -> None:
    with serving(Desk(changes={"probe": always(answer(Record_Total=16))})) as url:
        source = connect(url)
        with pytest.raises(SourceUnavailableError, match="no rows, though Record-Total is 16"):
            source.probe(PARTITION)
        source.close()


@pytest.mark.parametrize(
    "body",
    [
        '{"partitionFields": ["weekStartDate", "tierIdentifier"], "availablePartitions": []}',
        '{"statusCode": 200, "message": "No partitions found for the dataset"}',
        "[]",
    ],
)
def test_an_empty_list_of_partitions_is_a_state(body: str) -> None:
    with serving(Desk(changes={"listing": always(answer(body, media_type="application/json"))})) as url:
        source = connect(url)
        assert source.list_partitions().partitions == frozenset()
        source.close()


@pytest.mark.parametrize(
    "body", ["{}", '"x"', '{"partitionFields": ["monthStartDate"], "availablePartitions": []}', "", HEADER]
)
def test_what_is_no_list_of_partitions_is_a_fault(body: str) -> None:
    with serving(Desk(changes={"listing": always(answer(body, media_type="application/json"))})) as url:
        source = connect(url)
        with pytest.raises(SourceUnavailableError):
            source.list_partitions()
        source.close()


def test_the_listing_follows_the_order_of_the_fields_and_names_weeks_without_monday() -> None:
    body = json.dumps(
        {
            "partitionFields": ["tierIdentifier", "weekStartDate"],
            "availablePartitions": [
                {"partitions": ["OTCE", "2025-12-29"]},
                {"partitions": ["T1", "2025-12-30"]},
                {"partitions": ["T2", "soon"]},
                {"partitions": ["NMS", "2023-11-06"]},
            ],
        }
    )
    with serving(Desk(changes={"listing": always(answer(body, media_type="application/json"))})) as url:
        source = connect(url)
        listing = source.list_partitions()
        source.close()
    assert listing.partitions == {PARTITION}
    assert ["'2025-12-30'" in p.message or "'soon'" in p.message for p in listing.problems] == [True, True]
