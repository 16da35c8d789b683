"""A capture that lost a half, or shrank, never passes for the truth: its week is blocked until somebody has looked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from attrs import Factory, define, evolve

from finra_core import (
    Category,
    CoverageBounds,
    Measure,
    Outcome,
    Partition,
    Payload,
    RunReport,
    Severity,
    SourceVersion,
    Stage,
    Tier,
    open_store,
)
from finra_core.domain.anomalies import Anomaly, Check
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.scopes import Scope
from finra_core.ports.observer import AnomalyFound
from finra_core.runs.acknowledge import acknowledge
from finra_core.runs.transactions import record_checks
from finra_simulator import SimulatorSource, World
from support.harness import Bench, Seen, anomalies_of, captures_of, everything, partition, readiness_of

WEEK = date(2025, 11, 28)
OTC = partition("2025-11-28", Tier.OTC)
WORLD = World(symbols=(8, 8, 120), ats=20, firms=20, restatement_rate=0.0, first_week=date(2025, 9, 5))

Edit = Callable[[Sequence[str]], Sequence[str]]
"""From a document's rows, without its header, to those that the source gives."""


@define
class Downloads(SimulatorSource):
    """Downloads of OTC as somebody keeps them: without a version, and as `edits` leave them, by partition."""

    edits: Mapping[Partition, Edit] = Factory(dict)

    def probe(self, partition: Partition) -> SourceVersion | None:
        version = super().probe(partition)
        return evolve(version, row_count=None) if version else None

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition)
        header, *rows = payload.documents[0].decode().splitlines()
        rows = list(self.edits.get(partition, list)(rows))
        document = "".join(f"{line}\n" for line in (header, *rows)).encode()
        return evolve(
            payload, documents=[document], version=payload.version and evolve(payload.version, row_count=None)
        )


def first_rows(count: int) -> Edit:
    """A download of ATSs that was cut off after so many rows, beside a whole one of firms."""

    def edit(rows: Sequence[str]) -> Sequence[str]:
        ats = [row for row in rows if "|ATS_W_SMBL_FIRM|" in row]
        return [*ats[:count], *(row for row in rows if row not in ats)]

    return edit


def only(text: str) -> Edit:
    return lambda rows: [row for row in rows if text in row]


def without(*texts: str) -> Edit:
    return lambda rows: [row for row in rows if not any(text in row for text in texts)]


def in_place_of(old: str, new: str) -> Edit:
    return lambda rows: [row.replace(old, new) for row in rows]


def both(first: Edit, second: Edit) -> Edit:
    return lambda rows: second(first(rows))


def run(bench: Bench, edit: Edit = list, *, of: Partition = OTC, seen: Seen | None = None, **request: Any) -> RunReport:
    """A run on the next day over the week, whose OTC download is edited so."""
    bench.clock.forward(days=1)
    source = Downloads(bench.world, bench.clock, edits={of: edit})
    return bench.run(source=source, observers=[seen] if seen else [], **{"weeks": [WEEK], **request})


@pytest.fixture
def stored(bench: Bench) -> Bench:
    """A store with the whole week."""
    bench.world = WORLD
    assert run(bench).exit_code == 0
    assert readiness_of(bench.store)[WEEK].is_ready
    return bench


def blocking(bench: Bench, use: str = "trading") -> list[str]:
    return [issue.message for issue in readiness_of(bench.store, use)[WEEK].blocking_issues]


def venues(bench: Bench, of: Partition = OTC) -> list[str]:
    """The MPIDs in the world's rows, by themselves."""
    return sorted({row.mpid for row in bench.world.rows(of, bench.clock.now) if row.mpid})


def partial(bench: Bench, *, open_only: bool = True) -> list[Anomaly]:
    found = anomalies_of(bench.store, Severity.WARN, open_only=open_only)
    return [anomaly for anomaly in found if anomaly.category is Category.PARTIAL_COVERAGE]


# What is found ----------------------------------------------------------------------------------------


def test_a_truncated_download_blocks_its_week_though_it_is_the_newest_capture(stored: Bench) -> None:
    report = run(stored, first_rows(30))

    assert report.count(Outcome.INGESTED) == 1
    assert report.exit_code == 0
    assert not report.readiness[0].is_ready
    assert not report.readiness[0].no_partial_coverage
    [issue] = report.readiness[0].blocking_issues
    assert issue.message.startswith("OTC: ATS: only 30/")
    [found] = partial(stored)
    assert issue.action == f"wait for a whole capture, or finra anomalies ack {found.fingerprint} --reason TEXT"
    assert [(f.severity, f.category, f.tier) for f in report.findings] == [(Severity.WARN, "PARTIAL_COVERAGE", "OTC")]


def test_all_uses_are_blocked(stored: Bench) -> None:
    run(stored, first_rows(30))

    assert len(blocking(stored, "trading")) == len(blocking(stored, "compliance")) == 1


def test_the_venues_that_are_missing_are_named(stored: Bench) -> None:
    gone = venues(stored)[:3]

    run(stored, without(*(f"|{mpid}|" for mpid in gone)))

    [found] = partial(stored)
    assert f"; missing: {', '.join(gone)}" in found.message
    assert found.details["missing_venues"] == ", ".join(gone)
    assert found.details["new_venues"] == found.details["renamed_venues"] == ""
    assert found.details["ATS_venues"] == f"{len(venues(stored)) - 3}/{len(venues(stored))}"
    assert found.details["compared_with"] == f"finra.otc_transparency:OTC:{WEEK}:20260106"


def test_of_many_venues_the_message_names_five_and_the_details_all(stored: Bench) -> None:
    gone = venues(stored)[:6]

    run(stored, without(*(f"|{mpid}|" for mpid in gone)))

    [found] = partial(stored)
    assert f"; missing: {', '.join(gone[:5])} and 1 more" in found.message
    assert found.details["missing_venues"] == ", ".join(gone)
    assert "\n" not in found.message


def test_venues_that_are_new_or_renamed_are_named_too(stored: Bench) -> None:
    """A quarter of the rows is gone, one venue bears another MPID, and one another name."""
    moved, renamed = venues(stored)[:2]
    [name] = {r.venue_name for r in stored.world.rows(OTC, stored.clock.now) if r.mpid == renamed}
    edit = both(in_place_of(f"|{moved}|", "|ZZZZ|"), in_place_of(f"|{name}|", "|A NEW NAME|"))

    run(stored, both(edit, lambda rows: [row for i, row in enumerate(rows) if i % 4]))

    [found] = partial(stored)
    assert found.details["missing_venues"] == moved
    assert found.details["new_venues"] == "ZZZZ"
    assert found.details["renamed_venues"] == f"{name} is now A NEW NAME"
    assert f"; missing: {moved}; new: ZZZZ; renamed: {name} is now A NEW NAME" in found.message


@pytest.mark.parametrize(("kept", "lost"), [("|ATS_W_SMBL_FIRM|", "NON_ATS"), ("|OTC_W_SMBL_FIRM|", "ATS")])
def test_a_lost_half_is_said_in_one_sentence_and_blocks_twice(stored: Bench, kept: str, lost: str) -> None:
    rows = [row for row in stored.world.rows(OTC, stored.clock.now) if row.summary_type not in kept]

    run(stored, only(kept))

    [found] = partial(stored)
    assert found.message.startswith(f"the {lost} half is lost: 0/{len(rows):,} rows of the capture before")
    capture = captures_of(stored.store, OTC)[-1]
    assert blocking(stored) == [f"OTC: the {lost} half is missing in {capture}", f"OTC: {found.message}"]


def test_a_first_capture_is_compared_with_the_weeks_before(bench: Bench) -> None:
    bench.world = WORLD
    run(bench, weeks=[WEEK - timedelta(weeks=back) for back in range(1, 6)])

    run(bench, first_rows(30))

    [found] = partial(bench)
    assert found.message.startswith("ATS: only 30/")
    assert " of recent weeks" in found.message


def test_a_small_loss_is_none(stored: Bench) -> None:
    run(stored, lambda rows: rows[:-10])

    assert partial(stored) == []
    assert readiness_of(stored.store)[WEEK].is_ready


def test_bounds_are_those_of_the_request(stored: Bench) -> None:
    strict = CoverageBounds(previous={Measure.ROWS: 1.0}, slack={})

    run(stored, lambda rows: rows[:-1], bounds=strict)

    assert len(partial(stored)) == 1


# How it ends ------------------------------------------------------------------------------------------


def test_a_later_whole_capture_resolves_it(stored: Bench) -> None:
    run(stored, first_rows(30))

    report = run(stored)

    assert partial(stored) == []
    assert report.readiness[0].is_ready
    assert report.anomalies["WARN"] == 0
    assert len(captures_of(stored.store, OTC)) == 3


def test_a_later_capture_that_is_as_short_does_not(stored: Bench) -> None:
    run(stored, first_rows(30))

    run(stored, first_rows(31))

    [found] = partial(stored)
    assert found.details["capture_no"] == captures_of(stored.store, OTC)[-1].number
    assert found.details["compared_with"] == f"finra.otc_transparency:OTC:{WEEK}:20260106"


def acknowledged(bench: Bench, until: date | None = None) -> None:
    [found] = partial(bench)
    acknowledge(bench.store, found.fingerprint, "FINRA confirmed it", bench.clock(), until=until)


def test_an_acknowledgment_lifts_the_block_at_once(stored: Bench) -> None:
    run(stored, first_rows(30))

    acknowledged(stored)

    assert readiness_of(stored.store)[WEEK].is_ready
    assert readiness_of(stored.store, "compliance")[WEEK].is_ready


def test_an_acknowledged_week_stays_ready_and_is_no_warning_any_more(stored: Bench) -> None:
    run(stored, first_rows(30))
    acknowledged(stored)

    reports = [run(stored, first_rows(30)) for _ in range(3)]

    assert [report.readiness[0].is_ready for report in reports] == [True] * 3
    assert [report.anomalies["WARN"] for report in reports] == [0] * 3


def test_an_acknowledgment_holds_through_its_last_day(stored: Bench) -> None:
    run(stored, first_rows(30))
    last_day = (stored.clock.now + timedelta(days=2)).date()
    acknowledged(stored, until=last_day)

    reports = [run(stored, first_rows(30)) for _ in range(4)]

    assert [report.readiness[0].is_ready for report in reports] == [True, True, False, False]
    assert [report.anomalies["WARN"] for report in reports] == [0, 0, 1, 1]
    assert len(partial(stored)) == 1


def test_what_is_acknowledged_is_the_reference_for_what_comes(stored: Bench) -> None:
    run(stored, first_rows(70))
    acknowledged(stored)

    assert run(stored, first_rows(69)).readiness[0].is_ready
    assert not run(stored, first_rows(30)).readiness[0].is_ready


def test_an_acknowledged_first_capture_is_not_compared_with_other_weeks_again(bench: Bench) -> None:
    bench.world = WORLD
    run(bench, weeks=[WEEK - timedelta(weeks=back) for back in range(1, 6)])
    run(bench, first_rows(30))
    acknowledged(bench)

    report = run(bench, first_rows(29))

    assert report.count(Outcome.INGESTED) == 1
    assert partial(bench) == []


@pytest.mark.parametrize(("reason", "until", "said"), [(" ", None, "reason"), ("known", date(2025, 1, 1), "is over")])
def test_an_acknowledgment_without_reason_or_of_yesterday_is_refused(
    stored: Bench, reason: str, until: date | None, said: str
) -> None:
    run(stored, first_rows(30))
    [found] = partial(stored)
    before = everything(stored.store)

    with pytest.raises(ConfigurationError, match=said):
        acknowledge(stored.store, found.fingerprint, reason, stored.clock(), until=until)
    assert everything(stored.store) == before


def test_somebody_elses_finding_of_this_category_does_no_harm(stored: Bench) -> None:
    scope = Scope.week(WEEK)
    foreign = Anomaly(Severity.WARN, Category.PARTIAL_COVERAGE, scope, Stage.RAW, "counted by hand")
    with stored.store.write(Scope()) as unit:
        record_checks(unit, [Check(scope, Stage.RAW, (foreign,))], stored.clock())
    acknowledge(stored.store, foreign.fingerprint, "known", stored.clock())

    assert run(stored).exit_code == 0


# Who is told ------------------------------------------------------------------------------------------


def test_it_is_logged_as_a_warning_of_its_partition(stored: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "finra_core"):
        run(stored, first_rows(30))

    [found] = partial(stored)
    lines = [(r.levelno, r.getMessage()) for r in caplog.records if "only 30/" in r.getMessage()]
    assert lines[0] == (logging.WARNING, f"  2025-11-28 / OTC: {found.message}")
    assert lines[1][1].startswith("  2025-11-28: NOT READY (all_partitions_present=1, blocking_issues: ")
    assert len(lines) == 2


def test_a_run_that_is_about_other_weeks_does_not_tell_it_again(stored: Bench) -> None:
    run(stored, first_rows(30))
    seen = Seen()

    report = run(stored, weeks=[WEEK - timedelta(weeks=1)], seen=seen)

    assert report.anomalies["WARN"] == 0
    assert not [event for event in seen.of(AnomalyFound) if event.anomaly.category is Category.PARTIAL_COVERAGE]
    assert len(partial(stored)) == 1
    assert not readiness_of(stored.store)[WEEK].is_ready


def test_a_run_that_is_about_its_week_tells_it_every_time(stored: Bench) -> None:
    reports = [run(stored, first_rows(30)) for _ in range(3)]

    assert [report.anomalies["WARN"] for report in reports] == [1, 1, 1]


def test_week_by_week_it_is_told_once_a_run(stored: Bench) -> None:
    seen = Seen()

    report = run(stored, first_rows(30), weeks=[WEEK, WEEK - timedelta(weeks=1)], seen=seen, order="chained")

    told = [event for event in seen.of(AnomalyFound) if event.anomaly.category is Category.PARTIAL_COVERAGE]
    assert len(told) == report.anomalies["WARN"] == 1


def test_a_newest_capture_without_records_changes_nothing_about_the_one_that_has_them() -> None:
    """It failed to be normalized: what is judged, and named, is the capture that has records."""
    bench = Bench(open_store("memory:"), WORLD)
    run(bench)
    run(bench, first_rows(30))
    [before] = partial(bench)

    run(bench, in_place_of("|2025-12-29", "|never"))

    [after] = partial(bench)
    assert after.details == before.details
    assert captures_of(bench.store, OTC)[-1].normalized_at is None
