-- Years of three tiers, without their meaning: what the planner sees.

INSERT INTO finra_otc_partitions (week_ending, tier)
SELECT date '2020-01-03' + 7 * w, tier
FROM generate_series(0, 299) w, unnest(ARRAY['NMS_TIER_1', 'NMS_TIER_2', 'OTC']) tier ORDER BY 1, 2;

INSERT INTO core_captures (capture_id, revision, partition_no, week_ending, tier, captured_at, verified_at, content_hash, payload_hash, row_count, size_bytes, source_url, run_id, reason, normalized_at, rejected_rows)
SELECT 'c' || partition_no || '-' || n, 1, partition_no, week_ending, tier, now(), now(), 'h', 'p' || partition_no, 10, 10, '', 'r', '', now(), 0
FROM finra_otc_partitions, generate_series(1, 3) n ORDER BY partition_no, n;

INSERT INTO core_manifest (domain, partition_key, stage, capture_id, revision, row_count, captured_at, metadata_json)
SELECT 'finra.otc_transparency', jsonb_build_object('week_ending', week_ending, 'tier', tier), stage, capture_id, 1, 10, captured_at, '{}'
FROM core_captures, unnest(ARRAY['RAW', 'NORMALIZED', 'CALC']) stage;

INSERT INTO core_raw_payloads
SELECT 'p' || p, 0, 'zstd', 10, '\x28b52ffd2000010000'
FROM generate_series(1, 5000) p;

INSERT INTO finra_otc_securities (symbol, issue_name, product_type)
SELECT 'S' || s, '', ''
FROM generate_series(1, 500) s;

INSERT INTO finra_otc_venues (venue_type, mpid, crd, venue_name)
SELECT 'ATS', 'M' || v, '', ''
FROM generate_series(1, 10) v;

INSERT INTO finra_otc_row_versions
SELECT p, s, v, 3 * p - 2, NULL, 1, 1, '2026-01-12'
FROM generate_series(1, 20) p, generate_series(1, 500) s, generate_series(1, 10) v;

INSERT INTO finra_otc_rejected_rows (capture_no, document, line, reason, raw_text)
SELECT capture_no, 0, n, '', ''
FROM core_captures, generate_series(1, 3) n;

INSERT INTO finra_otc_analyses (capture_id, revision, week_ending, tier, calc_version, computed_at, inputs, newest_input, shares_micros, trades, venues, symbols)
SELECT capture_id, 1, week_ending, tier, 1, now(), '[' || capture_no || ']', capture_no, 1, 1, 10, 1
FROM core_captures;

INSERT INTO finra_otc_analysis_venues
SELECT analysis_no, 'ATS', 'M' || v, '', '', 1, 1, 1, 1
FROM finra_otc_analyses, generate_series(1, 10) v;

INSERT INTO core_anomalies (fingerprint, domain, severity, category, partition_key, stage, message, details_json, first_seen, last_seen, occurrences, resolved_at)
SELECT 'f' || partition_no || '-' || n, 'd', 'CRITICAL', 'X', jsonb_build_object('week_ending', week_ending, 'tier', tier), 'RAW', '', '{}', now(), now(), 1, now()
FROM finra_otc_partitions, generate_series(1, 5) n;

INSERT INTO core_data_readiness (domain, partition_key, is_ready, ready_for, all_partitions_present, all_stages_complete, no_critical_anomalies)
SELECT 'finra.otc_transparency', jsonb_build_object('week_ending', date '2000-01-07' + 7 * w), true, 'trading', true, true, true
FROM generate_series(1, 2000) w;

INSERT INTO core_runs (run_id, started_at, mode, run_date)
SELECT 'r' || r, now(), 'run', now()
FROM generate_series(1, 2000) r;

ANALYZE;
