"""What a store does with captures and payloads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import asdict, evolve

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports import Store
from finra_core.testing.examples import (
    NEXT_WEEK,
    OTC,
    READING,
    START,
    T1,
    T2,
    WEEK,
    add_capture,
    add_normalized,
    at,
    new_capture,
    payload,
)
from finra_core.testing.store_fixtures import StoreFixtures


class CapturesContract(StoreFixtures):
    """Captures are added, numbered, found again, and never changed but for the time of their verification."""

    def test_a_capture_is_stored_as_it_was_given(self, store: Store) -> None:
        """Every field of a NewCapture, and the payload's size and URL."""
        given = new_capture(version=SourceVersion(date(2026, 1, 12), 48_765))
        with store.transaction(T1.key) as transaction:
            returned = transaction.add_capture(given, payload(b"header\n", b"header\nrow\n"))
        stored = store.captures()[0]
        fields = {name: getattr(stored, name) for name in asdict(given, recurse=False)}
        assert fields == asdict(given, recurse=False)
        assert (stored.size_bytes, stored.source_url) == (18, "https://api.finra.org/data")
        assert returned == stored

    def test_a_capture_without_a_source_version_has_none(self, store: Store) -> None:
        """A source may say nothing of versions."""
        add_capture(store)
        assert store.captures()[0].version is None

    def test_times_are_kept_to_the_microsecond_and_read_as_utc(self, store: Store) -> None:
        """Order of captures and as-of queries rest on it."""
        add_capture(store)
        captured_at = store.captures()[0].captured_at
        assert captured_at == START
        assert captured_at.utcoffset() == timedelta(0)

    def test_a_time_given_in_another_zone_is_the_same_instant(self, store: Store) -> None:
        """Verified at noon in New York."""
        capture = add_capture(store)
        noon = datetime(2026, 1, 21, 12, tzinfo=timezone(timedelta(hours=-5)))
        with store.transaction() as transaction:
            transaction.mark_verified(capture, noon)
        assert store.captures()[0].verified_at == datetime(2026, 1, 21, 17, tzinfo=timezone.utc)

    def test_numbers_grow_within_a_partition(self, store: Store) -> None:
        """Whatever other partitions were captured in between."""
        partitions = [T1, T2, T1, OTC, T1]
        numbers = [add_capture(store, p, minute).number for minute, p in enumerate(partitions) if p == T1]
        assert numbers == sorted(set(numbers))

    def test_captures_that_share_a_capture_id_count_their_revisions(self, store: Store) -> None:
        """Other contents on one run date keep the capture_id and grow the revision."""
        with store.transaction(T1.key) as transaction:
            revisions = [
                transaction.add_capture(new_capture(T1, minute, capture_id=name), payload()).revision
                for minute, name in enumerate(["monday", "monday", "tuesday", "monday"])
            ]
        assert revisions == [1, 2, 1, 3]

    def test_a_partition_without_captures_has_no_latest_one(self, store: Store) -> None:
        """Before the first ingest."""
        add_capture(store, T2)
        with store.transaction(T1.key) as transaction:
            assert transaction.latest_capture(T1) is None

    def test_the_latest_capture_is_the_partitions_newest(self, store: Store) -> None:
        """Not another partition's."""
        add_capture(store, T1, 0)
        newest = add_capture(store, T1, 1)
        add_capture(store, T2, 2)
        with store.transaction(T1.key) as transaction:
            assert transaction.latest_capture(T1) == newest

    def test_the_latest_capture_is_that_of_the_highest_number_whatever_its_time(self, store: Store) -> None:
        """Runs keep captured_at growing, but a store does not lean on a clock that may be set back."""
        add_capture(store, T1, 9)
        last = add_capture(store, T1, 5)
        assert store.latest_captures([T1]) == {T1: last}
        with store.transaction(T1.key) as transaction:
            assert transaction.latest_capture(T1) == last

    def test_a_transaction_sees_its_own_captures(self, store: Store) -> None:
        """A second capture in one transaction follows the first."""
        with store.transaction(T1.key) as transaction:
            added = transaction.add_capture(new_capture(), payload())
            assert transaction.latest_capture(T1) == added

    def test_latest_captures_are_those_of_the_partitions_that_have_one(self, store: Store) -> None:
        """Partitions of the same week that were not asked for stay out."""
        add_capture(store, T1, 0)
        newest = add_capture(store, T1, 1)
        add_capture(store, OTC, 2)
        next_week = add_capture(store, Partition(NEXT_WEEK, Tier.NMS_TIER_2), 3)
        wanted = [T1, T2, Partition(NEXT_WEEK, Tier.NMS_TIER_2)]
        assert store.latest_captures(wanted) == {T1: newest, next_week.partition: next_week}

    def test_latest_captures_of_no_partition_are_none(self, store: Store) -> None:
        """An empty question has an empty answer."""
        add_capture(store)
        assert store.latest_captures([]) == {}

    def test_captures_are_in_the_order_of_week_tier_and_number(self, store: Store) -> None:
        """Whatever the order in which they were made."""
        partitions = [Partition(NEXT_WEEK, Tier.NMS_TIER_1), OTC, T2, T1, T1]
        for minute, partition in enumerate(partitions):
            add_capture(store, partition, minute)
        found = store.captures()
        assert [capture.partition for capture in found] == [T1, T1, T2, OTC, partitions[0]]
        assert found[0].number < found[1].number

    def test_captures_can_be_had_of_some_partitions(self, store: Store) -> None:
        """All versions of them, and none of others."""
        for minute, partition in enumerate([T1, T2, T1]):
            add_capture(store, partition, minute)
        assert [capture.partition for capture in store.captures([T1, OTC])] == [T1, T1]
        assert store.captures([]) == []

    def test_weeks_are_those_of_all_captures_newest_first(self, store: Store) -> None:
        """Each once."""
        for minute, week in enumerate([WEEK, NEXT_WEEK, WEEK]):
            add_capture(store, Partition(week, Tier.OTC), minute)
        assert store.weeks() == [NEXT_WEEK, WEEK]

    def test_an_empty_store_has_nothing(self, store: Store) -> None:
        """Every list is empty."""
        lists = [store.captures(), store.unnormalized(), store.unanalyzed(1), store.weeks(), store.analyses()]
        assert [*lists, store.readiness(), store.anomalies(include_resolved=True), store.runs()] == [[]] * 8

    def test_verification_is_noted(self, store: Store) -> None:
        """At first it is when the capture's own reading began."""
        capture = add_capture(store)
        assert capture.verified_at == capture.captured_at - READING
        with store.transaction(T1.key) as transaction:
            transaction.mark_verified(capture, at(5))
        assert [c.verified_at for c in store.captures()] == [at(5)]

    def test_verification_changes_no_other_capture(self, store: Store) -> None:
        """Of the same partition, even."""
        first, second = add_capture(store, T1, 0), add_capture(store, T1, 1)
        with store.transaction(T1.key) as transaction:
            transaction.mark_verified(first, at(5))
        assert [c.verified_at for c in store.captures()] == [at(5), second.verified_at]

    def test_an_earlier_verification_noted_late_does_not_count(self, store: Store) -> None:
        """Two runs may verify the same capture and finish in the other order."""
        capture = add_capture(store)
        for minute in (9, 5):
            with store.transaction(T1.key) as transaction:
                transaction.mark_verified(capture, at(minute))
        assert store.captures()[0].verified_at == at(9)

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
        with store.transaction(T1.key) as transaction:
            capture = transaction.add_capture(new_capture(), payload(*documents))
        assert store.documents(capture) == documents

    def test_equal_contents_in_another_order_of_rows_keep_their_own_bytes(self, store: Store) -> None:
        """Their content hash is the same: rows in another order are no revision, but a forced capture stores them."""
        contents = (b"h\n1\n2\n", b"h\n2\n1\n")
        with store.transaction(T1.key) as transaction:
            captures = [
                transaction.add_capture(new_capture(capture_id="same hash"), payload(content)) for content in contents
            ]
        assert tuple(store.documents(capture)[0] for capture in captures) == contents

    def test_two_captures_may_have_the_same_documents(self, store: Store) -> None:
        """A restatement that is taken back."""
        captures = [add_capture(store, T1, 0), add_capture(store, T1, 1)]
        assert store.documents(captures[0]) == store.documents(captures[1]) == payload().documents

    def test_documents_of_a_capture_that_is_not_here_are_an_error(self, store: Store) -> None:
        """Not an empty answer."""
        capture = evolve(add_capture(store), number=99)
        with pytest.raises(StoreError):
            store.documents(capture)

    def test_captures_outlive_the_object(self, store: Store, reopen: Callable[[Store], Store]) -> None:
        """A second process sees them, with their documents."""
        capture = add_normalized(store)
        other = reopen(store)
        try:
            assert other.captures() == [capture]
            assert other.documents(capture) == payload().documents
            assert list(other.records(capture).rows()) == list(store.records(capture).rows())
        finally:
            other.close()
