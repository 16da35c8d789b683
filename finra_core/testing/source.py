"""The suite that any Source has to pass.

    class TestMySource(SourceContract):
        @pytest.fixture
        def source(self):
            with closing(open_source("mine:...")) as source:
                yield source

        @pytest.fixture
        def known(self):
            return {Partition(date(2025, 12, 26), Tier.OTC): 36_112}

        @pytest.fixture
        def absent(self):
            return Partition(date(1999, 1, 1), Tier.OTC)

and, where probing gives versions, a fixture `versions` that is True.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.ports import Source, Usage
from finra_core.weekly_summary.parsing import parse_content
from finra_core.weekly_summary.payload import Payload, canonical_hash, count_rows

_THREADS = 4


class SourceContract:
    """A source that stands still while it is tested: what it lists it gives, whole and always the same."""

    @pytest.fixture
    def source(self) -> Source:
        """The source, open; whoever opens it closes it."""
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

    def test_it_has_a_name_for_log_lines(self, source: Source) -> None:
        """One line of it."""
        assert source.label
        assert source.label.isprintable()

    def test_it_is_an_archive_or_it_is_not(self, source: Source) -> None:
        """Not something that is merely true or false to an `if`."""
        assert isinstance(source.archive, bool)

    def test_it_lists_what_it_has(self, source: Source, known: Mapping[Partition, int], absent: Partition) -> None:
        """And not what it has not."""
        listed = source.listing().partitions
        assert listed >= known.keys()
        assert absent not in listed

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

    def test_a_version_counts_the_rows_of_its_payload(
        self, source: Source, known: Mapping[Partition, int], versions: bool
    ) -> None:
        """And is the one that was probed; a source without versions says so by None."""
        for partition in known:
            payload, version = source.fetch(partition), source.probe(partition)
            assert (version is not None) == versions
            assert payload.version in (None, version)
            assert version is None or version.row_count == count_rows(payload.documents)

    def test_what_it_says_of_its_documents_is_so(self, source: Source, known: Mapping[Partition, int]) -> None:
        """Profiles that come with a payload are of its documents."""
        for partition in known:
            payload = source.fetch(partition)
            if payload.profiles is not None:
                assert [s.canonical_hash() for s in payload.profiles] == [
                    canonical_hash([d]) for d in payload.documents
                ]

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

    def test_threads_may_call_it_at_once(self, source: Source, known: Mapping[Partition, int]) -> None:
        """Each gets the partition that it asked for."""
        expected = {partition: _hash(source.fetch(partition)) for partition in known}
        asked = list(known) * _THREADS
        with ThreadPoolExecutor(_THREADS) as pool:
            hashes = list(pool.map(lambda partition: _hash(source.fetch(partition)), asked))
        assert hashes == [expected[partition] for partition in asked]

    def test_usage_only_grows(self, source: Source, known: Mapping[Partition, int]) -> None:
        """Through listing, probing and fetching."""
        usages = [source.usage()]
        source.listing()
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
        price = source.price(source.probe(partition))
        before = source.usage()
        source.fetch(partition)
        assert (price == Usage()) == (source.usage() == before)


def _hash(payload: Payload) -> str:
    return canonical_hash(payload.documents)
