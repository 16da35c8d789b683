"""What a store does when captures are protected and removed."""

from __future__ import annotations

from datetime import date
from itertools import combinations

import pytest
from attrs import evolve

from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_core.domain.records import Record
from finra_core.domain.retention import Pin, PruneRecord, RemovedCapture
from finra_core.domain.scopes import Scope
from finra_core.ports.store import Store
from finra_core.testing.examples import (
    AAPL,
    OTC,
    T1,
    UBSA,
    ask,
    at,
    captures_of,
    new_capture,
    payload,
    put_analysis,
    put_capture,
    put_normalized,
    put_records,
    put_whole_week,
    row,
    rows_of,
    writing,
)
from finra_core.testing.store_fixtures import StoreFixtures

_OTHER = AAPL._replace(symbol="MSFT")
_SHARES = ([1, 9], [2, 9], [1, 9], [1], [3, 9])
"""Five captures by the shares of their rows: one value comes back, one row goes and comes back."""


class RetentionContract(StoreFixtures):
    """Captures can be removed with what only they have, and nothing else changes."""

    def test_a_pin_is_read_back_as_it_was(self, store: Store) -> None:
        """In the order of the capture's name."""
        late, early = _pin("b"), _pin("a", revision=2)
        _put_pins(store, late, early)
        assert ask(store, lambda view: view.pins()) == [early, late]

    def test_a_pin_takes_the_place_of_the_one_of_its_capture(self, store: Store) -> None:
        """A capture has one reason to be kept."""
        _put_pins(store, _pin("a"), _pin("a", revision=2), evolve(_pin("a"), reason="audit 2027"))
        assert [(pin.revision, pin.reason) for pin in ask(store, lambda v: v.pins())] == [
            (1, "audit 2027"),
            (2, "audit"),
        ]

    def test_a_pin_can_be_removed(self, store: Store) -> None:
        """That of this revision alone, and without complaint where there is none."""
        _put_pins(store, _pin("a"), _pin("a", revision=2))
        with writing(store) as unit:
            unit.remove_pin(_pin("a"))
            unit.remove_pin(_pin("unknown"))
        assert [pin.revision for pin in ask(store, lambda view: view.pins())] == [2]

    def test_records_of_removals_are_read_back_as_they_were(self, store: Store) -> None:
        """In the order of the puts."""
        removed = RemovedCapture.of(put_normalized(store))
        later = PruneRecord(partition=T1, before=date(2026, 3, 1), pruned_at=at(9), removed=(removed, removed))
        records = [later, evolve(later, partition=OTC, removed=(evolve(removed, normalized_at=None),))]
        with writing(store) as unit:
            for record in records:
                unit.put_prune(record)
        assert ask(store, lambda view: view.prunes()) == records

    def test_a_removed_capture_is_gone_with_what_only_it_had(self, store: Store) -> None:
        """Its payload, its rows, its rejected rows and its pin."""
        first, second = (put_normalized(store, minute=minute) for minute in (1, 2))
        _put_pins(store, _pin(first.capture_id), _pin(second.capture_id))
        _remove(store, first)
        assert captures_of(store) == [second]
        assert [pin.capture_id for pin in ask(store, lambda view: view.pins())] == [second.capture_id]
        for question in (
            lambda view: view.payload(first),
            lambda view: view.records(first),
            lambda view: view.rejects(first),
            lambda view: view.changes(first, second),
        ):
            with pytest.raises(StoreError):
                ask(store, question)

    @pytest.mark.parametrize("gone", [g for n in (1, 2, 3) for g in combinations(range(4), n)], ids=str)
    def test_the_rows_and_changes_of_the_others_stay(self, store: Store, gone: tuple[int, ...]) -> None:
        """Whichever are removed: rows live on in the captures that stay."""
        captures = [put_normalized(store, minute=minute, rows=_rows(own)) for minute, own in enumerate(_SHARES)]
        stay = [capture for place, capture in enumerate(captures) if place not in gone]
        before = _said_of(store, stay)
        _remove(store, *(captures[place] for place in gone))
        assert captures_of(store) == stay
        assert _said_of(store, stay) == before

    def test_records_can_be_put_after_a_removal(self, store: Store) -> None:
        """Rows are counted against the newest records that are left."""
        captures = [put_normalized(store, minute=minute, rows=_rows(own)) for minute, own in enumerate(_SHARES)]
        _remove(store, *captures[2:])
        last = put_capture(store, minute=9)
        assert last.number > captures[1].number
        counts = put_records(store, last, _rows([2, 8]), minute=9)
        assert (counts.added, counts.withdrawn, counts.unchanged) == (1, 1, 1)
        assert rows_of(store, last) == _rows([2, 8])

    def test_numbers_grow_after_a_removal(self, store: Store) -> None:
        """The newest is the one with the highest number, also where older ones went."""
        first, second = put_normalized(store, minute=1), put_normalized(store, minute=2)
        _remove(store, first)
        assert put_capture(store, minute=3).number > second.number
        assert [capture.captured_at for capture in captures_of(store)] == [at(2), at(3)]

    def test_a_capture_without_records_can_be_removed(self, store: Store) -> None:
        """And the rows around it stay."""
        first, raw = put_normalized(store, minute=1), put_capture(store, minute=2)
        last = put_normalized(store, minute=3, rows=_rows([5]))
        _remove(store, raw)
        assert captures_of(store) == [first, last]
        assert rows_of(store, first) == [row()]

    def test_analytics_go_with_each_of_their_inputs(self, store: Store) -> None:
        """Those of a tier, and those across tiers."""
        week = put_whole_week(store)
        old = [put_analysis(store, [week[0]]), put_analysis(store, week)]
        kept = put_analysis(store, [week[1]])
        again = put_normalized(store, minute=9)
        new = [put_analysis(store, [again]), put_analysis(store, [again, *week[1:]])]
        _remove(store, week[0])
        found = ask(store, lambda view: view.analyses())
        assert found == [kept, *new]
        assert not {each.key for each in old} & set(ask(store, lambda view: view.analysis_keys()))

    def test_a_payload_that_another_capture_has_stays(self, store: Store) -> None:
        """Even if it is stored once for both."""
        documents = payload(b"one", b"two")
        with writing(store, Scope.partition(T1)) as unit:
            first, second = (unit.put_capture(new_capture(minute=minute), documents) for minute in (1, 2))
        _remove(store, first)
        assert ask(store, lambda view: view.payload(second)) == (b"one", b"two")

    @pytest.mark.parametrize("gone", [(0,), (1,), (0, 1), (0, 2)], ids=str)
    def test_the_payloads_of_the_others_stay(self, store: Store, gone: tuple[int, ...]) -> None:
        """Byte for byte, even if they are stored as differences to one that goes."""
        lines = [f"MPID|UBSA|SYMBOL{number}|{number * 7919 % 1000}\n".encode() for number in range(400)]
        contents = [b"".join([*lines[:place], b"changed\n", *lines[place + 1 :]]) for place in range(0, 400, 100)]
        captures = []
        for minute, content in enumerate(contents):
            with writing(store, Scope.partition(T1)) as unit:
                captures.append(unit.put_capture(new_capture(minute=minute), payload(content, b"second")))
        _remove(store, *(captures[place] for place in gone))
        for place, (capture, content) in enumerate(zip(captures, contents, strict=True)):
            if place not in gone:
                assert ask(store, lambda view, own=capture: view.payload(own)) == (content, b"second")  # type: ignore[misc]

    def test_other_partitions_stay_as_they_are(self, store: Store) -> None:
        """A removal is about one."""
        others = [put_normalized(store, OTC, minute) for minute in (1, 2)]
        own = [put_normalized(store, T1, minute) for minute in (3, 4)]
        before = _said_of(store, others)
        _remove(store, own[0])
        assert _said_of(store, others) == before

    def test_what_is_not_there_or_of_two_partitions_is_not_removed(self, store: Store) -> None:
        """All of them, or none."""
        first, second = put_normalized(store, minute=1), put_normalized(store, minute=2)
        third = put_normalized(store, OTC, 3)
        for wrong in ([first, evolve(second, number=10**6)], [first, third]):
            with pytest.raises(StoreError):
                _remove(store, *wrong)
        assert captures_of(store) == [first, second, third]


def _pin(capture_id: str, revision: int = 1) -> Pin:
    return Pin(capture_id=capture_id, revision=revision, partition=T1, reason="audit", pinned_at=at(1))


def _put_pins(store: Store, *pins: Pin) -> None:
    with writing(store) as unit:
        for pin in pins:
            unit.put_pin(pin)


def _rows(shares: list[int]) -> list[Record]:
    securities = (AAPL, _OTHER)
    return [row(security, UBSA, own) for security, own in zip(securities, shares, strict=False)]


def _remove(store: Store, *captures: Capture) -> None:
    with writing(store, Scope.partition(captures[0].partition)) as unit:
        unit.remove_captures(captures)


def _said_of(store: Store, captures: list[Capture]) -> list[object]:
    """Records, payloads and changes of these captures, which are of one partition."""
    with store.read() as view:
        return [
            [list(view.records(capture).rows()) for capture in captures],
            [view.payload(capture) for capture in captures],
            [view.changes(one, other) for one, other in combinations(captures, 2)],
        ]
