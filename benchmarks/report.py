"""The results for people, as a table in Markdown, and for programs, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.results import Measure, Outcome

BEGIN, END = "<!-- results -->", "<!-- end of results -->"
_HEADER = """\
| work | what | goal | median | min - max | reached | beside |
|---|---|---|---|---|---|---|
"""


def markdown(outcomes: Sequence[Outcome], machine: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """The machine, the table, and what was wrong or left out."""
    about = "\n".join(f"- {name}: {value}" for name, value in {**machine, **settings}.items())
    rows = "".join(_row(outcome.work, measure) for outcome in outcomes for measure in outcome.measures)
    return "\n".join([about, "", _HEADER + rows, *_notes(outcomes)])


def as_json(outcomes: Sequence[Outcome], machine: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """Everything, every value."""
    works = {outcome.work: _plain(outcome) for outcome in outcomes}
    return json.dumps({"machine": machine, "settings": settings, "works": works}, indent=2) + "\n"


def write_between_marks(path: Path, text: str) -> None:
    """Put the results into a page, in place of the last ones.

    Raises:
        ValueError: the page has no marks.
    """
    page = path.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"{path} has not one line {BEGIN} and one line {END}")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def _row(work: str, measure: Measure) -> str:
    low, high = _number(min(measure.values)), _number(max(measure.values))
    span = f"{low} - {high}" if len(measure.values) > 1 else ""
    reached = {True: "yes", False: "**no**", None: ""}[measure.reached]
    value = f"{_number(measure.median)} {measure.unit}".rstrip()
    cells = (work, measure.what, str(measure.goal or ""), value, span, reached, measure.beside)
    return f"| {' | '.join(cells)} |\n"


def _notes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        yield from (f"- {outcome.work}: left out: {why}" for why in outcome.skipped)
        yield from (f"- {outcome.work}: **wrong**: {what}" for what in outcome.wrong)
    right = sum(outcome.right for outcome in outcomes)
    wrong = sum(len(outcome.wrong) for outcome in outcomes)
    yield f"\n{right:,} results checked and right, {wrong:,} wrong.\n"


def _plain(outcome: Outcome) -> dict[str, object]:
    measures = [
        {
            "what": measure.what,
            "values": list(measure.values),
            "median": measure.median,
            "unit": measure.unit or "ratio",
            "goal": None if measure.goal is None else str(measure.goal),
            "reached": measure.reached,
            "beside": measure.beside,
        }
        for measure in outcome.measures
    ]
    return {
        "measures": measures,
        "right": outcome.right,
        "wrong": list(outcome.wrong),
        "skipped": list(outcome.skipped),
    }


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
