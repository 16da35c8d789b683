"""The chain: whatever is changed, dropped, added or moved shows, and what is written anew shows at a checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime, timezone
from typing import Any

import pytest
import rfc8785
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.chain import ChainEntry, EntryKind, Vouched, breaks, canonical_json, digest, next_entries
from finra_core.domain.errors import ConfigurationError
from finra_core.history.checkpoint import Checkpoint, is_signed_by, sign, take_checkpoint
from finra_core.history.verify_ledger import check_checkpoint, read_ledger
from finra_core.testing.examples import anomaly as an_anomaly
from finra_core.testing.examples import at, decision_record, put_chain, seen
from finra_memory import MemoryStore

PRIVATE = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
"""RFC 8410's example key."""

texts = st.text(st.characters(codec="utf-8"), max_size=8)
subjects = st.lists(
    st.tuples(st.sampled_from(EntryKind), st.lists(st.builds(Vouched, texts, texts), min_size=1, max_size=3)),
    min_size=2,
    max_size=6,
)


def chain_of(made: Sequence[tuple[EntryKind, Sequence[Vouched]]]) -> list[ChainEntry]:
    return next_entries(None, made, at(0))


def is_sound(entries: Sequence[ChainEntry]) -> bool:
    return not list(breaks(entries))


@given(subjects)
def test_a_chain_is_sound_whole_and_from_any_place_on(made: list[Any]) -> None:
    entries = chain_of(made)
    assert is_sound(entries)
    assert not list(breaks(entries[1:], entries[0]))
    later = next_entries(entries[-1], made, at(1))
    assert is_sound([*entries, *later])


@given(subjects, st.data())
def test_a_changed_entry_shows(made: list[Any], data: st.DataObject) -> None:
    entries = chain_of(made)
    place = data.draw(st.integers(0, len(entries) - 1))
    other: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"kind": entries[place].kind + "x"},
                {"subject": entries[place].subject + " "},
                {"at": at(7)},
                {"previous": "1" * 64},
                {"hash": "1" * 64},
                {"seq": 99},
            ]
        )
    )
    entries[place] = evolve(entries[place], **other)
    assert not is_sound(entries)


@given(subjects, st.data())
def test_a_dropped_a_doubled_and_a_moved_entry_show(made: list[Any], data: st.DataObject) -> None:
    entries = chain_of(made)
    place = data.draw(st.integers(0, len(entries) - 2))
    assert not is_sound([*entries[:place], *entries[place + 1 :]])
    assert not is_sound([*entries[: place + 1], *entries[place:]])
    assert not is_sound([*entries[:place], entries[place + 1], entries[place], *entries[place + 2 :]])


@given(subjects, st.integers(0, 5))
def test_a_dropped_end_and_a_history_written_anew_show_at_a_checkpoint_alone(made: list[Any], kept: int) -> None:
    entries = chain_of(made)
    kept = min(kept, len(entries) - 1)
    with_store = MemoryStore()
    put_chain(with_store, entries)
    with with_store.read() as view:
        checkpoint = take_checkpoint(view)
        assert problems(with_store, checkpoint) == 0

    cut = entries[:kept]
    assert is_sound(cut)
    assert problems(store_of(cut), checkpoint) > 0

    anew = [*cut, *next_entries(cut[-1] if cut else None, made[kept:], at(9))]
    assert is_sound(anew)
    assert problems(store_of(anew), checkpoint) > 0

    grown = [*entries, *next_entries(entries[-1], made, at(9))]
    assert problems(store_of(grown), checkpoint) == 0


def store_of(entries: Sequence[ChainEntry]) -> MemoryStore:
    store = MemoryStore()
    put_chain(store, entries)
    return store


def problems(store: MemoryStore, checkpoint: Checkpoint) -> int:
    with store.read() as view:
        return len(list(check_checkpoint(read_ledger(view, checkpoint), checkpoint)))


def test_an_entrys_hash_is_what_the_documentation_says() -> None:
    (entry,) = next_entries(None, [(EntryKind.RUNS, [Vouched("run-1", "ab")])], at(0))
    fields = {
        "at": "2026-01-20T12:00:00.123456Z",
        "kind": "runs",
        "previous": "0" * 64,
        "seq": 1,
        "subject": '[["run-1","ab"]]',
    }
    text = json.dumps(fields, separators=(",", ":"), sort_keys=True)
    assert entry.hash == hashlib.sha256(text.encode()).hexdigest()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_digests_are_of_the_canonical_json(value: dict[str, Any]) -> None:
    def without_none(item: Any) -> Any:
        if isinstance(item, dict):
            return {name: without_none(each) for name, each in item.items() if each is not None}
        return [without_none(each) for each in item] if isinstance(item, list) else item

    assert digest(value) == hashlib.sha256(rfc8785.dumps(without_none(value))).hexdigest()


def test_digests_tell_each_field_apart_and_leave_out_what_is_empty() -> None:
    record = decision_record()
    assert digest(record) != digest(evolve(record, reason="other"))
    assert digest(record) != digest(evolve(record, decided_at=at(8)))
    assert digest({"a": 1}) == digest({"a": 1, "b": None})
    anomaly = seen(an_anomaly())
    assert digest(anomaly) != digest(evolve(anomaly, occurrences=2))


@pytest.mark.parametrize(
    "value", [2**60, -(2**60), 0.1, 1e300, float("inf"), "\ud800", datetime(2026, 1, 1, tzinfo=timezone.utc), date.min]
)
def test_what_json_cannot_hold_exactly_has_a_digest_all_the_same(value: Any) -> None:
    assert len(digest({"value": value})) == 64


def test_what_is_no_value_of_the_domain_has_none() -> None:
    with pytest.raises(TypeError, match="object"):
        digest({"value": object()})


def test_a_signature_is_the_keys_own() -> None:
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = serialization.load_pem_private_key(PRIVATE.encode(), None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    with store_of(chain_of([(EntryKind.RUNS, [Vouched("a", "b")])])).read() as view:
        taken = take_checkpoint(view)
    signed = sign(taken, PRIVATE.encode())
    assert is_signed_by(signed, public)
    assert not is_signed_by(taken, public)
    assert not is_signed_by(evolve(signed, seq=signed.seq + 1), public)
    assert not is_signed_by(evolve(signed, signature="no hex"), public)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        sign(taken, b"no key")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        is_signed_by(signed, PRIVATE.encode())


def test_a_store_without_a_chain_has_no_checkpoint() -> None:
    with MemoryStore().read() as view, pytest.raises(ConfigurationError, match="no chain yet"):
        take_checkpoint(view)


def test_canonical_json_sorts_and_leaves_out_spaces() -> None:
    assert canonical_json({"b": 1, "a": "ä"}) == '{"a":"ä","b":1}'.encode()
