"""What a store does with captures and payloads."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import asdict, evolve

from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.ports.store import CaptureQuery, Store
from finra_core.testing.examples import (
    NEXT_WEEK,
    OTC,
    READING,
    START,
    T1,
    T2,
    WEEK,
    ask,
    at,
    captures_of,
    new_capture,
    payload,
    put_capture,
    put_normalized,
    writing,
)
from finra_core.testing.store_fixtures import StoreFixtures


class CapturesContract(StoreFixtures):
    """Captures are added, numbered, found again, and never changed but for the times of their checks."""

    def test_a_capture_is_stored_as_it_was_given(self, store: Store) -> None:
        """Every field of a NewCapture, and the payload's size and URL."""
        given = new_capture(revision=2, version=SourceVersion(date(2026, 1, 12), 48_765))
        with writing(store, Scope.partition(T1)) as unit:
            returned = unit.put_capture(given, payload(b"header\n", b"header\nrow\n"))
        stored = captures_of(store)[0]
        fields = {name: getattr(stored, name) for name in asdict(given, recurse=False)}
        assert fields == asdict(given, recurse=False)
        assert (stored.size_bytes, stored.source_url) == (18, "https://api.finra.org/data")
        assert returned == stored

    def test_a_new_capture_has_no_records(self, store: Store) -> None:
        """Nor anything that follows from them."""
        put_capture(store)
        found = captures_of(store)[0]
        assert (found.normalized_at, found.rejected_rows, found.coverage) == (None, None, ())

    def test_a_capture_without_a_source_version_has_none(self, store: Store) -> None:
        """A source may say nothing of versions."""
        put_capture(store)
        assert captures_of(store)[0].version is None

    def test_a_source_version_may_count_no_rows(self, store: Store) -> None:
        """As that of a download: it says how recent a content is."""
        version = SourceVersion(date(2026, 1, 12), None)
        with writing(store, Scope.partition(T1)) as unit:
            unit.put_capture(new_capture(version=version), payload())
        assert captures_of(store)[0].version == version

    def test_times_are_kept_to_the_microsecond_and_read_as_utc(self, store: Store) -> None:
        """The order of captures and what was known on a day rest on it."""
        put_capture(store)
        captured_at = captures_of(store)[0].captured_at
        assert captured_at == START
        assert captured_at.utcoffset() == timedelta(0)

    def test_a_time_given_in_another_zone_is_the_same_instant(self, store: Store) -> None:
        """Checked at noon in New York."""
        noon = datetime(2026, 1, 21, 12, tzinfo=timezone(timedelta(hours=-5)))
        _check(store, evolve(put_capture(store), verified_at=noon, checked_at=noon))
        assert captures_of(store)[0].verified_at == datetime(2026, 1, 21, 17, tzinfo=timezone.utc)

    def test_numbers_grow_within_a_partition(self, store: Store) -> None:
        """Whatever other partitions were captured in between."""
        partitions = [T1, T2, T1, OTC, T1]
        numbers = [put_capture(store, p, minute).number for minute, p in enumerate(partitions) if p == T1]
        assert numbers == sorted(set(numbers))

    def test_captures_may_share_a_capture_id(self, store: Store) -> None:
        """Other contents on one run date keep the capture_id; their revisions tell them apart."""
        with writing(store, Scope.partition(T1)) as unit:
            for revision in (1, 2):
                unit.put_capture(new_capture(T1, revision, capture_id="monday", revision=revision), payload())
        assert [(c.capture_id, c.revision) for c in captures_of(store)] == [("monday", 1), ("monday", 2)]

    def test_captures_are_in_the_order_of_week_tier_and_number(self, store: Store) -> None:
        """Whatever the order in which they were made."""
        partitions = [Partition(NEXT_WEEK, Tier.NMS_TIER_1), OTC, T2, T1, T1]
        for minute, partition in enumerate(partitions):
            put_capture(store, partition, minute)
        found = captures_of(store)
        assert [capture.partition for capture in found] == [T1, T1, T2, OTC, partitions[0]]
        assert found[0].number < found[1].number

    def test_captures_can_be_had_of_some_partitions(self, store: Store) -> None:
        """All versions of them, and none of others, not even of the same week."""
        for minute, partition in enumerate([T1, T2, T1]):
            put_capture(store, partition, minute)
        assert _partitions(store, CaptureQuery(partitions=frozenset([T1, OTC]))) == [T1, T1]

    def test_captures_can_be_had_of_some_weeks(self, store: Store) -> None:
        """In all their tiers."""
        next_week = Partition(NEXT_WEEK, Tier.OTC)
        for minute, partition in enumerate([next_week, T1, OTC]):
            put_capture(store, partition, minute)
        assert _partitions(store, CaptureQuery(weeks=frozenset([WEEK]))) == [T1, OTC]
        assert _partitions(store, CaptureQuery(weeks=frozenset([NEXT_WEEK]))) == [next_week]

    @pytest.mark.parametrize("query", [CaptureQuery(partitions=frozenset()), CaptureQuery(weeks=frozenset())])
    def test_captures_of_nothing_are_none(self, store: Store, query: CaptureQuery) -> None:
        """An empty question has an empty answer; None asks for all."""
        put_capture(store)
        assert _partitions(store, query) == []

    def test_captures_can_be_had_as_of_an_instant(self, store: Store) -> None:
        """Those made at it are among them."""
        made = [put_capture(store, T1, minute) for minute in range(3)]
        assert _asked(store, CaptureQuery(captured_by=at(1))) == made[:2]
        assert _asked(store, CaptureQuery(captured_by=at(1) - timedelta(microseconds=1))) == made[:1]

    def test_the_newest_captures_are_one_of_each_partition(self, store: Store) -> None:
        """In the same order as all of them."""
        made = [put_capture(store, partition, minute) for minute, partition in enumerate([T1, OTC, T1, T2])]
        assert _asked(store, CaptureQuery(newest=True)) == [made[2], made[3], made[1]]

    def test_the_newest_capture_is_that_of_the_highest_number_whatever_its_time(self, store: Store) -> None:
        """Runs keep captured_at growing, but a store does not lean on a clock that may be set back."""
        put_capture(store, T1, 9)
        last = put_capture(store, T1, 5)
        assert _asked(store, CaptureQuery(newest=True)) == [last]

    def test_the_newest_captures_as_of_an_instant_are_the_newest_of_those(self, store: Store) -> None:
        """Not those of today that happen to be old enough."""
        early = [put_capture(store, T1, 0), put_capture(store, T1, 1), put_capture(store, T2, 2)]
        put_capture(store, T1, 5)
        assert _asked(store, CaptureQuery(newest=True, captured_by=at(3))) == early[1:]

    def test_the_newest_captures_can_be_had_of_some_partitions_and_weeks(self, store: Store) -> None:
        """Several conditions must all hold."""
        next_week = Partition(NEXT_WEEK, Tier.NMS_TIER_1)
        for minute, partition in enumerate([T1, T2, next_week, T1]):
            put_capture(store, partition, minute)
        query = CaptureQuery(newest=True, weeks=frozenset([WEEK]), partitions=frozenset([T1, next_week]))
        assert [capture.captured_at for capture in _asked(store, query)] == [at(3)]

    def test_an_empty_store_has_nothing(self, store: Store) -> None:
        """Every list is empty."""
        with store.read() as view:
            lists = [view.captures(), view.analyses(), view.analysis_keys(), view.judgments()]
            assert [*lists, view.anomalies(), view.decisions(), view.runs()] == [[]] * 7

    def test_a_new_capture_was_checked_when_its_content_was_read(self, store: Store) -> None:
        """That was a little before it was stored."""
        capture = put_capture(store)
        assert capture.verified_at == capture.checked_at == capture.captured_at - READING

    def test_checks_are_noted(self, store: Store) -> None:
        """Both times, of several captures at once."""
        made = [put_capture(store, T1, 0), put_capture(store, T2, 1)]
        checked = [evolve(capture, verified_at=at(5), checked_at=at(6)) for capture in made]
        _check(store, *checked)
        assert captures_of(store) == checked

    def test_a_check_changes_nothing_else(self, store: Store) -> None:
        """The caller's value may be older than what is stored."""
        raw = put_capture(store)
        normalized = put_normalized(store, T1, 1)
        _check(store, evolve(normalized, normalized_at=None, reason="another", coverage=(), checked_at=at(9)))
        assert captures_of(store) == [raw, evolve(normalized, checked_at=at(9))]

    def test_a_check_is_noted_as_it_is_said(self, store: Store) -> None:
        """An earlier time too: which of two counts is the caller's to know, not the store's."""
        capture = put_capture(store)
        for minute in (9, 5):
            _check(store, evolve(capture, verified_at=at(minute), checked_at=at(minute)))
        assert captures_of(store)[0].verified_at == at(5)

    def test_a_check_of_a_capture_that_is_not_here_is_an_error(self, store: Store) -> None:
        """It would be lost in silence."""
        capture = evolve(put_capture(store), number=99)
        with pytest.raises(StoreError):
            _check(store, capture)

    @pytest.mark.parametrize(
        "documents",
        [
            pytest.param((b"a|b\n1|2\n",), id="one document"),
            pytest.param((b"a|b\n1|2\n", b"a|c\n3|4"), id="two documents"),
            pytest.param((b"a|b\r\n1|2\r\n\r\n",), id="other line ends"),
            pytest.param((b"\xff\x00\xfe" * 1000,), id="no text at all"),
            pytest.param((b"", b"x"), id="an empty document"),
        ],
    )
    def test_documents_are_read_back_byte_for_byte(self, store: Store, documents: tuple[bytes, ...]) -> None:
        """What the source gave is the evidence."""
        with writing(store, Scope.partition(T1)) as unit:
            capture = unit.put_capture(new_capture(), payload(*documents))
        assert ask(store, lambda view: view.payload(capture)) == documents

    def test_equal_contents_in_another_order_of_rows_keep_their_own_bytes(self, store: Store) -> None:
        """Their content hash is the same: rows in another order are no revision, but a forced capture stores them."""
        contents = (b"h\n1\n2\n", b"h\n2\n1\n")
        with writing(store, Scope.partition(T1)) as unit:
            captures = [
                unit.put_capture(new_capture(capture_id="one hash", revision=number), payload(content))
                for number, content in enumerate(contents, start=1)
            ]
        with store.read() as view:
            assert tuple(view.payload(capture)[0] for capture in captures) == contents

    def test_two_captures_may_have_the_same_documents(self, store: Store) -> None:
        """A restatement that is taken back."""
        captures = [put_capture(store, T1, 0), put_capture(store, T1, 1)]
        with store.read() as view:
            assert view.payload(captures[0]) == view.payload(captures[1]) == payload().documents

    def test_documents_of_a_capture_that_is_not_here_are_an_error(self, store: Store) -> None:
        """Not an empty answer."""
        capture = evolve(put_capture(store), number=99)
        with store.read() as view, pytest.raises(StoreError):
            view.payload(capture)


def _asked(store: Store, query: CaptureQuery) -> list[Capture]:
    return ask(store, lambda view: view.captures(query))


def _partitions(store: Store, query: CaptureQuery) -> list[Partition]:
    return [capture.partition for capture in _asked(store, query)]


def _check(store: Store, *captures: Capture) -> None:
    with writing(store) as unit:
        unit.put_checked(captures)
