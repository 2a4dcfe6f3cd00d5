package stream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/leadroute/leadroute/processors/stream"
)

// A scan sees the table as the log has it: each row's last write last, and what was deleted
// as gone. It ends by itself, also where the table is empty, and with the caller's error.
func TestScanReadsTheTable(t *testing.T) {
	r := newRig(t)
	_, stop := r.start(tallyStage())
	defer stop()
	scan := func() map[string]int {
		rows := map[string]int{}
		err := stream.Scan(t.Context(), r.cfg, tallyStage().Name, func(key string, s *tally) error {
			if delete(rows, key); s != nil {
				rows[key] = s.N
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if rows := scan(); len(rows) != 0 {
		t.Errorf("a scan of an empty table = %v", rows)
	}
	for i := range 10 {
		r.send(fmt.Sprint("k", i), `{}`)
		r.nextTold()
	}
	r.send("k0", `{}`)
	r.nextTold()
	r.send("k1", `{"delete":true}`)
	eventually(t, "the rows are in the log", func() bool {
		rows := scan()
		return len(rows) == 9 && rows["k0"] == 2 && rows["k2"] == 1
	})
	enough := errors.New("enough")
	if err := stream.Scan(t.Context(), r.cfg, tallyStage().Name, func(string, *tally) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Scan = %v, want the caller's error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := stream.Scan(ctx, r.cfg, tallyStage().Name, func(string, *tally) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Scan of a caller who has gone = %v", err)
	}
}
