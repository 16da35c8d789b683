"""A run may be killed at any moment: the next one ends in the state that an undisturbed run reaches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

from finra_core import Store, open_store
from support.harness import DyingStore, ProcessDiedError, contents
from support.killed_at_each_call import WEEKS, bench_on

TESTS = Path(__file__).parents[1]


def die() -> NoReturn:
    raise ProcessDiedError


@pytest.fixture
def another(store_url: str, copy_of: Callable[[str, str], str]) -> Callable[[], Store]:
    """Opens stores of one kind that all hold day one."""
    numbers = count()
    with closing(open_store(store_url)) as first:
        bench_on(first, 1).run(weeks=WEEKS)

    def another() -> Store:
        if store_url != "memory:":
            return open_store(copy_of(store_url, str(next(numbers))))
        store = open_store(store_url)
        bench_on(store, 1).run(weeks=WEEKS)
        return store

    return another


@pytest.mark.parametrize("order", ["phased", "chained"])
def test_dying_at_any_store_call_is_made_good_by_the_next_run(
    store_url: str, another: Callable[[], Store], order: str
) -> None:
    with closing(another()) as undisturbed:
        bench_on(undisturbed, 2).run(weeks=WEEKS, order=order)
        expected = contents(undisturbed)

    # Each death takes PostgreSQL a third of a second; the calls are the same in every store.
    for dies_at in range(1, 1000, 3 if store_url.startswith("postgresql:") else 1):
        with closing(another()) as store:
            try:
                bench_on(store, 2).run(store=DyingStore(store, dies_at, die), weeks=WEEKS, order=order)
            except ProcessDiedError:
                bench_on(store, 2).run(weeks=WEEKS, order=order)
                assert contents(store) == expected, f"died at call {dies_at}"
            else:
                assert dies_at > 50, "the run makes more calls than that"
                return
    pytest.fail("the run never ended")


@pytest.mark.parametrize("day", [1, 2])
def test_whatever_a_process_killed_at_any_store_call_leaves_the_next_run_completes(tmp_path: Path, day: int) -> None:
    """As above, with the files that a killed process leaves: on SQLite, from an empty store and from one with captures.

    The undisturbed run goes first, and a run on each state of the files after it.
    """
    template = tmp_path / "template.db"
    with closing(open_store(f"sqlite:///{template}")) as store:
        if day == 2:
            bench_on(store, 1).run(weeks=WEEKS)
    states = tmp_path / "states"
    states.mkdir()
    script = [sys.executable, "-m", "support.killed_at_each_call", str(template), str(states), str(day)]
    calls = int(subprocess.run(script, check=True, cwd=TESTS, stdout=subprocess.PIPE).stdout)
    with closing(open_store(f"sqlite:///{template}")) as store:
        bench_on(store, day).run(weeks=WEEKS)
        expected = contents(store)

    assert calls > 50
    assert len([*states.glob("killed-at-*")]) > 10
    assert [*states.glob("died-at-*")]
    for state in sorted(states.iterdir()):
        with closing(open_store(f"sqlite:///{state / 'finra.db'}")) as store:
            bench_on(store, day).run(weeks=WEEKS)
            assert contents(store) == expected, state.name
