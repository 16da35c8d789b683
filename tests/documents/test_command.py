"""docs/command.md names the settings that there are, and its file of settings is one that is taken."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.command import CommandHere

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "command.md").read_text(encoding="utf-8")


def test_the_table_has_every_setting_with_where_it_may_come_from(tmp_path: Path) -> None:
    finra = CommandHere(tmp_path)
    shown = {setting["name"] for setting in json.loads(finra.ok("config", "show", "--json"))["settings"]}
    options = set(re.findall(r"--([a-z-]+)", finra.ok("config", "show", "--help")))
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|", PAGE.partition("| setting |")[2], re.MULTILINE)
    told = {name: sources for names, sources in rows for name in re.findall(r"`(\w+)`", names) if name in shown}

    assert told.keys() == shown
    for name, sources in told.items():
        assert ("option" in sources) == (name.replace("_", "-") in options), name


def test_the_file_of_settings_is_taken(tmp_path: Path) -> None:
    finra = CommandHere(tmp_path)
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "finra.toml").write_text(block, encoding="utf-8")

    settings = json.loads(finra.ok("config", "show", "--json"))["settings"]

    assert len([setting for setting in settings if setting["origin"] == "file"]) == len(block.splitlines())
