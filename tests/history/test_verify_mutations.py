"""`verify` finds each change behind the library's back: every column of every table, every row, any byte of it."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from attrs import define, evolve

from finra_core import Partition, Payload, SourceVersion, Store, Tier, acknowledge, open_store
from finra_core.domain.errors import StoreError
from finra_core.history.asof import releases
from finra_core.history.verify import verify
from finra_core.ports.store import AnomalyQuery
from finra_core.runs.prune import pin, prune
from finra_simulator import Restatement, SimulatorSource, World
from finra_sql.migrate import VERSION_TABLE
from support.harness import Bench, Clock
from support.mutations import Mutation, changes, mutate, swaps, tables_of

WEEK = date(2025, 11, 14)
START = datetime(2025, 12, 23, 12, tzinfo=timezone.utc)
OTC, T2 = Partition(WEEK, Tier.OTC), Partition(WEEK, Tier.NMS_TIER_2)
WORLD = World(
    seed=4,
    symbols=3,
    ats=2,
    firms=2,
    restatement_rate=0.0,
    events=(
        Restatement(OTC, START + timedelta(days=2), changed=1, added=1),
        Restatement(OTC, START + timedelta(days=4), changed=0, withdrawn=1),
        Restatement(T2, START + timedelta(days=4), changed=1),
    ),
)

UNPROTECTED = {
    **dict.fromkeys(
        [
            ("core_manifest", "manifest_no"),
            ("core_anomalies", "anomaly_no"),
            ("core_data_readiness", "readiness_no"),
            ("core_readiness_history", "judgment_no"),
            ("core_decisions", "decision_no"),
            ("core_runs", "run_no"),
            ("finra_otc_rejected_rows", "reject_no"),
            ("core_prunes", "prune_no"),
        ],
        "the database's own number of the row: nothing refers to it, and it says nothing but the order of the puts",
    ),
}
"""The columns whose change verify does not find, and why. docs/verify.md lists them too."""

USERS_OWN = "add a row to core_data_readiness"
"""The row is of another domain, because the table takes no second one of ours. Users keep their own there."""


@define
class Spoiling(SimulatorSource):
    """Two rows of OTC have no date."""

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        if partition.tier is not Tier.OTC:
            return payload
        documents = [document.replace(b"|2025-12-15\n", b"|soon\n", 2) for document in payload.documents]
        return evolve(payload, documents=documents)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has something of everything, and is sound."""
    path = tmp_path_factory.mktemp("verify") / "finra.db"
    with open_store(f"sqlite:///{path}") as store:
        bench = Bench(store, WORLD, Clock(START))
        for day in range(6):
            source = Spoiling(WORLD, bench.clock)
            tiers = [Tier.NMS_TIER_1, Tier.OTC] if day == 0 else list(Tier)
            bench.run(weeks=(WEEK,), tiers=tuple(tiers), source=source)
            bench.clock.forward(days=1)
        with store.read() as view:
            anomaly = next(a for a in view.anomalies(AnomalyQuery(open_only=True)) if a.anomaly.scope.week_ending)
        acknowledge(store, anomaly.fingerprint, "known", bench.clock())
        with store.read() as view:
            first = releases(view, T2)[0]
        pin(store, first.capture_id, first.revision, "quoted in a paper", bench.clock())
        assert prune(store, (START + timedelta(days=4)).date(), bench.clock())
    return path


def found_in(store: Store) -> list[str]:
    """What verify names, or why it cannot."""
    try:
        return [each.message for each in verify(store).problems]
    except StoreError as error:
        return [error.message]


def found_by_opening(path: Path) -> list[str]:
    """The same, with the store opened anew: that looks at the version of its schema."""
    try:
        with open_store(f"sqlite:///{path}", read_only=True) as store:
            return found_in(store)
    except StoreError as error:
        return [error.message]


def _protected(table: str, columns: list[str]) -> str:
    return ", ".join(column for column in columns if (table, column) not in UNPROTECTED)


def content(path: Path) -> list[str]:
    """All that the file's tables hold but what is not protected; what cannot be read is itself a difference."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return sorted(
                f"{table} {row}"
                for table, columns in tables_of(path).items()
                for row in connection.execute(
                    f"SELECT {', '.join(c for c in columns if (table, c) not in UNPROTECTED)} FROM {table}"
                )
            )
    except (sqlite3.Error, ValueError, OverflowError) as error:
        return [repr(error)]


def test_every_table_has_rows_and_the_store_is_sound(original: Path) -> None:
    with closing(sqlite3.connect(original)) as connection:
        counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables_of(original)}
    assert min(counts.values()) > 0, counts
    assert found_by_opening(original) == []


@pytest.mark.parametrize(
    ("made", "at_least"), [(changes, 120), pytest.param(swaps, 60, marks=pytest.mark.soak)], ids=["changed", "swapped"]
)
def test_every_change_of_a_cell_or_a_row_is_found(
    original: Path, tmp_path: Path, made: Callable[[Path], Iterator[Mutation]], at_least: int
) -> None:
    before = content(original)
    path = Path(shutil.copy(original, tmp_path / "mutated.db"))
    unfound, count = [], 0
    with open_store(f"sqlite:///{path}", read_only=True) as store:
        for mutation in made(original):
            shutil.copy(original, path)
            mutate(path, mutation)
            if content(path) == before:
                continue
            count += 1
            found = found_by_opening(path) if mutation.table == VERSION_TABLE else found_in(store)
            if not found and str(mutation) != USERS_OWN:
                unfound.append(str(mutation))
    assert not unfound
    assert count > at_least


def _flips(original: Path, tmp_path: Path, chance: random.Random, count: int) -> tuple[list[int], int]:
    """The places of flips that changed what is stored and that nobody named, and how many changed it."""
    before, whole = content(original), original.read_bytes()
    path = tmp_path / "flipped.db"
    unfound, harmful = [], 0
    for place in chance.sample(range(len(whole)), count):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        if content(path) == before:
            continue  # a page that is free, or a counter of the file's own
        harmful += 1
        if not found_by_opening(path):
            unfound.append(place)
    return unfound, harmful


def test_flipped_bits_of_the_file_are_found(original: Path, tmp_path: Path) -> None:
    unfound, harmful = _flips(original, tmp_path, random.Random(1), 80)
    assert unfound == []
    assert harmful > 8


@pytest.mark.soak
def test_thousands_of_flipped_bits_of_the_file_are_found(original: Path, tmp_path: Path) -> None:
    unfound, harmful = _flips(original, tmp_path, random.Random(2), 5_000)
    assert unfound == []
    assert harmful > 500
