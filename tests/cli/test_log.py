"""The log on standard error, for people and for programs; nothing in it can forge a line or command a terminal."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone

import pytest

from support.command import FINRA, RUN, STAMP, Command


def raw(finra: Command, *arguments: str) -> list[str]:
    """The lines of the log as they come."""
    ended = subprocess.run(
        [FINRA, *arguments], cwd=finra.folder, env=finra.environ, capture_output=True, text=True, check=False
    )
    return ended.stderr.splitlines()


@pytest.mark.parametrize("arguments", [RUN, ("run", "--workers", "x")], ids=["run", "usage"])
def test_each_line_has_the_time_in_utc_where_no_terminal_shows_it(finra: Command, arguments: tuple[str, ...]) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)

    lines = raw(finra, *arguments)

    assert lines
    stamps = [STAMP.match(line) for line in lines]
    assert all(stamps), lines
    times = [datetime.fromisoformat(stamp[0].strip().removesuffix("Z") + "+00:00") for stamp in stamps if stamp]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= datetime.now(timezone.utc)


def records(finra: Command, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in raw(finra, *arguments, "--log-format", "json")]


def test_as_json_each_line_is_a_record_that_says_what_it_is_about(finra: Command) -> None:
    found = records(finra, *RUN, "--weeks", "2025-12-01", "--verbose")

    assert all({"time", "level", "message"} <= record.keys() for record in found)
    assert len({record["run_id"] for record in found if "run_id" in record}) == 1
    (ingested,) = [
        record for record in found if "Ingested" in str(record["message"]) and record.get("tier") == "NMS_TIER_2"
    ]
    assert ingested["week_ending"] == "2025-12-05"
    assert ingested["stage"] == "RAW"
    assert ingested["capture_id"] == "finra.otc_transparency:NMS_TIER_2:2025-12-05:20260105"
    assert isinstance(ingested["duration"], float)


def test_as_json_an_error_is_a_record_too(finra: Command) -> None:
    (record,) = records(finra, "run", "--source", "file", "--source-path", "nowhere")

    assert record["level"] == "CRITICAL"
    assert "nowhere" in str(record["message"])


def test_one_line_a_partition_and_one_a_week_tell_of_a_run(finra: Command) -> None:
    log = [line for line in finra(*RUN).stderr.splitlines() if line.startswith("[INFO]  ")]

    assert len(log) == 20 + 8
    assert sum("✓ Ingested" in line for line in log) == 20
    details = finra(*RUN, "--verbose", "--weeks", "2025-12-01", "--force").stderr
    for wording in ("Fetching from", "✓ Normalized", "✓ Computed venue_volume", "✓ Computed HHI"):
        assert wording in details


HOSTILE = "\x1b[2J\n[CRITICAL] forged\u202e"


def test_a_reason_can_forge_no_line_and_command_no_terminal(finra: Command) -> None:
    ended = finra(*RUN, "--weeks", "2025-12-01", "--tiers", "OTC")
    forced = finra(*RUN, "--weeks", "2025-12-01", "--tiers", "OTC", "--force", "--reason", HOSTILE)
    shown = finra.ok("captures")

    for text in (forced.stderr, forced.stdout, shown):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not any(line.startswith("[CRITICAL]") for line in text.splitlines())
    assert r"Forced: \x1b[2J\n[CRITICAL] forged\u202e" in shown
    assert json.loads(finra.ok("captures", "--json"))["captures"][1]["reason"] == f"Forced: {HOSTILE}"
    assert ended.returncode == forced.returncode == 0


def test_what_failed_and_why_is_told_last_and_once(finra: Command) -> None:
    printed = finra("run", "--source", "http://127.0.0.1:9", "--weeks", "2025-12-01").stdout.splitlines()

    assert printed[-1] == "Exit code: 1 (partial failure)"
    assert printed[-2].startswith("Failed: 3 partitions: API fetch failed (no connection)")
    assert sum("API fetch failed" in line for line in printed) == 1
