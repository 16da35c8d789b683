"""From rows to records: exact, each row accounted for, and nothing of another week, tier or cut."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core.domain.errors import ControlTotalError, SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import MICROS, format_shares
from finra_core.domain.tiers import Tier
from finra_core.weekly_summary.parsing import ParsedContent, parse_content
from finra_core.weekly_summary.payload import count_rows

PARTITION = Partition(date(2025, 11, 14), Tier.OTC)
COLUMNS = {
    "weekStartDate": "2025-11-10",
    "tierIdentifier": "OTCE",
    "tierDescription": "OTC",
    "summaryTypeCode": "ATS_W_SMBL_FIRM",
    "issueSymbolIdentifier": "AABB",
    "issueName": "Asia Broadband Inc Common Stock",
    "marketParticipantName": "OTCN OTC LINK NQB IDQS",
    "MPID": "OTCN",
    "firmCRDNumber": "",
    "productTypeCode": "OTCE",
    "totalWeeklyShareQuantity": "6753871",
    "totalWeeklyTradeCount": "171",
    "lastUpdateDate": "2025-12-15",
}
SHORT_NAMES = {
    "symbol": "issueSymbolIdentifier",
    "shares": "totalWeeklyShareQuantity",
    "trades": "totalWeeklyTradeCount",
    "mpid": "MPID",
    "crd": "firmCRDNumber",
    "kind": "summaryTypeCode",
    "updated": "lastUpdateDate",
    "tier": "tierIdentifier",
    "description": "tierDescription",
    "monday": "weekStartDate",
    "name": "issueName",
    "product": "productTypeCode",
    "venue": "marketParticipantName",
}


MINIMAL = b"issueSymbolIdentifier|VENUE|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate\n"


def row(**values: str) -> str:
    return "|".join((COLUMNS | {SHORT_NAMES[name]: value for name, value in values.items()}).values())


def document(*rows: str) -> bytes:
    return "\n".join(["|".join(COLUMNS), *rows]).encode()


def parse(*rows: str) -> ParsedContent:
    return parse_content([document(*rows)], PARTITION)


def reasons(*rows: str) -> list[tuple[int, str]]:
    """Line and reason of each reject, of these rows after a good one."""
    parsed = parse(row(symbol="GOOD"), *rows)
    return [(reject.line, reject.reason) for reject in parsed.rejects]


def test_an_ats_row_becomes_a_record() -> None:
    (record,) = parse(row()).records.rows()
    security = ("AABB", "Asia Broadband Inc Common Stock", "OTCE")
    venue = ("ATS", "OTCN", "", "OTCN OTC LINK NQB IDQS")
    assert record == (security, venue, 6_753_871_000_000, 171, "2025-12-15")


def test_a_non_ats_row_is_known_by_its_firms_crd_number() -> None:
    records = parse(row(kind="OTC_W_SMBL_FIRM", mpid="", crd="149823", venue="VIRTU AMERICAS LLC")).records
    assert list(records.venues) == [("NON_ATS", "", "149823", "VIRTU AMERICAS LLC")]


def test_a_download_without_a_crd_column_is_of_ats_rows() -> None:
    content = MINIMAL.replace(b"VENUE", b"MPID") + b"A|OTCN|1|1|2025-12-15"
    assert list(parse_content([content], PARTITION).records.venues) == [("ATS", "OTCN", "", "")]


def test_a_download_without_an_mpid_column_is_of_non_ats_rows() -> None:
    content = MINIMAL.replace(b"VENUE", b"firmCRDNumber") + b"A|7|1|1|2025-12-15"
    assert list(parse_content([content], PARTITION).records.venues) == [("NON_ATS", "", "7", "")]


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("0", "0"),
        ("1", "1"),
        ("0.000001", "0.000001"),
        ("12345.678901", "12345.678901"),
        ("1.500000000", "1.5"),
        ("9.763054589653116E9", "9763054589.653116"),
        ("1e3", "1000"),
        ("2500E-3", "2.5"),
        ("123456789012.123456", "123456789012.123456"),
        ("3074457345618.258602", "3074457345618.258602"),
        ("007", "7"),
    ],
)
def test_shares_are_exact_to_the_millionth(text: str, shares: str) -> None:
    (micros,) = parse(row(shares=text)).records.shares_micros
    assert Decimal(micros) == Decimal(shares) * MICROS
    assert format_shares(micros) == shares


BAD_SHARES = [
    "", " ", "1,000", "12x", "-5", "+5", "1.2345678", "1E-7", "0.0000001", ".5", "5.", "NaN", "Infinity", "1e400",
    "1e99", "9223372036854.775808", "9" * 31, "9" * 5_000, "1_000", "０", "²", "0x10",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_SHARES, ids=lambda text: text[:12])
def test_shares_that_are_no_number_of_up_to_six_decimals_set_the_row_aside(text: str) -> None:
    expected = f"totalWeeklyShareQuantity {text[:40]!r} is not a number of up to 6 decimals"
    assert reasons(row(shares=text)) == [(3, expected)]


@pytest.mark.parametrize(
    ("text", "trades"), [("171", 171), ("1.0", 1), ("3E2", 300), ("3074457345618258602", 3074457345618258602)]
)
def test_trades_are_whole(text: str, trades: int) -> None:
    assert parse(row(trades=text)).records.trades == [trades]


@pytest.mark.parametrize("text", ["", "1.5", "-1", "x", "5e-1", "9223372036854775808"])
def test_trades_that_are_no_whole_number_set_the_row_aside(text: str) -> None:
    assert reasons(row(trades=text)) == [(3, f"totalWeeklyTradeCount {text!r} is not a whole number")]


@pytest.mark.parametrize(
    "text", ["", "2025-02-30", "2025-12-5", "20251215", "12/15/2025", "2025-12-15T00:00", "２025-12-15"]
)
def test_a_date_that_is_none_sets_the_row_aside(text: str) -> None:
    assert reasons(row(updated=text)) == [(3, f"lastUpdateDate {text!r} is not a date")]


def test_an_ats_row_without_mpid_is_set_aside() -> None:
    assert reasons(row(mpid="")) == [(3, "an ATS row without MPID")]


def test_a_non_ats_row_with_neither_crd_number_nor_name_is_set_aside() -> None:
    expected = [(3, "a non-ATS row without firmCRDNumber and marketParticipantName")]
    assert reasons(row(kind="OTC_W_SMBL_FIRM", mpid="", venue="")) == expected


def de_minimis(crd: str = "", venue: str = "De Minimis Firms", **values: str) -> str:
    return row(kind="OTC_W_SMBL_FIRM", mpid="", crd=crd, venue=venue, **values)


@pytest.mark.parametrize("crd", ["", "0"])
def test_a_non_ats_row_with_a_name_and_no_crd_number_is_an_aggregate_of_firms(crd: str) -> None:
    (record,) = parse(de_minimis(crd)).records.rows()
    assert record[1] == ("DE_MINIMIS", "", "", "De Minimis Firms")


def test_the_two_ways_to_write_no_crd_number_are_one_aggregate() -> None:
    (reject,) = parse(de_minimis(""), de_minimis("0")).rejects
    assert (reject.line, reject.reason) == (3, "repeats line 2")


def test_aggregates_of_two_names_are_two_records() -> None:
    parsed = parse(de_minimis(), de_minimis(venue="Other Firms"))
    assert [venue[3] for venue in parsed.records.venues] == ["De Minimis Firms", "Other Firms"]


def test_the_aggregate_is_part_of_the_non_ats_control_total() -> None:
    firm = row(kind="OTC_W_SMBL_FIRM", mpid="", crd="79", venue="CITADEL", shares="100")
    total = row(kind="OTC_W_SMBL", mpid="", venue="", shares="132.5")
    assert len(parse(firm, de_minimis(shares="32.5"), total).records) == 2
    with pytest.raises(ControlTotalError):
        parse(firm, total)


# The closest doubles to k / 10^6 print as these; the last is 2^-44 of itself above, rounded down.
@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("32497.333333000002", 32_497_333_333),
        ("0.30000000000000004", 300_000),
        ("15608.999981999999", 15_608_999_982),
        ("1048576.0000000595", 1_048_576_000_000),
    ],
)
def test_a_number_with_the_noise_of_a_double_is_the_number_it_stands_for(text: str, micros: int) -> None:
    assert parse(row(shares=text)).records.shares_micros == [micros]


@pytest.mark.parametrize("text", ["1048576.0000000597", "32497.33333301", "0.0000001", "32497.3333330000020001"])
def test_more_than_the_noise_of_a_double_sets_the_row_aside(text: str) -> None:
    assert reasons(row(shares=text)) == [(3, f"totalWeeklyShareQuantity {text!r} is not a number of up to 6 decimals")]


def test_a_control_total_with_the_noise_of_a_double_equals_the_sum() -> None:
    total = row(kind="ATS_W_SMBL", mpid="", venue="", shares="32497.333333000002")
    assert len(parse(row(shares="32497.333333"), total).records) == 1
    beyond = row(kind="ATS_W_SMBL", mpid="", venue="", shares="32497.333334000002")
    with pytest.raises(ControlTotalError):
        parse(row(shares="32497.333333"), beyond)


@pytest.mark.parametrize("crd", ["12a", "-1", "1.0", "٣"])
def test_a_crd_number_that_is_none_sets_the_row_aside(crd: str) -> None:
    assert reasons(row(kind="OTC_W_SMBL_FIRM", crd=crd)) == [(3, f"firmCRDNumber {crd!r} is not a number")]


def test_short_and_long_rows_are_set_aside_with_their_lines() -> None:
    expected = [(3, "3 fields where the header has 13"), (5, "14 fields where the header has 13")]
    assert reasons("OTC|AABB|x", row(), row(symbol="ABCD") + "|") == expected


def test_a_rejected_row_is_kept_as_it_was_written() -> None:
    bad = row(shares="many")
    (reject,) = parse(row(symbol="GOOD"), bad).rejects
    assert (reject.document, reject.line, reject.text) == (0, 3, bad)


def test_an_unknown_summary_type_is_set_aside() -> None:
    assert reasons(row(kind="ATS_W_BLOCK")) == [(3, "unknown summaryTypeCode 'ATS_W_BLOCK'")]


def test_symbols_that_differ_in_case_alone_are_two_securities() -> None:
    records = parse(row(symbol="TPC", shares="1"), row(symbol="TpC", shares="2")).records
    assert [security[0] for security in records.securities] == ["TPC", "TpC"]
    assert records.shares_micros == [1_000_000, 2_000_000]


def test_a_row_with_an_empty_symbol_is_kept() -> None:
    records = parse(row(symbol="", name="")).records
    assert list(records.securities) == [("", "", "OTCE")]


@pytest.mark.parametrize("other", [{"name": "Avidity"}, {"product": "UTP"}, {"mpid": "OTCX"}, {"crd": "5"}])
def test_the_key_is_the_whole_of_security_and_venue(other: dict[str, str]) -> None:
    parsed = parse(row(), row(**other, shares="1"))
    assert (len(parsed.records), parsed.rejects) == (2, ())


def test_of_rows_that_repeat_each_other_the_first_is_kept() -> None:
    parsed = parse(row(symbol="ABCD"), row(), row(), row())
    assert len(parsed.records) == 2
    assert [(r.line, r.reason) for r in parsed.rejects] == [(4, "repeats line 3"), (5, "repeats line 3")]


@pytest.mark.parametrize("other", [{"shares": "1"}, {"trades": "1"}, {"updated": "2025-12-16"}, {"venue": "OTHER"}])
def test_of_rows_that_contradict_each_other_none_is_kept(other: dict[str, str]) -> None:
    parsed = parse(row(symbol="ABCD"), row(), row(**other))
    assert [security[0] for security in parsed.records.securities] == ["ABCD"]
    reason = "duplicate key: lines 3, 4 have one key and different values"
    assert [(r.line, r.reason) for r in parsed.rejects] == [(3, reason), (4, reason)]


def test_numbers_written_differently_agree() -> None:
    parsed = parse(row(shares="1000"), row(shares="1E3"))
    assert (len(parsed.records), len(parsed.rejects)) == (1, 1)


def test_a_repeat_in_another_document_names_that_document() -> None:
    parsed = parse_content([document(row()), document(row(symbol="ABCD"), row())], PARTITION)
    assert len(parsed.records) == 2
    (reject,) = parsed.rejects
    assert (reject.document, reject.line, reject.reason) == (1, 3, "repeats line 2 of document 0")


def test_a_row_that_contradicts_another_document_names_both_places() -> None:
    parsed = parse_content([document(row(symbol="ABCD"), row()), document(row(shares="1"))], PARTITION)
    reason = "duplicate key: line 3 of document 0, line 2 of document 1 have one key and different values"
    assert [(r.document, r.line, r.reason) for r in parsed.rejects] == [(0, 3, reason), (1, 2, reason)]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"tier": "T1"}, "tierIdentifier is 'T1' where 'OTCE' is asked for"),
        ({"tier": ""}, "tierIdentifier is '' where 'OTCE' is asked for"),
        ({"description": "NMS Tier 1"}, "tierDescription is 'NMS Tier 1' where 'OTC' is asked for"),
        ({"monday": "2025-11-17"}, "weekStartDate is '2025-11-17' where '2025-11-10' is asked for"),
        ({"monday": "2025-11-14"}, "weekStartDate is '2025-11-14' where '2025-11-10' is asked for"),
    ],
)
def test_a_single_row_of_another_week_or_tier_refuses_the_whole(other: dict[str, str], message: str) -> None:
    with pytest.raises(SourceDataError) as caught:
        parse(row(), row(symbol="ABCD", **other))
    assert caught.value.message == message
    assert caught.value.partition == PARTITION


def test_content_without_a_usable_row_is_refused_with_its_first_reason() -> None:
    with pytest.raises(SourceDataError, match=r"no usable row among 2; the first: line 2, .* 'x' is not a number"):
        parse(row(shares="x"), row(shares="y"))


def test_a_broken_document_is_an_error_of_its_partition() -> None:
    with pytest.raises(SourceDataError, match="header only") as caught:
        parse_content([document(row()), document()], PARTITION)
    assert caught.value.partition == PARTITION


def total(shares: str, *, symbol: str = "AABB", kind: str = "ATS_W_SMBL") -> str:
    return row(kind=kind, symbol=symbol, shares=shares, mpid="", venue="")


def test_control_totals_that_equal_the_sum_over_venues_are_counted_and_no_records() -> None:
    parsed = parse(row(shares="1.5"), row(mpid="OTCX", shares="2.000001"), total("3.500001"))
    assert (len(parsed.records), parsed.control_rows, parsed.rejects) == (2, 1, ())


def test_totals_per_tape_or_name_are_summed_per_symbol() -> None:
    parsed = parse(row(shares="1", product="UTP"), row(shares="2", product="CTS"), total("1"), total("2"))
    assert parsed.control_rows == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(shares="5"), total("4.999999")], "ATS 'AABB': the venues sum to 5 shares, FINRA's total is 4.999999"),
        ([row(shares="5"), total("5"), total("1", symbol="GONE")], "ATS 'GONE': the venues sum to 0 shares"),
        ([row(shares="5"), total("5"), row(symbol="MORE", shares="7")], "ATS 'MORE': the venues sum to 7 shares"),
        ([row(shares="5"), total("5", kind="OTC_W_SMBL"), total("5")], "NON_ATS 'AABB': the venues sum to 0 shares"),
    ],
)  # fmt: skip
def test_control_totals_that_differ_refuse_the_whole(rows: list[str], message: str) -> None:
    with pytest.raises(ControlTotalError) as caught:
        parse(*rows)
    assert message in caught.value.message
    assert "control totals differ for 1 symbols" in caught.value.message
    assert caught.value.partition == PARTITION


def test_a_row_set_aside_is_missed_by_its_control_total() -> None:
    with pytest.raises(ControlTotalError, match="the venues sum to 1 shares, FINRA's total is 3"):
        parse(row(shares="1"), row(mpid="OTCX", shares="two"), total("3"))


def test_an_unreadable_control_total_refuses_the_whole() -> None:
    with pytest.raises(ControlTotalError, match="unreadable control total: totalWeeklyShareQuantity 'x'") as caught:
        parse(row(), total("x"))
    assert caught.value.partition == PARTITION


def test_venue_types_without_control_totals_are_not_checked() -> None:
    firm = row(kind="OTC_W_SMBL_FIRM", mpid="", crd="7", shares="9")
    assert len(parse(row(shares="5"), total("5"), firm).records) == 2


@pytest.mark.parametrize("kind", ["ATS_W_FIRM", "OTC_W_FIRM", "ATS_W_VOL_STATS", "OTC_W_VOL_STATS"])
def test_other_cuts_of_the_same_volume_are_counted_and_no_volume(kind: str) -> None:
    parsed = parse(row(shares="5"), row(kind=kind, symbol="", shares="999"))
    assert (parsed.records.shares_micros, parsed.control_rows, parsed.rejects) == ([5_000_000], 1, ())


def test_two_documents_make_one_partition() -> None:
    firms = document(row(kind="OTC_W_SMBL_FIRM", mpid="", crd="7"))
    records = parse_content([document(row()), firms], PARTITION).records
    assert [venue[0] for venue in records.venues] == ["ATS", "NON_ATS"]


TEXTS = ["", "x", "-1", "1.5", "7", "1E3", "2025-12-16", "OTCX", "9" * 40, "é", '"']
mangled_row = st.builds(
    lambda name, text: row(**{name: text}),
    st.sampled_from(["symbol", "shares", "trades", "mpid", "crd", "updated", "name", "product", "venue"]),
    st.sampled_from(TEXTS),
)
other_cut = st.sampled_from(["ATS_W_FIRM", "OTC_W_VOL_STATS", "OTC_W_SMBL_FIRM", "nonsense"]).map(
    lambda kind: row(kind=kind)
)
cut_off = st.integers(0, len(row())).map(lambda end: row()[:end])
noise = st.text('|",x1é\t\r\u2028', max_size=20)
mangled = st.lists(mangled_row | other_cut | cut_off | noise, max_size=12)


@settings(deadline=None)
@given(first=mangled, second=mangled)
def test_every_row_is_a_record_a_reject_or_a_control_row(first: list[str], second: list[str]) -> None:
    documents = [document(row(symbol="GOOD"), *first), document(row(symbol="ALSO"), *second)]
    parsed = parse_content(documents, PARTITION)
    lines = sum(bool(line) for content in documents for line in content.decode().replace("\r\n", "\n").split("\n")) - 2
    assert len(parsed.records) + len(parsed.rejects) + parsed.control_rows == lines == count_rows(documents)
    assert len({(reject.document, reject.line) for reject in parsed.rejects}) == len(parsed.rejects)


@settings(deadline=None)
@given(st.lists(st.decimals(0, 150_000_000_000, places=6), min_size=1, max_size=20))
def test_shares_sum_exactly_however_they_are_written(amounts: list[Decimal]) -> None:
    rows = [row(symbol=f"S{i}", shares=f"{amount:E}" if i % 2 else str(amount)) for i, amount in enumerate(amounts)]
    assert sum(parse(*rows).records.shares_micros) == sum(int(amount.scaleb(6)) for amount in amounts)


@pytest.mark.parametrize("column", ["shares", "trades"])
def test_sums_that_leave_64_bits_over_three_tiers_are_refused(column: str) -> None:
    most = {"shares": 2**63 // 3 // MICROS, "trades": 2**63 // 3}[column]
    assert len(parse(row(**{column: str(most)})).records) == 1
    with pytest.raises(SourceDataError, match=f"sum of all {column} is out of range"):
        parse(row(**{column: str(most)}), row(symbol="OTHER", **{column: str(most)}))


def test_rows_far_apart_are_set_aside_with_their_own_lines_and_texts() -> None:
    """Batches are read one after the other, and a document's texts are not kept."""
    good = [row(symbol=f"S{i}") for i in range(3_000)]
    strange = [row(symbol="S0"), row(symbol="BAD", shares="x"), row(symbol="OLD", updated="never")]
    first, second = document(*good[:1_000], *strange[:1], *good[1_000:]), document(*strange[1:])
    parsed = parse_content([first, second], PARTITION)
    assert len(parsed.records) == 3_000
    assert [(r.document, r.line, r.text) for r in parsed.rejects] == [
        (0, 1_002, strange[0]),
        (1, 2, strange[1]),
        (1, 3, strange[2]),
    ]


def test_what_is_set_aside_leaves_no_value_behind() -> None:
    records = parse(row(symbol="GOOD"), row(symbol="BAD", mpid=""), row(symbol="OLD", updated="never")).records
    assert [security[0] for security in records.securities.values] == ["GOOD"]
    assert (list(records.last_update_dates.values), len(records.venues.values)) == (["2025-12-15"], 1)
