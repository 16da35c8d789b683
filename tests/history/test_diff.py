"""Kinds of differences and symbols that moved tier, by hand-made captures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve

from finra_core import MICROS, Capture, Partition, Scope, Security, Store, Tier, open_store
from finra_core.domain.analytics import CALC_VERSION
from finra_core.history.diff import DiffKind, MovedSymbol, diff
from finra_core.history.impact import impact
from finra_core.history.restatements import ledger
from finra_core.testing.examples import (
    AAPL,
    CITADEL,
    DE_MINIMIS,
    IBM,
    OTC,
    T1,
    T2,
    UBSA,
    analysis_of,
    captures_of,
    new_capture,
    payload,
    put_normalized,
    put_records,
    row,
    writing,
)

PINK = Security("PINK", "Pink Inc.", "")


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("memory:") as opened:
        yield opened


def test_each_kind_of_difference_is_told(store: Store) -> None:
    renamed = UBSA._replace(name="UBSA UBS ATS INC.")
    before = put_normalized(
        store, T1, 0, [row(AAPL), row(AAPL, CITADEL), row(IBM), row(IBM, CITADEL), row(IBM, DE_MINIMIS, 4)]
    )
    after = put_normalized(
        store,
        T1,
        1,
        [
            row(AAPL, renamed),
            row(AAPL, CITADEL, day="2026-01-20"),
            row(IBM, UBSA, 150, 3),
            row(IBM, DE_MINIMIS, 4, 2),
            row(PINK),
        ],
    )
    with store.read() as view:
        found = diff(view, before, after)
    assert [(d.newest.security.symbol, d.newest.venue.venue_type, d.kind) for d in found.rows] == [
        ("AAPL", "ATS", DiffKind.RENAMED),
        ("AAPL", "NON_ATS", DiffKind.REDATED),
        ("IBM", "ATS", DiffKind.CHANGED),
        ("IBM", "DE_MINIMIS", DiffKind.CHANGED),
        ("IBM", "NON_ATS", DiffKind.WITHDRAWN),
        ("PINK", "ATS", DiffKind.ADDED),
    ]
    summary = found.summary
    assert (summary.added, summary.withdrawn, summary.changed, summary.renamed, summary.redated) == (1, 1, 2, 1, 1)
    assert [d.percent for d in found.rows] == [0.0, 0.0, 50.0, 0.0, -100.0, None]
    assert [d.trades_delta for d in found.rows] == [0, 0, 2, 1, -1, 1]


def test_an_issue_of_another_name_is_renamed_and_not_withdrawn_and_added(store: Store) -> None:
    new_name = AAPL._replace(issue_name="Apple Inc.")
    before = put_normalized(store, T1, 0, [row(AAPL), row(AAPL, CITADEL, 7)])
    after = put_normalized(store, T1, 1, [row(new_name), row(new_name, CITADEL, 8)])
    with store.read() as view:
        found = diff(view, before, after)
        of_ledger = ledger(view).figures
    assert [d.kind for d in found.rows] == [DiffKind.RENAMED, DiffKind.ADDED, DiffKind.WITHDRAWN]
    assert found.rows[0].before is not None
    assert found.rows[0].before.security == AAPL
    # The ledger counts rows by what identifies them, of which an issue's name is a part.
    assert (of_ledger.added, of_ledger.withdrawn) == (2, 2)


def test_two_equal_rows_of_two_names_are_not_one(store: Store) -> None:
    names = [Security("RNA", name, "") for name in ("old one", "old two", "new")]
    before = put_normalized(store, T1, 0, [row(names[0]), row(names[1])])
    after = put_normalized(store, T1, 1, [row(names[2])])
    with store.read() as view:
        summary = diff(view, before, after).summary
    assert (summary.renamed, summary.withdrawn, summary.added) == (1, 1, 0)


def test_a_venue_that_is_gone_has_no_volume_and_a_share_of_nothing(store: Store) -> None:
    before = put_normalized(store, T1, 0, [row(AAPL), row(AAPL, CITADEL, 300)])
    after = put_normalized(store, T1, 1, [row(AAPL)])
    empty = put_normalized(store, T1, 2, [])
    with store.read() as view:
        gone, _ubsa = impact(view, diff(view, before, after)).venues
        assert (gone.venue, gone.shares_before, gone.shares_after) == (CITADEL, 300 * MICROS, 0)
        assert (gone.share_before, gone.share_after) == (0.75, 0.0)
        (ubsa,) = impact(view, diff(view, after, empty)).venues
        assert (ubsa.share_before, ubsa.share_after) == (1.0, None)


def test_analytics_of_another_way_to_calculate_are_not_compared(store: Store) -> None:
    before = put_normalized(store, T1, 0, [row(AAPL)])
    after = put_normalized(store, T1, 1, [row(AAPL, UBSA, 300)])
    with writing(store) as unit:
        unit.put_analysis(evolve(analysis_of(store, [after]), calc_version=CALC_VERSION + 1, shares_micros=1))
    with store.read() as view:
        assert impact(view, diff(view, before, after)).shares_after == 300 * MICROS


def captured(store: Store, partition: Partition, minute: int, run: str, *securities: Security) -> Capture:
    """A capture of a run, with a row for each of these securities. It is returned as it is stored."""
    with writing(store, Scope.partition(partition)) as unit:
        capture = unit.put_capture(evolve(new_capture(partition, minute), run_id=run), payload())
    put_records(store, capture, [row(security) for security in securities], minute=minute)
    return next(stored for stored in captures_of(store) if stored.number == capture.number)


def test_a_symbol_that_left_one_tier_for_another_moved(store: Store) -> None:
    before = captured(store, T1, 0, "run 1", AAPL, PINK, IBM)
    captured(store, T2, 1, "run 1", IBM)
    after = captured(store, T1, 2, "run 2", AAPL)
    captured(store, T2, 3, "run 2", IBM, PINK)  # after the other, and of the same run
    with store.read() as view:
        # IBM has stood in both tiers: it left one and moved nowhere.
        there = MovedSymbol("PINK", Tier.NMS_TIER_1, Tier.NMS_TIER_2)
        assert diff(view, before, after).moved == (there,)
        back = MovedSymbol("PINK", Tier.NMS_TIER_2, Tier.NMS_TIER_1)
        assert diff(view, after, before).moved == (back,)
        assert diff(view, before, before).moved == ()


def test_no_later_capture_changes_where_a_symbol_moved(store: Store) -> None:
    before = captured(store, T1, 0, "run 1", AAPL, PINK)
    captured(store, OTC, 1, "run 2", PINK)
    after = captured(store, T1, 2, "run 3", AAPL)
    with store.read() as view:
        moved = diff(view, before, after).moved
    assert moved == (MovedSymbol("PINK", Tier.NMS_TIER_1, Tier.OTC),)
    captured(store, OTC, 3, "run 4", IBM)
    captured(store, T2, 4, "run 4", PINK)
    with store.read() as view:
        assert diff(view, before, after).moved == moved
