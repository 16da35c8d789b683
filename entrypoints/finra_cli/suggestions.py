"""What somebody may have meant who typed something that there is not."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """`: did you mean X?` for the one of the known names that is closest to what was typed, nothing if none is close.

    Case, dashes, underscores and spaces make no difference in what is close.
    """
    from difflib import get_close_matches  # noqa: PLC0415  only mistakes need it

    names = {_folded(name): name for name in known}
    found = get_close_matches(_folded(typed), names, n=1)
    return f": did you mean {names[found[0]]}?" if found else ""


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
