"""The data dictionary: what every table, view and column means, and its unit.

It is the one source of docs/data-dictionary.md and of the comments that the database keeps beside its tables.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from finra_sql.dictionary_columns import COLUMNS, Column


@frozen
class Relation:
    """A table or view, with its columns in their order."""

    name: str
    meaning: str
    columns: Mapping[str, Column]


def _relation(name: str, meaning: str, columns: str, **own: Column) -> Relation:
    """columns: their names, in order. own: those that mean something else here than in other relations."""
    return Relation(name, meaning, {each: own.get(each) or COLUMNS[each] for each in columns.split()})


def column_comment(column: Column) -> str:
    """A column's meaning and unit in one line."""
    return f"{column.meaning} Unit: {column.unit}." if column.unit else column.meaning


_PREFIX = "finra_otc_transparency_"
_CAPTURE = "capture_id revision week_ending tier"
_ROW = (
    f"{_CAPTURE} symbol issue_name venue_type mpid crd venue_name product_type"
    " shares shares_micros trades last_update_date captured_at"
)
_VENUE = f"{_CAPTURE} venue_type mpid crd venue_name"
_KNOWN = "known_from known_to"
_CRITERIA = (
    "is_ready all_partitions_present all_stages_complete no_critical_anomalies no_rejected_rows no_partial_coverage"
    " blocking_issues ready_on captures"
)

_ANALYTICS = {
    "venue_volume": ("Volume of each venue", f"{_VENUE} shares shares_micros trades symbols"),
    "venue_share": ("Each venue's fraction of the tier's shares", f"{_VENUE} shares shares_micros share"),
    "hhi": ("Concentration of the venues' volume", f"{_CAPTURE} hhi hhi_upper venues"),
    "weekly_totals": ("Sums of the week and tier", f"{_CAPTURE} shares shares_micros trades venues symbols"),
}
_WHERE = "known_from <= t AND (known_to IS NULL OR known_to > t)"

_ROW_CAPTURE = Column("Identifier of the capture in which this version of the row first stood.")
_ROW_REVISION = Column("Which of the captures with this capture_id it is, counted from 1.")
_ROW_KNOWN_FROM = Column("When this version of the row became visible: when its capture's rows were stored.", "UTC")
_ROW_KNOWN_TO = Column(
    "When the capture that changed or withdrew the row became visible. Null while the version is current.", "UTC"
)
_ANALYTICS_KNOWN_FROM = Column("When these analytics were stored.", "UTC")
_ANALYTICS_KNOWN_TO = Column(
    "When analytics of a newer capture, or of a newer calculation, were stored. Null while these are current.", "UTC"
)


def _analytics_views() -> list[Relation]:
    found = []
    for name, (meaning, columns) in _ANALYTICS.items():
        view = f"{_PREFIX}{name}"
        found += [
            _relation(view, f"{meaning}, for every capture. Tier ALL holds all tiers together.", columns),
            _relation(f"{view}_latest", f"{meaning}, for the newest capture of each week and tier.", columns),
            _relation(
                f"{view}_history",
                f"{meaning}, as it was known at each time. As of an instant t: {_WHERE}.",
                f"{columns} {_KNOWN}",
                known_from=_ANALYTICS_KNOWN_FROM,
                known_to=_ANALYTICS_KNOWN_TO,
            ),
        ]
    return found


VIEWS = (
    _relation(
        f"{_PREFIX}normalized",
        "FINRA's rows, for every capture. Of several revisions of a capture_id, the newest.",
        _ROW,
    ),
    _relation(f"{_PREFIX}normalized_revisions", "FINRA's rows, for every revision of every capture.", _ROW),
    _relation(f"{_PREFIX}normalized_latest", "FINRA's rows, for the newest capture of each week and tier.", _ROW),
    _relation(
        f"{_PREFIX}normalized_history",
        f"Every version of each of FINRA's rows, once, with the time during which it was known. As of an instant t:"
        f" {_WHERE}.",
        f"{_ROW} {_KNOWN}",
        capture_id=_ROW_CAPTURE,
        revision=_ROW_REVISION,
        captured_at=Column("When that capture was stored.", "UTC"),
        known_from=_ROW_KNOWN_FROM,
        known_to=_ROW_KNOWN_TO,
    ),
    *_analytics_views(),
    _relation(
        f"{_PREFIX}restatements",
        "Every row that FINRA changed, added or withdrew after the first capture of its week and tier. A row is known"
        " by its security and its venue; a venue with another name is the same venue.",
        f"{_CAPTURE} known_from kind symbol issue_name venue_type mpid crd venue_name product_type"
        " shares_before shares_after shares_delta shares_micros_before shares_micros_after shares_micros_delta"
        " trades_before trades_after trades_delta last_update_date",
        capture_id=Column("Identifier of the capture that first showed the restatement."),
        known_from=Column("When the restatement became visible: when that capture's rows were stored.", "UTC"),
        kind=Column("added, withdrawn or changed. Changed too where only the venue's name or FINRA's date differs."),
        venue_name=Column("The venue's name after the restatement; before it, for a row that was withdrawn."),
        last_update_date=Column("FINRA's date of the row after the restatement. Null where it was withdrawn.", "date"),
    ),
    _relation(
        "core_data_readiness_history",
        f"Judgments on weeks, with the time during which each held. As of an instant t: {_WHERE}.",
        f"week_ending ready_for {_CRITERIA} {_KNOWN}",
        known_from=Column("When the judgment was stored.", "UTC"),
        known_to=Column("When the next judgment was stored. Null while this one holds.", "UTC"),
    ),
)

TABLES = (
    _relation(
        "core_captures",
        "What each week and tier contained when a run read it. Captures are added, never deleted.",
        "capture_no capture_id revision partition_no week_ending tier captured_at verified_at checked_at content_hash"
        " payload_hash source_last_updated source_row_count row_count size_bytes source_url run_id reason"
        " normalized_at rejected_rows",
        row_count=Column("Rows of data in the raw content, whatever their kind.", "rows"),
        reason=Column("Why the run took the capture, in words."),
    ),
    _relation(
        "core_capture_coverage",
        "What the rows of a capture cover, for each half of the tier.",
        "capture_no half rows venues symbols shares_micros",
        venues=Column("ATSs, or firms, in this half; an aggregate of firms is no venue.", "venues"),
    ),
    _relation(
        "core_manifest",
        "The stages that each capture has been through.",
        "manifest_no domain partition_key stage capture_id revision row_count captured_at metadata_json",
        stage=Column("RAW, NORMALIZED or CALC."),
        row_count=Column("Rows of that stage: raw rows, normalized rows, or venues.", "rows"),
        captured_at=Column("When the stage was done.", "UTC"),
    ),
    _relation(
        "core_raw_payloads",
        "FINRA's documents as they came, compressed. Equal payloads are stored once.",
        "payload_hash ordinal codec size_bytes base_hash body",
        ordinal=Column("The document's place in the payload, from 0."),
        size_bytes=Column("The document's size before compression.", "bytes"),
        base_hash=Column("The payload that the body is a difference to; null where it stands alone.", "hexadecimal"),
    ),
    _relation(
        "core_anomalies",
        "What checks found. A finding stays one row, however often it is seen.",
        "anomaly_no fingerprint domain severity category partition_key week_ending tier place stage message"
        " details_json first_seen last_seen occurrences resolved_at acknowledged_reason acknowledged_at"
        " acknowledged_until",
        week_ending=Column("The Friday of the week that it is about. Null where it is about no week.", "date"),
        tier=Column("The tier that it is about. Null where it is about no single tier."),
        fingerprint=Column("A hash by which the same finding is known again."),
    ),
    _relation(
        "core_data_readiness",
        "The judgment that holds for each week and use. The history keeps every judgment. finra verify names a row "
        "that somebody changed by hand.",
        f"readiness_no domain partition_key is_ready ready_for {_CRITERIA.removeprefix('is_ready ')} updated_at",
    ),
    _relation(
        "core_readiness_history",
        "Every judgment of every run. core_data_readiness_history has those that ever held.",
        f"judgment_no week_ending ready_for {_CRITERIA} judged_at superseded_at",
    ),
    _relation(
        "core_decisions",
        "What each run decided about each week and tier, and why.",
        "decision_no run_id week_ending tier action rule reason evidence decided_at",
        reason=Column("The decision in words."),
    ),
    _relation(
        "core_runs",
        "The ledger of runs.",
        "run_no run_id started_at finished_at mode run_date exit_code report_json sweep_from",
    ),
    _relation(
        "core_pins",
        "Captures that a person protects from being pruned.",
        "capture_id revision week_ending tier reason pinned_at",
        reason=Column("Why it is to be kept, in the person's words."),
        pinned_at=Column("When it was pinned.", "UTC"),
    ),
    _relation(
        "core_prunes",
        "What was removed from a week and tier, one row for each prune of it.",
        "prune_no week_ending tier known_since pruned_at removed",
        prune_no=Column("Number of the row."),
        known_since=Column("The day from whose beginning on every question keeps its answer.", "date"),
        pruned_at=Column("When it was removed.", "UTC"),
        removed=Column("The captures that went: name, times, hash, rows and bytes of each.", "JSON list"),
    ),
    _relation(
        "core_chain",
        "A tamper-evident chain over all that was put. finra verify follows it.",
        "seq kind subject at previous hash",
        seq=Column("The entry's number: 1, 2, 3 and so on without gaps."),
        kind=Column("What the entry vouches for: captures, decisions, judgments and so on."),
        subject=Column("The names of these things, each with its digest.", "JSON"),
        at=Column("When the entry was made.", "UTC"),
        previous=Column("The hash of the entry before; 64 zeros in the first one.", "hexadecimal"),
        hash=Column("SHA-256 of the canonical JSON of the other columns.", "hexadecimal"),
    ),
)

RELATIONS = {relation.name: relation for relation in (*VIEWS, *TABLES)}
"""Every table and view that users query, by name, the views first."""
