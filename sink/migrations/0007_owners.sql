-- A lead's assignment made the rep the owner of its company; another lead of the same person
-- was merged into this one, which outcome names.
ALTER TABLE lead_events MODIFY COLUMN step
    Enum8('received' = 1, 'rejected' = 2, 'duplicate' = 3, 'enriched' = 4, 'decided' = 5, 'offered' = 6,
          'claimed' = 7, 'declined' = 8, 'assigned' = 9, 'queued' = 10, 'released' = 11, 'delivered' = 12,
          'attempt_failed' = 13, 'superseded' = 14, 'dead_lettered' = 15, 'responded' = 16, 'reassigned' = 17, 'breached' = 18,
          'closed' = 19, 'notified' = 20, 'refused' = 21, 'claimed_account' = 22, 'merged' = 23);

-- The view keeps the column's type of when it was made.
CREATE OR REPLACE VIEW events AS
SELECT *
FROM lead_events FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
