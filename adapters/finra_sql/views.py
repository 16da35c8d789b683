"""The views that users query. They hold no data: every upgrade drops and makes them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from finra_sql.dialect import SchemaWords
from finra_sql.history_views import analytics_history, normalized_history, readiness_history, restatements

_NORMALIZED = """
SELECT c.capture_id, c.revision, c.week_ending, c.tier,
       s.symbol, s.issue_name, v.venue_type, nullif(v.mpid, '') AS mpid, nullif(v.crd, '') AS crd,
       v.venue_name, nullif(s.product_type, '') AS product_type,
       {shares} AS shares, r.shares_micros, r.trades, r.last_update_date, c.captured_at
FROM core_captures AS c
JOIN finra_otc_row_versions AS r
  ON r.partition_no = c.partition_no
 AND r.from_capture <= c.capture_no
 AND (r.to_capture IS NULL OR r.to_capture > c.capture_no)
LEFT JOIN finra_otc_securities AS s ON s.security_no = r.security_no
LEFT JOIN finra_otc_venues AS v ON v.venue_no = r.venue_no
WHERE c.normalized_at IS NOT NULL
"""
"""LEFT JOIN, though each row has its security and its venue: a planner that joins from the securities reads the rows
in their order, one by one, where adding up all rows of a capture goes through them in the order of the table."""

_NEWEST_REVISION = """
  AND c.revision = (
    SELECT max(n.revision) FROM core_captures AS n
    WHERE n.capture_id = c.capture_id AND n.normalized_at IS NOT NULL)
"""

_NEWEST_CAPTURE = """
  AND c.capture_no = (
    SELECT max(n.capture_no) FROM core_captures AS n
    WHERE n.partition_no = c.partition_no AND n.normalized_at IS NOT NULL)
"""

_PER_VENUE = """
SELECT a.capture_id, a.revision, a.week_ending, a.tier,
       v.venue_type, nullif(v.mpid, '') AS mpid, nullif(v.crd, '') AS crd, v.venue_name, {columns}
FROM finra_otc_analyses AS a
JOIN finra_otc_analysis_venues AS v ON v.analysis_no = a.analysis_no
"""

_PER_WEEK = """
SELECT a.capture_id, a.revision, a.week_ending, a.tier, {columns}
FROM finra_otc_analyses AS a
"""

_NEWEST_OF_CAPTURE = """
WHERE a.analysis_no = (
  SELECT n.analysis_no FROM finra_otc_analyses AS n
  WHERE n.capture_id = a.capture_id
  ORDER BY n.revision DESC, n.calc_version DESC, n.analysis_no DESC LIMIT 1)
"""

_NEWEST_OF_WEEK = """
WHERE a.analysis_no = (
  SELECT n.analysis_no FROM finra_otc_analyses AS n
  WHERE n.week_ending = a.week_ending AND n.tier = a.tier
  ORDER BY n.newest_input DESC, n.calc_version DESC, n.analysis_no DESC LIMIT 1)
"""

_PREFIX = "finra_otc_transparency_"
_ANALYTICS = ("venue_volume", "venue_share", "hhi", "weekly_totals")
NAMES = (
    *(
        _PREFIX + name
        for name in (
            "normalized",
            "normalized_revisions",
            "normalized_latest",
            "normalized_history",
            *_ANALYTICS,
            *(f"{name}_latest" for name in _ANALYTICS),
            *(f"{name}_history" for name in _ANALYTICS),
            "restatements",
        )
    ),
    "core_data_readiness_history",
)


def definitions(words: SchemaWords) -> dict[str, str]:
    """The SELECT of each view by the view's name."""
    normalized = _NORMALIZED.format(shares=words.shares("r.shares_micros"))
    found = {
        "normalized": normalized + _NEWEST_REVISION,
        "normalized_revisions": normalized,
        "normalized_latest": normalized + _NEWEST_CAPTURE,
        "normalized_history": normalized_history(words),
        "restatements": restatements(words),
    }
    for name, (per_venue, columns) in zip(_ANALYTICS, _analytics(words), strict=True):
        select = (_PER_VENUE if per_venue else _PER_WEEK).format(columns=columns)
        found[name] = select + _NEWEST_OF_CAPTURE
        found[f"{name}_latest"] = select + _NEWEST_OF_WEEK
        found[f"{name}_history"] = analytics_history(per_venue=per_venue, columns=columns)
    selects = {_PREFIX + name: select for name, select in found.items()}
    selects["core_data_readiness_history"] = readiness_history()
    return {name: selects[name].strip() for name in NAMES}


def create_views(execute: Callable[[str], object], words: SchemaWords) -> None:
    """Make all views; none of them may be there. Say beside tables and views what they mean, where that is kept."""
    for name, select in definitions(words).items():
        execute(f"CREATE VIEW {name} AS\n{select}")
    if words.comment is not None:
        # Hundreds, in one statement: each would cost the distance to the server.
        execute(";\n".join(_comments(words.comment)))


def _comments(comment: Callable[[str, str, str], str]) -> Iterator[str]:
    from finra_sql.dictionary import RELATIONS, column_comment  # noqa: PLC0415  only an upgrade needs it

    for name, relation in RELATIONS.items():
        yield comment("VIEW" if name in NAMES else "TABLE", name, relation.meaning)
        for column, entry in relation.columns.items():
            yield comment("COLUMN", f"{name}.{column}", column_comment(entry))


def drop_views(execute: Callable[[str], object]) -> None:
    """Drop those of the views that are there."""
    for name in NAMES:
        execute(f"DROP VIEW IF EXISTS {name}")


def _analytics(words: SchemaWords) -> tuple[tuple[bool, str], ...]:
    """Of each view: whether it has a row for each venue, and its columns."""
    of_venue, of_week = words.shares("v.shares_micros"), words.shares("a.shares_micros")
    return (
        (True, f"{of_venue} AS shares, v.shares_micros, v.trades, v.symbols"),
        (True, f"{of_venue} AS shares, v.shares_micros, v.share"),
        (False, "a.hhi, a.hhi_upper, a.venues"),
        (False, f"{of_week} AS shares, a.shares_micros, a.trades, a.venues, a.symbols"),
    )
