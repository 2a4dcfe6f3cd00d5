package sink

import (
	"context"
	"fmt"
	"strings"

	"github.com/leadroute/leadroute"
)

// numberSteps lets the table know every step of leadroute.Steps. No migration does: one
// that names the steps of its day cannot be run again, nor beside a newer process, once
// there are more. A newer version's steps are left alone.
func (db *DB) numberSteps(ctx context.Context) error {
	known, err := db.knowsSteps(ctx, "lead_events")
	if err == nil && !known {
		if err = db.conn.Exec(ctx, "ALTER TABLE lead_events MODIFY COLUMN step "+stepType()); err != nil {
			if known, again := db.knowsSteps(ctx, "lead_events"); again == nil && known { // another process was faster
				err = nil
			}
		}
	}
	if err == nil {
		if known, err = db.knowsSteps(ctx, "events"); err == nil && !known { // a view keeps the type of when it was made
			err = db.conn.Exec(ctx, `CREATE OR REPLACE VIEW events AS SELECT * FROM lead_events FINAL SETTINGS do_not_merge_across_partitions_select_final = 1`)
		}
	}
	if err != nil {
		return fmt.Errorf("number the steps: %w", db.addr.explain(err))
	}
	return nil
}

// knowsSteps tells whether the column step of a table or view has every step.
func (db *DB) knowsSteps(ctx context.Context, table string) (bool, error) {
	var have string
	err := db.conn.QueryRow(ctx, "SELECT any(type) FROM system.columns WHERE database = currentDatabase() AND table = ? AND name = 'step'", table).Scan(&have)
	if err != nil {
		return false, err
	}
	have = strings.ReplaceAll(have, ")", ",")
	for i, s := range leadroute.Steps {
		if !strings.Contains(have, stepNumbered(i, s)+",") {
			return false, nil
		}
	}
	return true, nil
}

func stepType() string {
	parts := make([]string, len(leadroute.Steps))
	for i, s := range leadroute.Steps {
		parts[i] = stepNumbered(i, s)
	}
	return "Enum8(" + strings.Join(parts, ", ") + ")"
}

func stepNumbered(i int, s leadroute.Step) string { return fmt.Sprintf("'%s' = %d", s, i+1) }
