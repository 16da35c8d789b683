"""Streams of chance that are the same on every machine, Python version and process.

Only `Random.random()` is drawn from them and only IEEE products are made of what is drawn: the other
methods of `Random`, and the C library's pow and exp, may change between releases and platforms.
"""

from __future__ import annotations

from random import Random


def stream(*names: object) -> Random:
    """A stream of its own for each sequence of names; names are told apart by their text."""
    return Random(":".join(["finra_simulator", *map(str, names)]))  # noqa: S311 - to be repeated, not to be secret


def below(chance: Random, limit: int) -> int:
    """An integer in 0..limit-1."""
    return int(chance.random() * limit)
