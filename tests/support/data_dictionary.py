"""Makes docs/data-dictionary.md from the data dictionary's values: `python -m support.data_dictionary` in tests/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from finra_sql.dictionary import TABLES, VIEWS, Relation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"

_BEGINNING = """\
# Data dictionary

Every table and view that you query, and every column, with meaning and unit. PostgreSQL has the same texts as
comments, which `\\d+ finra_otc_transparency_hhi` in psql shows. Instants are UTC. [As-of in SQL](as-of-in-sql.md)
shows how to ask what was known at an instant.

Made from `adapters/finra_sql/dictionary.py` by `python -m support.data_dictionary`; a test compares the two.
"""


def page() -> str:
    """The page as it has to stand in its file."""
    return "\n".join([_BEGINNING, *_part("Views", VIEWS), *_part("Tables", TABLES)])


def _part(title: str, relations: tuple[Relation, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    for relation in relations:
        yield f"### {relation.name}\n"
        yield f"{relation.meaning}\n"
        yield "| column | meaning | unit |"
        yield "|---|---|---|"
        for name, column in relation.columns.items():
            yield f"| `{name}` | {column.meaning} | {column.unit} |"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
