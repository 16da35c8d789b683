"""Bundles: another store gets the same history, and a file that is not whole gets nowhere."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from rfc8785 import dumps
from zstandard import compress

from finra_bundle import Imported, container, export_bundle, import_bundle
from finra_core import (
    DOMAIN,
    Capture,
    ConfigurationError,
    Partition,
    Scope,
    Store,
    StoreError,
    Tier,
    generate_capture_id,
    open_store,
)
from finra_core.history.asof import as_of
from finra_core.history.restatements import restatements
from finra_core.history.verify import verify
from finra_core.testing.examples import new_capture, payload
from finra_core.weekly_summary.payload import canonical_hash
from finra_memory.unit_of_work import MemoryUnitOfWork
from finra_simulator import Restatement, World
from support.harness import Bench, Clock, everything, readiness_of

START = datetime(2025, 12, 16, 12, tzinfo=timezone.utc)
WEEK, OTHER = date(2025, 11, 14), date(2025, 11, 7)
OTC = Partition(WEEK, Tier.OTC)
DAYS = 5
LATER = START + timedelta(days=60)


def world(seed: int = 4) -> World:
    events = (
        Restatement(OTC, START + timedelta(days=1), changed=2, added=1),
        Restatement(OTC, START + timedelta(days=2, hours=1), changed=1, withdrawn=1),
        Restatement(Partition(OTHER, Tier.NMS_TIER_1), START + timedelta(days=2), changed=1),
        Restatement(OTC, START + timedelta(days=4), restores=True),
    )
    return World(seed=seed, symbols=5, ats=2, firms=2, restatement_rate=0.3, events=events)


def live(store: Store, seed: int = 4, days: int = DAYS) -> Bench:
    bench = Bench(store, world(seed), Clock(START))
    for _ in range(days):
        bench.run(weeks=(WEEK, OTHER))
        bench.clock.forward(days=1)
    return bench


@pytest.fixture(scope="module")
def original() -> Store:
    store = open_store("memory:")
    live(store)
    return store


@pytest.fixture
def empty() -> Store:
    return open_store("memory:")


def bundle(store: Store, path: Path, **what: Any) -> Path:
    with store.read() as view:
        export_bundle(view, path, **what)
    return path


def take(store: Store, path: Path) -> Imported:
    return import_bundle(store, path, LATER)


def history(store: Store) -> dict[str, Any]:
    """All that a bundle covers, by names in place of the store's numbers, asked for in one view."""
    with store.read() as view:
        captures = view.captures()
        names = {capture.number: str(capture) for capture in captures}
        normalized = [capture for capture in captures if capture.is_normalized]
        analyses = [analysis for week in (OTHER, WEEK) for analysis in view.analyses([week])]
        instants = [START + timedelta(hours=hours) for hours in range(0, 24 * (DAYS + 1), 6)]
        return {
            "captures": [evolve(capture, number=0) for capture in captures],
            "payloads": [view.payload(capture) for capture in captures],
            "records": [sorted(view.records(capture).rows()) for capture in normalized],
            "rejects": [view.rejects(capture) for capture in normalized],
            "analyses": [(evolve(a, inputs=()), [names[number] for number in a.inputs]) for a in analyses],
            "as of": [[str(c) for c in as_of(view, at).captures] for at in instants],
            "restatements": [(str(r.after), r.known_from, r.changes) for r in restatements(view)],
        }


# The same history ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1])
def test_any_store_gets_the_history_of_any_other_and_gives_the_same_file_again(
    store: Store, tmp_path: Path, seed: int
) -> None:
    live(store, seed)
    first = bundle(store, tmp_path / "first")
    with open_store("memory:") as memory, open_store(f"sqlite:///{tmp_path / 'b.db'}") as sqlite:
        take(memory, first)
        take(sqlite, bundle(memory, tmp_path / "second"))

        assert history(memory) == history(sqlite) == history(store)
        assert (tmp_path / "second").read_bytes() == bundle(sqlite, tmp_path / "third").read_bytes()
        assert (tmp_path / "third").read_bytes() == first.read_bytes()
        assert {week: r.is_ready for week, r in readiness_of(sqlite).items()} == {
            week: r.is_ready for week, r in readiness_of(store).items()
        }


def test_a_store_of_any_kind_takes_it_and_a_second_time_changes_nothing(
    store: Store, original: Store, tmp_path: Path
) -> None:
    path = bundle(original, tmp_path / "bundle")

    first = take(store, path).replayed
    before = everything(store)
    second = take(store, path).replayed

    assert history(store) == history(original)
    assert (first.captures, first.known) == (len(before["captures"]), 0)
    assert (second.captures, second.known, second.analyses, second.weeks) == (0, first.captures, 0, ())
    assert everything(store) == before
    assert verify(store).ok


def test_the_next_run_on_an_imported_store_goes_on_as_the_original_would(tmp_path: Path) -> None:
    stores = [open_store("memory:") for _ in range(2)]
    bench = live(stores[0], days=3)
    take(stores[1], bundle(stores[0], tmp_path / "bundle"))

    reports = [bench.run(store=store, weeks=(WEEK, OTHER)) for store in stores]

    outcomes = [[(p.week_ending, p.tier, p.outcome, p.capture_id) for p in report.partitions] for report in reports]
    assert outcomes[0] == outcomes[1]


def test_captures_that_have_no_records_are_taken_as_they_are(empty: Store, tmp_path: Path) -> None:
    raw = open_store("memory:")
    with raw.write(Scope()) as unit:
        named = generate_capture_id(DOMAIN, WEEK, Tier.OTC, date(2026, 1, 5))
        new = new_capture(OTC, capture_id=named)
        unit.put_capture(evolve(new, row_count=1, content_hash=canonical_hash([b"a\nb\n"])), payload(b"a\nb\n"))

    take(empty, bundle(raw, tmp_path / "bundle"))

    with empty.read() as view, raw.read() as other:
        assert view.captures() == other.captures()


# A part of it ----------------------------------------------------------------------------------------


def test_a_later_bundle_adds_what_came_since(empty: Store, tmp_path: Path) -> None:
    source = open_store("memory:")
    bench = live(source, days=2)
    take(empty, bundle(source, tmp_path / "first"))
    for _ in range(3):
        bench.run(weeks=(WEEK, OTHER))
        bench.clock.forward(days=1)

    day = (START + timedelta(days=2)).date()
    added = take(empty, bundle(source, tmp_path / "since", since=day)).replayed

    assert added.captures > 0 == added.known
    with empty.read() as view, source.read() as other:
        assert [str(c) for c in view.captures()] == [str(c) for c in other.captures()]
        assert [view.records(c).shares_micros for c in view.captures()] == [
            other.records(c).shares_micros for c in other.captures()
        ]


def test_weeks_tiers_and_names_choose_captures(original: Store, empty: Store, tmp_path: Path) -> None:
    with original.read() as view:
        otc = [c for c in view.captures() if c.partition == OTC]
        whole = export_bundle(view, tmp_path / "a", weeks=[WEEK], tiers=[Tier.OTC])
        named = export_bundle(view, tmp_path / "b", named=[otc[0].capture_id, f"{otc[2].capture_id} r1"])
        with pytest.raises(ConfigurationError, match="no capture 'x'"):
            export_bundle(view, tmp_path / "c", named=["x"])
    assert [each.capture.capture_id for each in whole.manifest.captures] == [c.capture_id for c in otc]
    assert [each.capture.capture_id for each in named.manifest.captures] == [otc[0].capture_id, otc[2].capture_id]
    assert not (tmp_path / "c").exists()

    take(empty, tmp_path / "b")

    with empty.read() as view:
        assert [capture.capture_id for capture in view.captures()] == [otc[0].capture_id, otc[2].capture_id]


def test_a_store_with_another_history_of_a_partition_is_refused_by_its_name(
    original: Store, empty: Store, tmp_path: Path
) -> None:
    live(empty, seed=9, days=1)
    before = everything(empty)

    with pytest.raises(ConfigurationError, match=r"2025-11-\d\d / NMS_TIER_1: the store has .*import it into another"):
        take(empty, bundle(original, tmp_path / "bundle"))

    assert everything(empty) == before


def test_a_store_that_is_ahead_keeps_what_it_has(original: Store, empty: Store, tmp_path: Path) -> None:
    take(empty, bundle(original, tmp_path / "all"))
    before = everything(empty)
    with original.read() as view:
        (first, *_rest) = [c for c in view.captures() if c.partition == OTC]

    done = take(empty, bundle(original, tmp_path / "old", named=[first.capture_id])).replayed

    assert (done.captures, done.known) == (0, 1)
    assert everything(empty) == before


def test_an_import_that_was_broken_off_goes_on(
    original: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = bundle(original, tmp_path / "bundle"), open_store("memory:")
    put, left = MemoryUnitOfWork.put_records, iter(range(4))

    def breaks_off(self: MemoryUnitOfWork, *values: Any) -> Any:
        if next(left, None) is None:
            raise StoreError("the disk is full")
        return put(self, *values)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryUnitOfWork, "put_records", breaks_off)
        with pytest.raises(StoreError):
            take(target, path)
    assert len(everything(target)["captures"]) == 4

    take(target, path)

    assert history(target) == history(original)


# Damage and malice -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bundle of one week and tier in three versions."""
    store = open_store("memory:")
    live(store)
    path = tmp_path_factory.mktemp("small") / "bundle"
    return bundle(store, path, weeks=[WEEK], tiers=[Tier.OTC]).read_bytes()


@pytest.fixture
def refused(empty: Store, tmp_path: Path) -> Callable[[bytes], str]:
    """Has a store refuse a file with one line that names it, writing nothing; returns the line."""

    def refuse(content: bytes) -> str:
        path = tmp_path / "bad.bundle"
        path.write_bytes(content)
        with pytest.raises(ConfigurationError) as caught:
            take(empty, path)
        assert caught.value.message.startswith(str(path))
        assert "\n" not in caught.value.message
        assert everything(empty)["captures"] == []
        return caught.value.message

    return refuse


def test_every_byte_counts(small: bytes, refused: Callable[[bytes], str]) -> None:
    for place in [*range(0, len(small), 41), *range(0, 512, 3), *range(len(small) - 1800, len(small), 2)]:
        changed = bytearray(small)
        changed[place] ^= 1 << place % 8
        refused(bytes(changed))


def test_nothing_may_be_cut_off_or_follow(small: bytes, refused: Callable[[bytes], str]) -> None:
    for length in [0, 1, 511, 512, 513, *range(1000, len(small), 997), len(small) - 1, len(small) - 512]:
        refused(small[:length])
    refused(small + b"\0")
    refused(small + bytes(10240))


def entries(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


def built(items: Iterator[tuple[str, bytes]] | list[tuple[str, bytes]], kind: bytes = tarfile.REGTYPE) -> bytes:
    """An archive as Python's own library writes it, with these entries."""
    found = b""
    for name, content in items:
        entry = tarfile.TarInfo(name)
        entry.size, entry.type = len(content), kind if name not in ("manifest.json", "manifest.sha256") else b"0"
        found += entry.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)
    return found + bytes(1024)


def with_manifest(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The bundle with another manifest, whose hash is right."""
    own = entries(content)
    document = json.loads(own["manifest.json"])
    change(document)
    own["manifest.json"] = dumps(document)
    own["manifest.sha256"] = hashlib.sha256(own["manifest.json"]).hexdigest().encode() + b"\n"
    return built(list(own.items()))


def test_the_archive_is_one_that_anybody_can_read_and_write(small: bytes, empty: Store, tmp_path: Path) -> None:
    path = tmp_path / "rebuilt"
    path.write_bytes(built(list(entries(small).items())))
    assert path.read_bytes() == small
    assert take(empty, path).manifest_sha256 == hashlib.sha256(entries(small)["manifest.json"]).hexdigest()


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "payloads/../../x", "payloads/x.zst", "PAYLOADS/" + "0" * 64, "x", "a" * 99]
)
def test_other_names_are_refused(small: bytes, refused: Callable[[bytes], str], name: str) -> None:
    own = list(entries(small).items())
    assert "is none of a bundle" in refused(built([(name, b"x"), *own]))
    refused(built([*own, (name, b"x")]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(small: bytes, refused: Callable[[bytes], str], kind: bytes) -> None:
    refused(built(list(entries(small).items()), kind))


def test_entries_that_are_doubled_missing_or_too_many_are_refused(
    small: bytes, refused: Callable[[bytes], str]
) -> None:
    own = list(entries(small).items())
    more = b"more"
    extra = (f"payloads/{hashlib.sha256(more).hexdigest()}.zst", compress(more))
    assert "twice" in refused(built([own[0], *own]))
    assert "payloads are not those" in refused(built(own[1:]))
    assert "payloads are not those" in refused(built([extra, *own]))
    refused(built(own[:-1]))
    refused(built(own[:-2]))
    refused(built([]))


def test_a_bomb_is_not_unpacked(small: bytes, refused: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_DOCUMENT", 1 << 22)
    zeros = bytes(1 << 26)
    own = list(entries(small).items())
    bomb = (f"payloads/{hashlib.sha256(zeros).hexdigest()}.zst", compress(zeros))
    assert "more than 4,194,304 bytes" in refused(built([bomb, *own]))


def _set(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


FIRST = ("manifest", "captures", 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("format", to="other"), "form"),
        (_set("manifest", "version", to=2), "version 2"),
        (_set("manifest", "surprise", to=1), "form"),
        (_set("manifest", "captures", to="none"), "Manifest|form|captures"),
        (_set(*FIRST, "records_hash", to="0" * 64), "reads other records"),
        (_set(*FIRST, "capture", "content_hash", to="0" * 64), "content hash"),
        (_set(*FIRST, "capture", "row_count", to=1), "content hash"),
        (_set(*FIRST, "capture", "number", to=2), "contradicts itself"),
        (_set(*FIRST, "capture", "partition", "week_ending", to="2025-11-07"), "contradicts itself"),
        (_set(*FIRST, "capture", "reason", to="a\x1b[31mb"), "contradicts itself"),
        (_set(*FIRST, "capture", "captured_at", to="2026-01-01T00:00:00.000000Z"), "order of time"),
        (_set(*FIRST, "documents", to=[]), "payloads|contradicts"),
        (_set("manifest", "analyses", 0, "inputs", to=[99]), "inputs of its analytics"),
        (_set("manifest", "analyses", 0, "tier", to="ALL"), "inputs of its analytics"),
        (lambda document: document["manifest"]["captures"].reverse(), "contradicts itself"),
    ],
    ids=range(15),
)
def test_a_manifest_that_lies_is_refused_though_its_hash_is_right(
    small: bytes, refused: Callable[[bytes], str], change: Callable[[dict[str, Any]], None], message: str
) -> None:
    assert re.search(message, refused(with_manifest(small, change)))


def test_a_bundle_is_there_as_a_whole_or_not_at_all(original: Store, tmp_path: Path) -> None:
    path = bundle(original, tmp_path / "bundle")
    before = path.read_bytes()
    with original.read() as view, pytest.raises(StoreError):
        export_bundle(_Failing(view), path)
    assert [file.name for file in tmp_path.iterdir()] == ["bundle"]
    assert path.read_bytes() == before


class _Failing:
    """A view whose third payload is damaged."""

    def __init__(self, view: Any) -> None:
        self._view = view
        self._left = 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def payload(self, capture: Capture) -> tuple[bytes, ...]:
        self._left -= 1
        if self._left < 0:
            raise StoreError(f"{capture}: its stored payload is damaged")
        payload: tuple[bytes, ...] = self._view.payload(capture)
        return payload
