"""The suite that any Source has to pass.

    class TestMySource(SourceContract):
        @pytest.fixture
        def new_source(self):
            return lambda: open_source("mine:...", {})

        @pytest.fixture
        def known(self):
            return {Partition(date(2025, 12, 26), tier): rows for tier, rows in ((Tier.OTC, 36_112), ...)}

        @pytest.fixture
        def absent(self):
            return Partition(date(1999, 1, 1), Tier.OTC)

and, of what it can, fixtures that say so: `versions`, `tells_restatements`, `reopens`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import ConfigurationError, SourceError
from finra_core.domain.partitions import Partition
from finra_core.ports.source import Source, SourceKind, Usage
from finra_core.weekly_summary.parsing import parse_content
from finra_core.weekly_summary.payload import Payload, canonical_hash, count_rows

_THREADS = 4
_A_WEEK = timedelta(weeks=1)
_A_DAY = timedelta(days=1)


class _StopError(Exception):
    """Raised by the tests themselves."""


class SourceContract:
    """A source that stands still while it is tested: what it lists it gives, whole and always the same."""

    @pytest.fixture
    def new_source(self) -> Callable[[], Source]:
        """A function that opens the source, as often as it is called."""
        raise NotImplementedError

    @pytest.fixture
    def known(self) -> Mapping[Partition, int]:
        """Two or more partitions that the source has, and how many records each holds."""
        raise NotImplementedError

    @pytest.fixture
    def absent(self) -> Partition:
        """A partition that it has not."""
        raise NotImplementedError

    @pytest.fixture
    def versions(self) -> bool:
        """Whether probing gives versions."""
        return False

    @pytest.fixture
    def tells_restatements(self) -> bool:
        """Whether it can say which partitions were restated since a day."""
        return False

    @pytest.fixture
    def reopens(self) -> bool:
        """Whether another process on this machine can open it."""
        return False

    @pytest.fixture
    def source(self, new_source: Callable[[], Source]) -> Iterator[Source]:
        """The source, closed after the test."""
        with new_source() as source:
            yield source

    # What it is

    def test_it_has_a_name_for_log_lines(self, source: Source) -> None:
        """One line of it."""
        assert source.info.label
        assert source.info.label.isprintable()

    def test_it_is_a_feed_or_an_archive(self, source: Source) -> None:
        """An archive is taken whole by default."""
        assert source.info.kind in tuple(SourceKind)

    def test_it_says_the_same_of_itself_for_as_long_as_it_is_open(
        self, source: Source, known: Mapping[Partition, int]
    ) -> None:
        """Whatever it is asked meanwhile."""
        before = source.info
        source.fetch(next(iter(known)))
        assert source.info == before

    def test_sources_are_told_apart_by_their_instance(self, source: Source, new_source: Callable[[], Source]) -> None:
        """What each has cost is counted by it."""
        with new_source() as other:
            assert source.info.instance
            assert source.info.instance != other.info.instance
            assert (source.info.label, source.info.kind) == (other.info.label, other.info.kind)

    def test_it_is_a_context_manager_of_itself(self, new_source: Callable[[], Source]) -> None:
        """Leaving it closes it."""
        source = new_source()
        with source as entered:
            assert entered is source

    def test_a_block_that_raises_lets_the_error_through(self, new_source: Callable[[], Source]) -> None:
        """Closed or not."""
        with pytest.raises(_StopError), new_source():
            raise _StopError

    # What it gives

    def test_it_lists_what_it_has(self, source: Source, known: Mapping[Partition, int], absent: Partition) -> None:
        """And not what it has not."""
        listed = source.list_partitions().partitions
        assert listed >= known.keys()
        assert absent not in listed

    def test_problems_say_where_they_are(self, source: Source) -> None:
        """By their partition or by a place within the source, so that it is known when they are gone."""
        listing = source.list_partitions()
        for problem in (*listing.problems, *listing.doubts):
            if problem.partition is None:
                assert problem.place is not None
                assert problem.place.startswith(source.info.root)

    def test_it_gives_each_partition_whole(self, source: Source, known: Mapping[Partition, int]) -> None:
        """As documents that are read as that partition's, without a reject."""
        parsed = {partition: parse_content(source.fetch(partition).documents, partition) for partition in known}
        assert {partition: len(content.records) for partition, content in parsed.items()} == known
        assert [content.rejects for content in parsed.values()] == [()] * len(known)

    def test_a_payload_says_where_it_comes_from(self, source: Source, known: Mapping[Partition, int]) -> None:
        """It is stored beside the documents."""
        assert all(source.fetch(partition).source_url for partition in known)

    def test_a_partition_that_has_not_changed_is_the_same_again(
        self, source: Source, known: Mapping[Partition, int]
    ) -> None:
        """In whatever order its rows come: otherwise every reading would be a revision."""
        for partition in known:
            assert _hash(source.fetch(partition)) == _hash(source.fetch(partition))

    def test_partitions_differ(self, source: Source, known: Mapping[Partition, int]) -> None:
        """None is another's content."""
        assert len({_hash(source.fetch(partition)) for partition in known}) == len(known)

    def test_what_it_says_of_its_documents_is_so(self, source: Source, known: Mapping[Partition, int]) -> None:
        """Profiles that come with a payload are of its documents."""
        for partition in known:
            payload = source.fetch(partition)
            if payload.profiles is not None:
                assert [p.canonical_hash() for p in payload.profiles] == [
                    canonical_hash([d]) for d in payload.documents
                ]

    # Versions

    def test_a_source_has_versions_or_none(
        self, source: Source, known: Mapping[Partition, int], versions: bool
    ) -> None:
        """A source without versions says so by None when it is probed."""
        assert [source.probe(partition) is not None for partition in known] == [versions] * len(known)

    def test_a_fetched_version_is_the_one_that_was_probed(
        self, source: Source, known: Mapping[Partition, int], versions: bool
    ) -> None:
        """What the rows themselves say may come with a payload where there was nothing to probe."""
        for partition in known:
            version = source.fetch(partition).version
            assert version is None or version == source.probe(partition) or not (versions or version.is_comparable)

    def test_a_version_counts_the_rows_of_its_payload(self, source: Source, known: Mapping[Partition, int]) -> None:
        """If it counts them: a row that was withdrawn shows in nothing else."""
        for partition in known:
            payload = source.fetch(partition)
            for version in (payload.version, source.probe(partition)):
                if version is not None and version.is_comparable:
                    assert version.row_count == count_rows(payload.documents)

    def test_a_version_has_the_newest_date_of_its_rows(self, source: Source, known: Mapping[Partition, int]) -> None:
        """FINRA's lastUpdateDate is a date of each row."""
        for partition in known:
            for version in (source.fetch(partition).version, source.probe(partition)):
                if version is not None:
                    assert version.last_update_date == _newest_date(source, partition)

    def test_a_fetch_is_the_same_whether_or_not_there_was_a_probe(
        self, new_source: Callable[[], Source], known: Mapping[Partition, int]
    ) -> None:
        """No method keeps state for the next call."""
        found = []
        for calls in (("fetch",), ("probe", "fetch"), ("fetch", "probe", "fetch"), ("probe", "probe", "fetch")):
            with new_source() as source:
                payloads = [_payload(source, partition, calls) for partition in known]
            found.append([(_hash(payload), payload.version) for payload in payloads])
        assert all(each == found[0] for each in found)

    def test_probing_another_partition_changes_no_fetch(
        self, new_source: Callable[[], Source], known: Mapping[Partition, int]
    ) -> None:
        """Nor the other way round."""
        one, other, *_rest = known
        with new_source() as source:
            expected = (source.probe(one), _hash(source.fetch(one)))
        with new_source() as source:
            source.probe(other)
            fetched = _hash(source.fetch(one))
            source.fetch(other)
            assert (source.probe(one), fetched) == expected

    def test_a_fetch_with_the_version_that_was_seen_is_the_same(
        self, source: Source, known: Mapping[Partition, int]
    ) -> None:
        """It may save a request, no more."""
        for partition in known:
            plain, expecting = source.fetch(partition), source.fetch(partition, source.probe(partition))
            assert (_hash(expecting), expecting.source_url) == (_hash(plain), plain.source_url)
            assert expecting.version == plain.version

    def test_a_fetch_with_another_version_gives_what_is_there(
        self, source: Source, known: Mapping[Partition, int]
    ) -> None:
        """With its true version: the caller decides by what it gets."""
        wrong = SourceVersion(date(1999, 1, 1), 1)
        for partition in known:
            plain, expecting = source.fetch(partition), source.fetch(partition, wrong)
            assert (_hash(expecting), expecting.version) == (_hash(plain), plain.version)

    # Restatements

    def test_what_was_restated_since_a_day_is_so_by_its_rows(
        self, source: Source, known: Mapping[Partition, int], tells_restatements: bool
    ) -> None:
        """Asked for the day of each one's newest row, and for the days beside it."""
        newest = {partition: _newest_date(source, partition) for partition in known}
        before = max(partition.week_ending for partition in known) + _A_WEEK
        for day in sorted({day + offset for day in newest.values() for offset in (-_A_DAY, timedelta(), _A_DAY)}):
            told = source.restated_since(day, before)
            assert (told is not None) == tells_restatements
            if told is not None:
                assert told & known.keys() == {partition for partition in known if newest[partition] >= day}

    def test_what_was_restated_is_of_the_weeks_before(
        self, source: Source, known: Mapping[Partition, int], tells_restatements: bool
    ) -> None:
        """A week that ends on that day is not before it; and all of it is on offer."""
        for before in {partition.week_ending for partition in known}:
            told = source.restated_since(date(2000, 1, 1), before)
            assert (told is not None) == tells_restatements
            assert all(partition.week_ending < before for partition in told or ())
            assert (told or frozenset()) <= source.list_partitions().partitions

    # Errors

    def test_an_absent_partition_is_an_error_that_names_it(self, source: Source, absent: Partition) -> None:
        """Never an empty payload: that would be every row withdrawn."""
        with pytest.raises(SourceError) as raised:
            source.fetch(absent)
        assert raised.value.partition == absent

    def test_an_absent_partition_has_no_version(self, source: Source, absent: Partition) -> None:
        """Asking for it is no error."""
        assert source.probe(absent) is None

    def test_an_error_leaves_the_source_as_it_was(
        self, source: Source, known: Mapping[Partition, int], absent: Partition
    ) -> None:
        """The other partitions of a run are still to come."""
        before = {partition: _hash(source.fetch(partition)) for partition in known}
        with pytest.raises(SourceError):
            source.fetch(absent)
        assert {partition: _hash(source.fetch(partition)) for partition in known} == before

    # Several at once

    def test_threads_may_call_it_at_once(self, source: Source, known: Mapping[Partition, int]) -> None:
        """Each gets the partition that it asked for."""
        expected = {partition: _hash(source.fetch(partition)) for partition in known}
        asked = list(known) * _THREADS
        with ThreadPoolExecutor(_THREADS) as pool:
            hashes = list(pool.map(lambda partition: _hash(source.fetch(partition)), asked))
        assert hashes == [expected[partition] for partition in asked]

    @pytest.mark.parametrize("same_machine", [True, False])
    def test_another_process_opens_its_equal_or_is_told_why_not(
        self, source: Source, known: Mapping[Partition, int], reopens: bool, same_machine: bool
    ) -> None:
        """Through what its reopener pickles into, with an instance of its own."""
        try:
            opener = source.reopener(same_machine=same_machine, processes=2)
        except ConfigurationError:
            assert not (reopens and same_machine)
            return
        assert reopens
        with pickle.loads(pickle.dumps(opener))() as other:  # noqa: S301  made by this test
            assert (other.info.label, other.info.kind) == (source.info.label, source.info.kind)
            assert other.info.instance != source.info.instance
            for partition in known:
                assert other.probe(partition) == source.probe(partition)
                assert _hash(other.fetch(partition)) == _hash(source.fetch(partition))

    # What it costs

    def test_a_new_source_has_cost_nothing(self, source: Source) -> None:
        """Opening it asks for nothing yet."""
        assert source.usage() == Usage()

    def test_usage_only_grows(self, source: Source, known: Mapping[Partition, int]) -> None:
        """Through listing, probing and fetching."""
        usages = [source.usage()]
        source.list_partitions()
        usages.append(source.usage())
        for partition in known:
            for call in (source.probe, source.fetch):
                call(partition)
                usages.append(source.usage())
        assert [each.requests for each in usages] == sorted(each.requests for each in usages)
        assert [each.bytes_received for each in usages] == sorted(each.bytes_received for each in usages)

    def test_a_source_that_costs_something_says_so_beforehand(
        self, source: Source, known: Mapping[Partition, int]
    ) -> None:
        """And a free one costs nothing."""
        partition = next(iter(known))
        estimate = source.estimate(source.probe(partition))
        before = source.usage()
        source.fetch(partition)
        assert (estimate == Usage()) == (source.usage() == before)


def _payload(source: Source, partition: Partition, calls: tuple[str, ...]) -> Payload:
    """The answer to the last of these calls, which is a fetch."""
    for call in calls[:-1]:
        getattr(source, call)(partition)
    return source.fetch(partition)


def _newest_date(source: Source, partition: Partition) -> date:
    records = parse_content(source.fetch(partition).documents, partition).records
    return max(map(date.fromisoformat, records.last_update_dates.values))


def _hash(payload: Payload) -> str:
    return canonical_hash(payload.documents)
