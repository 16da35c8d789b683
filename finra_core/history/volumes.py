"""The volume of captures, from their records, or from their analytics where that is the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from finra_core.domain.analytics import CALC_VERSION, Analysis, Volumes, add_volumes, volumes_of
from finra_core.domain.captures import Capture
from finra_core.domain.records import Records
from finra_core.ports.store import ReadView

SymbolsOf = Callable[[Capture], Collection[str]]


def volumes_of_captures(view: ReadView, captures: Sequence[Capture]) -> Volumes:
    """The volume of all of these captures together, from their records."""
    return volumes_of(Records.joined([view.records(capture) for capture in captures]))


def volumes_across_tiers(
    view: ReadView, captures: Sequence[Capture], known: Sequence[Analysis], symbols_of: SymbolsOf
) -> Volumes:
    """The volume of one capture of each tier: the sum of the tiers' own, unless two of them share a symbol.

    known: at least the captures' own analyses, where they have some.
    """
    own = {analysis.inputs: analysis.volumes for analysis in known if analysis.calc_version == CALC_VERSION}
    parts = [own[capture.number,] for capture in captures if (capture.number,) in own]
    if len(parts) < len(captures) or _share_symbols(captures, symbols_of):
        return volumes_of_captures(view, captures)
    return add_volumes(parts)


def _share_symbols(captures: Sequence[Capture], symbols_of: SymbolsOf) -> bool:
    seen: set[str] = set()
    for capture in captures:
        symbols = symbols_of(capture)
        if not seen.isdisjoint(symbols):
            return True
        seen |= set(symbols)
    return False
