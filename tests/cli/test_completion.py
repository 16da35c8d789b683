"""The shells complete the command's words with the scripts that it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.command import FINRA, Command

PATH = f"{FINRA.parent}{os.pathsep}{os.environ['PATH']}"

COMPLETIONS = {
    "a command": ("finra st", {"status"}),
    "a command of a group": ("finra db ", {"upgrade", "check", "sql"}),
    "an option": ("finra run --ti", {"--tiers"}),
    "a tier": ("finra run --tiers NMS", {"NMS_TIER_1", "NMS_TIER_2"}),
    "a second tier": ("finra run --tiers OTC,NMS_TIER_1,O", {"OTC,NMS_TIER_1,OTC"}),
    "one tier": ("finra diff 2025-12-05 n", {"NMS_TIER_1", "NMS_TIER_2"}),
    "a version": ("finra asof l", {"latest"}),
    "a version to compare": ("finra diff 2025-12-05 OTC fi", {"first"}),
    "a choice": ("finra run --order ", {"phased", "chained"}),
    "a source": ("finra run --source s", {"simulator"}),
    "a store": ("finra status --store po", {"postgresql:"}),
    "a command to be helped with": ("finra help ru", {"run", "runs"}),
    "nothing that only the environment gives": ("finra run --client", set()),
}


def asked(finra: Command, line: str, shell: str, env: dict[str, str]) -> set[str]:
    """What the command tells a shell of this line."""
    printed = finra.ok(env={"_FINRA_COMPLETE": f"{shell}_complete", **env})
    return {row.partition(",")[2].split("\t")[0] for row in printed.splitlines() if row}


@pytest.mark.parametrize("case", COMPLETIONS)
def test_a_shell_is_told_what_a_word_may_become(finra: Command, case: str) -> None:
    line, expected = COMPLETIONS[case]
    words = line.split(" ")

    assert asked(finra, line, "bash", {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}) == expected


def test_a_wrong_settings_file_does_not_get_in_the_way(finra: Command) -> None:
    (finra.folder / "finra.toml").write_text("workres = 3\n", encoding="utf-8")

    assert asked(finra, "", "bash", {"COMP_WORDS": "finra run --ord", "COMP_CWORD": "2"}) == {"--order"}


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def said_by(shell: str, *arguments: str, folder: Path) -> str:
    ended = subprocess.run(
        [shell, *arguments],
        cwd=folder,
        env={"PATH": PATH, "HOME": str(folder), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    return ended.stdout


def test_bash_completes(tmp_path: Path) -> None:
    script = """
        eval "$(finra completion bash)"
        complete -p finra
        COMP_WORDS=(finra run --ti) COMP_CWORD=2
        _finra_completion finra
        echo "${COMPREPLY[@]}"
    """
    registered, completed = said_by(shell("bash"), "-c", script, folder=tmp_path).splitlines()

    assert registered.split()[-3:] == ["-F", "_finra_completion", "finra"]
    assert completed == "--tiers"


def test_zsh_completes(tmp_path: Path) -> None:
    script = """
        autoload -Uz compinit && compinit -u
        eval "$(finra completion zsh)"
        print $_comps[finra]
        _describe() { print -- ${(P)3} }
        words=(finra run --ti) CURRENT=3
        _finra_completion finra
    """
    lines = said_by(shell("zsh"), "-f", "-c", script, folder=tmp_path).splitlines()

    assert lines[0] == "_finra_completion"
    assert "--tiers" in "".join(lines[1:])


def test_fish_completes(tmp_path: Path) -> None:
    script = 'finra completion fish | source; complete -C "finra run --ti"'

    assert said_by(shell("fish"), "--no-config", "-c", script, folder=tmp_path).split()[0] == "--tiers"
