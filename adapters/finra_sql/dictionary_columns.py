"""What columns mean that have one meaning wherever they stand."""

from __future__ import annotations

from attrs import frozen


@frozen
class Column:
    """What a column means, as whole sentences, and its unit; empty where it has none."""

    meaning: str
    unit: str = ""


def _before_and_after(what: str, unit: str, name: str) -> dict[str, Column]:
    return {
        f"{name}_before": Column(f"{what} before the restatement. Null where the row was added.", unit),
        f"{name}_after": Column(f"{what} after the restatement. Null where the row was withdrawn.", unit),
        f"{name}_delta": Column(f"{what} after less before; a side without the row counts as 0.", unit),
    }


_PARTITION = {
    "week_ending": Column("The Friday of the week in which the trades were made.", "date"),
    "tier": Column("NMS_TIER_1, NMS_TIER_2 or OTC; in analytics also ALL, which is the three together."),
    "half": Column("ATS or NON_ATS."),
    "domain": Column("finra.otc_transparency, the data set."),
    "partition_key": Column("What the row is about: week_ending and tier, as far as it has them.", "JSON"),
    "partition_no": Column("Number of the week and tier in this database."),
}

_ROW = {
    "symbol": Column("The security's symbol as FINRA writes it: TPC is not TpC. Empty where FINRA gives none."),
    "issue_name": Column("The security's name as FINRA writes it."),
    "product_type": Column("Which listing tape the security is on, as FINRA writes it. Null where FINRA gives none."),
    "venue_type": Column("ATS, NON_ATS for a firm, or DE_MINIMIS for FINRA's aggregate of small firms."),
    "mpid": Column("The ATS's market participant identifier. Null for a firm and for an aggregate."),
    "crd": Column("The firm's number in FINRA's Central Registration Depository. Null where FINRA gives none."),
    "venue_name": Column("The venue's name as FINRA writes it."),
    "shares": Column("Shares traded. shares_micros beside it is exact in every database.", "shares"),
    "shares_micros": Column("Shares traded, exact.", "millionths of a share"),
    "trades": Column("Trades made.", "trades"),
    "last_update_date": Column("When FINRA last changed the row, by FINRA's own account.", "date, US Eastern"),
    **_before_and_after("Shares", "shares", "shares"),
    **_before_and_after("Shares, exact,", "millionths of a share", "shares_micros"),
    **_before_and_after("Trades", "trades", "trades"),
}

_ANALYTICS = {
    "symbols": Column("Different symbols that were traded.", "symbols"),
    "venues": Column("ATSs and firms that traded; an aggregate of firms is no venue.", "venues"),
    "share": Column("The venue's fraction of the tier's shares. Null where nothing was traded.", "0 to 1"),
    "hhi": Column(
        "The Herfindahl-Hirschman index, the sum of squared fractions of the shares, if the aggregate of small firms"
        " adds nothing. Null where nothing was traded.",
        "0 to 1",
    ),
    "hhi_upper": Column("The same, if all of the aggregate belonged to the largest firm.", "0 to 1"),
}

_CAPTURE = {
    "capture_no": Column("Number of the capture in this database, growing in the order of capture."),
    "capture_id": Column("Identifier of the capture: domain, tier, week ending and run date."),
    "revision": Column("Which of the captures with this capture_id it is, counted from 1."),
    "captured_at": Column("When the capture was stored.", "UTC"),
    "verified_at": Column("When the last fetch that found this content began.", "UTC"),
    "checked_at": Column("When FINRA was last seen to have this content still.", "UTC"),
    "normalized_at": Column("When the capture's rows were stored. Null while it has none.", "UTC"),
    "content_hash": Column("SHA-256 of the content in canonical order.", "hexadecimal"),
    "payload_hash": Column("SHA-256 by which the raw documents are found.", "hexadecimal"),
    "source_last_updated": Column("FINRA's newest lastUpdateDate in it. Null where the source tells none.", "date"),
    "source_row_count": Column("Rows, as the source counts them. Null where it does not.", "rows"),
    "size_bytes": Column("Size of the raw content before compression.", "bytes"),
    "source_url": Column("Where it came from, without secrets."),
    "rejected_rows": Column("Raw rows that are no records. Null while it has no records.", "rows"),
    "rows": Column("Records.", "rows"),
    "manifest_no": Column("Number of the entry."),
    "metadata_json": Column("What else is known of the stage, such as the content hash.", "JSON"),
    "codec": Column("How the body is compressed."),
    "body": Column("The document, compressed.", "bytes"),
}

_READINESS = {
    "readiness_no": Column("Number of the judgment that holds."),
    "judgment_no": Column("Number of the judgment, in the order in which they were made."),
    "ready_for": Column("The use that it is about, such as trading."),
    "is_ready": Column("Whether the week may be used for it."),
    "all_partitions_present": Column("Whether each tier has a capture, with each half."),
    "all_stages_complete": Column("Whether the newest captures are normalized and analyzed."),
    "no_critical_anomalies": Column("Whether no CRITICAL anomaly is open."),
    "no_rejected_rows": Column("Whether no row of the newest captures was rejected."),
    "no_partial_coverage": Column("Whether no finding on coverage is open that nobody acknowledged."),
    "blocking_issues": Column("What keeps the week from being ready: kind, tier, message, action.", "JSON"),
    "ready_on": Column("The day on which it can be ready, if it waits for FINRA's calendar alone; else null.", "date"),
    "captures": Column("The capture_no of each capture that the judgment rests on, in tier order.", "JSON"),
    "updated_at": Column("When the judgment was stored, by a run or by you.", "UTC"),
    "judged_at": Column("When the judgment was made.", "UTC"),
    "superseded_at": Column("When the next judgment was made. Null while this one holds.", "UTC"),
}

_FINDINGS = {
    "anomaly_no": Column("Number of the finding."),
    "severity": Column("CRITICAL, ERROR, WARN or INFO."),
    "category": Column("The kind of finding, such as LATE."),
    "place": Column("The place in the source that it is about, such as a file. Null where it is about none."),
    "stage": Column("The stage at which it was found: RAW, NORMALIZED or CALC."),
    "message": Column("The finding in one line."),
    "details_json": Column("What the finding rests on.", "JSON"),
    "first_seen": Column("When it was first found.", "UTC"),
    "last_seen": Column("When it was last found.", "UTC"),
    "occurrences": Column("How often it was found.", "times"),
    "resolved_at": Column("When the check passed. Null while the finding is open.", "UTC"),
    "acknowledged_reason": Column("Why a person acknowledged it. Null where nobody did."),
    "acknowledged_at": Column("When it was acknowledged.", "UTC"),
    "acknowledged_until": Column("The last day on which the acknowledgment holds. Null means no end.", "date"),
}

_RUNS = {
    "decision_no": Column("Number of the decision."),
    "action": Column("ingest, compare, skip, wait or fail."),
    "rule": Column("The rule that chose the action, such as version_unchanged."),
    "evidence": Column("What the rule looked at.", "JSON"),
    "decided_at": Column("When it was decided.", "UTC"),
    "run_no": Column("Number of the run in this database."),
    "run_id": Column("Identifier of the run."),
    "started_at": Column("When the run began.", "UTC"),
    "finished_at": Column("When it ended. Null while it runs, or if it was killed.", "UTC"),
    "mode": Column("run or dry-run."),
    "run_date": Column("The day that the run was for.", "date"),
    "exit_code": Column("0 done, 1 some partitions failed, 2 broke off. Null as finished_at."),
    "report_json": Column("The run's report, as finra run --json prints it.", "JSON"),
    "sweep_from": Column(
        "The day with which the next search for old restatements begins. Null if none was made.", "date"
    ),
}

COLUMNS = {**_PARTITION, **_ROW, **_ANALYTICS, **_CAPTURE, **_READINESS, **_FINDINGS, **_RUNS}
