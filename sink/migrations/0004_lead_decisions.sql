-- One row per decision about a lead, with all that makes it again: explain shows it, and
-- backtest plays it under another policy. The lead's fields are in it. The identity of a row
-- is (lead, rev, n), and every column comes from the event, as with lead_events.
CREATE TABLE IF NOT EXISTS lead_decisions
(
    at            DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    lead          String               CODEC(ZSTD(1)),
    rev           Int32                CODEC(T64, ZSTD(1)),
    n             UInt64               CODEC(ZSTD(1)),
    class         LowCardinality(String),
    source        LowCardinality(String),
    rule          LowCardinality(String),
    plan          LowCardinality(String),
    emitted_at    DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    received_at   DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    fields        String               CODEC(ZSTD(3)),
    seen          String               CODEC(ZSTD(3)),
    said          String               CODEC(ZSTD(3)),
    INDEX ix_lead lead TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(at)
PRIMARY KEY (toStartOfHour(at))
ORDER BY (toStartOfHour(at), lead, rev, n)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE OR REPLACE VIEW decisions AS
SELECT *
FROM lead_decisions FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
