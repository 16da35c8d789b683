"""The bitemporal views: what was known when, and what FINRA changed.

`known_from` and `known_to` are UTC and half-open; `known_to` is NULL while what a row says is current. What was known
at an instant is found by one WHERE: `known_from <= t AND (known_to IS NULL OR known_to > t)`.
"""

from __future__ import annotations

from finra_sql.dialect import SchemaWords

# Each way of writing here keeps a planner from going through a partition's rows more than once, or one by one.
# CROSS JOIN, though its condition is in WHERE: SQLite then looks up the capture of a row, and does not begin with the
# captures of the partition. CASE, though it changes nothing: from the captures' times PostgreSQL would reckon that a
# WHERE on known_to leaves no row, and look up the names of each row by itself.
_NORMALIZED = """
SELECT c.capture_id, c.revision, p.week_ending, p.tier,
       s.symbol, s.issue_name, v.venue_type, nullif(v.mpid, '') AS mpid, nullif(v.crd, '') AS crd,
       v.venue_name, nullif(s.product_type, '') AS product_type,
       {shares} AS shares, r.shares_micros, r.trades, r.last_update_date, c.captured_at,
       CASE WHEN c.capture_no = r.from_capture THEN c.normalized_at END AS known_from,
       CASE WHEN r.to_capture IS NOT NULL THEN e.normalized_at END AS known_to
FROM finra_otc_partitions AS p
JOIN finra_otc_row_versions AS r ON r.partition_no = p.partition_no
CROSS JOIN core_captures AS c
LEFT JOIN core_captures AS e ON e.capture_no = r.to_capture
LEFT JOIN finra_otc_securities AS s ON s.security_no = r.security_no
LEFT JOIN finra_otc_venues AS v ON v.venue_no = r.venue_no
WHERE c.capture_no = r.from_capture
"""

# `_latest` shows what ranks highest of a week and tier, by newest input, version and number. So analytics were shown
# until the first that rank higher were stored. Where those were there before, they never were.
_ANALYTICS = """
FROM finra_otc_analyses AS a
LEFT JOIN finra_otc_analyses AS e ON e.week_ending = a.week_ending AND e.tier = a.tier AND e.analysis_no = (
  SELECT n.analysis_no FROM finra_otc_analyses AS n
  WHERE n.week_ending = a.week_ending AND n.tier = a.tier AND n.newest_input >= a.newest_input
    AND (n.newest_input, n.calc_version, n.analysis_no) > (a.newest_input, a.calc_version, a.analysis_no)
  ORDER BY n.computed_at, n.analysis_no LIMIT 1)
"""

_SHOWN = "WHERE e.computed_at IS NULL OR e.computed_at > a.computed_at"

_KNOWN = "a.computed_at AS known_from, e.computed_at AS known_to"

_PER_VENUE = (
    """
SELECT a.capture_id, a.revision, a.week_ending, a.tier,
       v.venue_type, nullif(v.mpid, '') AS mpid, nullif(v.crd, '') AS crd, v.venue_name, {columns}, """
    + _KNOWN
    + _ANALYTICS
    + "JOIN finra_otc_analysis_venues AS v ON v.analysis_no = a.analysis_no\n"
    + _SHOWN
)

_PER_WEEK = "\nSELECT a.capture_id, a.revision, a.week_ending, a.tier, {columns}, " + _KNOWN + _ANALYTICS + _SHOWN

_READINESS = """
SELECT h.week_ending, h.ready_for, h.is_ready, h.all_partitions_present, h.all_stages_complete,
       h.no_critical_anomalies, h.no_rejected_rows, h.no_partial_coverage, h.blocking_issues, h.ready_on, h.captures,
       h.judged_at AS known_from, h.superseded_at AS known_to
FROM core_readiness_history AS h
WHERE h.superseded_at IS NULL OR h.superseded_at > h.judged_at
"""

_SAME_VENUE = """(
    o.venue_no = r.venue_no
    OR EXISTS (
      SELECT 1 FROM finra_otc_venues AS x JOIN finra_otc_venues AS y
        ON y.venue_type = x.venue_type AND y.mpid = x.mpid AND y.crd = x.crd
      WHERE x.venue_no = r.venue_no AND y.venue_no = o.venue_no AND x.venue_type <> 'DE_MINIMIS'))"""
"""As the domain's venue_identity: a venue's name may change, and an aggregate of firms has nothing but its name."""

_NAMES = """s.symbol, s.issue_name, v.venue_type, nullif(v.mpid, '') AS mpid, nullif(v.crd, '') AS crd,
       v.venue_name, nullif(s.product_type, '') AS product_type"""

# Each partition is gone through once, from its first capture with records (f) on; see above for CROSS JOIN.
_ROWS_OF_LATER_CAPTURES = """
FROM finra_otc_partitions AS p
CROSS JOIN core_captures AS f
CROSS JOIN finra_otc_row_versions AS r
CROSS JOIN core_captures AS c
{others}LEFT JOIN finra_otc_securities AS s ON s.security_no = r.security_no
LEFT JOIN finra_otc_venues AS v ON v.venue_no = r.venue_no
WHERE f.partition_no = p.partition_no
  AND f.capture_no = (
    SELECT min(n.capture_no) FROM core_captures AS n
    WHERE n.partition_no = p.partition_no AND n.normalized_at IS NOT NULL)
  AND r.partition_no = p.partition_no AND {capture} > f.capture_no
  AND c.capture_no = {capture} AND c.partition_no = p.partition_no
{condition}"""

_ROW_BEFORE = """LEFT JOIN finra_otc_row_versions AS o
  ON o.partition_no = r.partition_no AND o.security_no = r.security_no AND o.to_capture = r.from_capture
 AND {same_venue}
"""

_ADDED_OR_CHANGED = (
    """
SELECT c.capture_id, c.revision, p.week_ending, p.tier, c.normalized_at AS known_from,
       CASE WHEN o.security_no IS NULL THEN 'added' ELSE 'changed' END AS kind, {names},
       {before} AS shares_before, {after} AS shares_after, {delta} AS shares_delta,
       o.shares_micros AS shares_micros_before, r.shares_micros AS shares_micros_after,
       r.shares_micros - coalesce(o.shares_micros, 0) AS shares_micros_delta,
       o.trades AS trades_before, r.trades AS trades_after, r.trades - coalesce(o.trades, 0) AS trades_delta,
       r.last_update_date"""
    + _ROWS_OF_LATER_CAPTURES
)

_WITHDRAWN = (
    """
SELECT c.capture_id, c.revision, p.week_ending, p.tier, c.normalized_at, 'withdrawn', {names},
       {before}, NULL, {delta}, r.shares_micros, NULL, -r.shares_micros, r.trades, NULL, -r.trades, NULL"""
    + _ROWS_OF_LATER_CAPTURES
)

_NO_ROW_AFTER = """  AND NOT EXISTS (
    SELECT 1 FROM finra_otc_row_versions AS o
    WHERE o.partition_no = r.partition_no AND o.security_no = r.security_no AND o.from_capture = r.to_capture
      AND {same_venue})
"""


def normalized_history(words: SchemaWords) -> str:
    """One row for each version of each row."""
    return _NORMALIZED.format(shares=words.shares("r.shares_micros"))


def analytics_history(*, per_venue: bool, columns: str) -> str:
    """One row, or one for each venue, for each analytics of a week and tier that were ever the latest.

    columns: those of `v`, the venues, or of `a`, the analytics.
    """
    return (_PER_VENUE if per_venue else _PER_WEEK).format(columns=columns)


def readiness_history() -> str:
    """One row for each judgment of a week and use that ever held."""
    return _READINESS


def restatements(words: SchemaWords) -> str:
    """One row for each row that changed after its partition's first capture, as `finra_core.history.restatements`."""
    added_or_changed = _ADDED_OR_CHANGED.format(
        names=_NAMES,
        before=words.shares("o.shares_micros"),
        after=words.shares("r.shares_micros"),
        delta=words.shares("(r.shares_micros - coalesce(o.shares_micros, 0))"),
        others=_ROW_BEFORE.format(same_venue=_SAME_VENUE),
        capture="r.from_capture",
        condition="",
    )
    withdrawn = _WITHDRAWN.format(
        names=_NAMES,
        before=words.shares("r.shares_micros"),
        delta=words.shares("(-r.shares_micros)"),
        others="",
        capture="r.to_capture",
        condition=_NO_ROW_AFTER.format(same_venue=_SAME_VENUE),
    )
    return f"{added_or_changed}UNION ALL{withdrawn}"
