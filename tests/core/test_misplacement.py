"""Whether a document's rows are another week's, on documents small and large."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from finra_core.domain.errors import SourceDataError
from finra_core.weekly_summary.misplacement import Sketch, find_copy, sketch

HEADER = "tierDescription|issueSymbolIdentifier|MPID|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"


def document(updated: str, rows: int, *, other_from: int | None = None) -> bytes:
    """Rows of which those from `other_from` on are this date's own."""
    own = rows if other_from is None else other_from
    trades = [1 + i if i < own else 1 + i + 100_000 * int(updated[-2:]) for i in range(rows)]
    lines = [f"OTC|S{i}|OTCN|{1000 + i}|{trades[i]}|{updated}" for i in range(rows)]
    return "\n".join([HEADER, *lines, ""]).encode()


def sketched(content: bytes) -> Sketch:
    found = sketch(content)
    assert found is not None
    return found


@pytest.mark.parametrize("rows", [20, 2_000, 2_001, 40_000])
def test_a_copy_with_other_dates_is_one_however_large(rows: int) -> None:
    one, other = (sketched(document(day, rows)) for day in ("2025-12-15", "2025-12-22"))
    copy = find_copy(one, other)
    assert copy is not None
    assert (copy.rows, copy.shared) == (rows, rows)


@pytest.mark.parametrize("rows", [40, 2_000, 40_000])
@pytest.mark.parametrize(("share", "is_copy"), [(0.1, False), (0.4, False), (0.6, True), (0.95, True)])
def test_from_half_of_the_rows_on_it_is_a_copy(rows: int, share: float, is_copy: bool) -> None:
    one, other = (sketched(document(d, rows, other_from=int(rows * share))) for d in ("2025-12-15", "2025-12-22"))
    copy = find_copy(one, other)
    assert (copy is not None) == is_copy
    if copy is not None:
        assert copy.shared == pytest.approx(rows * share, rel=0.05)


def test_a_large_document_s_copy_says_that_its_number_is_an_estimate() -> None:
    assert str(find_copy(*[sketched(document("2025-12-15", 40))] * 2)) == "40 of 40 rows"
    assert str(find_copy(*[sketched(document("2025-12-15", 2_001))] * 2)) == "about 2,001 of 2,001 rows"


@pytest.mark.parametrize("rows", [1_990, 3_000])
@pytest.mark.parametrize(
    "other_form",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\n".join('"' + line.replace("|", '"|"') + '"' for line in text.splitlines()),
        lambda text: "\n".join("|".join(reversed(line.split("|"))) for line in text.splitlines()),
        lambda text: text.removesuffix("\n"),
        lambda text: "\n".join([HEADER, *reversed(text.splitlines()[1:])]),
    ],
    ids=["Windows' line ends", "quoted", "the date first", "no end of the last line", "in another order"],
)
def test_a_copy_is_one_in_each_form_of_a_document(rows: int, other_form: Callable[[str], str]) -> None:
    one, other = (sketched(other_form(document(d, rows).decode()).encode()) for d in ("2025-12-15", "2025-12-22"))
    copy = find_copy(one, other)
    assert copy is not None
    assert (copy.rows, copy.shared) == (rows, rows)


def test_a_copy_is_found_where_only_one_of_the_two_is_compared_by_a_sample() -> None:
    whole, sampled = (sketched(document("2025-12-15", rows)) for rows in (1_990, 2_010))
    assert find_copy(whole, sampled) is not None
    assert find_copy(sampled, whole) is not None
    others = sketched(document("2025-12-22", 2_010, other_from=10))
    assert find_copy(whole, others) is None
    assert find_copy(others, whole) is None


def test_a_large_document_without_rows_to_sample_is_compared_whole() -> None:
    one, other = (sketched(document(d, 3_000).replace(b"7|2025", b"8|2025")) for d in ("2025-12-15", "2025-12-22"))
    assert str(find_copy(one, other)) == "3,000 of 3,000 rows"


def test_few_rows_are_not_judged() -> None:
    assert find_copy(*[sketched(document("2025-12-15", 19))] * 2) is None


def test_a_document_that_says_its_week_has_no_sketch() -> None:
    assert sketch(document("2025-12-15", 30).replace(b"tierDescription", b"weekStartDate")) is None


def test_what_is_no_data_is_an_error() -> None:
    with pytest.raises(SourceDataError):
        sketch(b"no data")
