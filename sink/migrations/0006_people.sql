-- A lead of a person who came before is dropped or merged: it is delivered with the one that
-- came first, and is no lead of its own in the figures.
CREATE OR REPLACE VIEW lead_outcomes AS
SELECT lead,
       anyIf(class, step = 'received')                              AS class,
       anyIf(source, step = 'received')                             AS source,
       minIf(at, step = 'received')                                 AS received,
       minIf(at - toIntervalMillisecond(since_emit_ms), step = 'received') AS since,
       max(sla_ms)                                                  AS sla,
       if(sla > 0, countIf(step = 'delivered' AND sla_ms > 0), countIf(step = 'delivered')) AS acks,
       if(sla > 0, minIf(since_emit_ms, step = 'delivered' AND sla_ms > 0), minIf(since_emit_ms, step = 'delivered')) AS latency_ms,
       since + toIntervalMillisecond(sla)                           AS due,
       acks > 0 AND (sla = 0 OR latency_ms <= sla)                  AS ok,
       NOT ok AND sla > 0 AND (acks > 0 OR due < {asof:DateTime64(3, 'UTC')}) AS late,
       NOT ok AND NOT late AND countIf(step = 'dead_lettered') > 0  AS dead,
       NOT ok AND NOT late AND NOT dead                             AS open
FROM events
WHERE at >= {from:DateTime64(3, 'UTC')} AND at <= {asof:DateTime64(3, 'UTC')}
  AND lead IN (SELECT lead FROM events WHERE step = 'received' AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')})
GROUP BY lead
HAVING countIf(step = 'duplicate' AND outcome IN ('dropped', 'merged')) = 0;
