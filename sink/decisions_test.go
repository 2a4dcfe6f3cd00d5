package sink

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
)

func TestDecisions(t *testing.T) {
	db := open(t, address(t))
	now := time.Now()
	base := leadroute.At(now.Add(-time.Hour))
	decided := func(lead leadroute.LeadID, rev int, received leadroute.Millis) leadroute.LatencyEvent {
		return leadroute.LatencyEvent{
			Lead: lead, Rev: rev, Step: leadroute.StepDecided, Class: "P0", Source: "web", Rule: "emea", Plan: "abc",
			ReceivedAt: received, At: received + 5,
			Decision: &leadroute.Decision{
				Fields: json.RawMessage(`{"email":"ana@example.com"}`), Seen: json.RawMessage(`{"free":{"emea":2}}`), Said: json.RawMessage(`{"class":"P0"}`),
			},
		}
	}
	late, early, again := decided("late", 1, base+100), decided("early", 1, base), decided("early", 2, base)
	again.At += 60_000
	early.Decision.Seen = nil
	store(t, db, late, early, again)
	store(t, db, early) // written again, not seen again

	got, err := db.Decisions(t.Context(), "early")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]leadroute.LatencyEvent{early, again}, got); d != "" {
		t.Errorf("Decisions (-want +got):\n%s", d)
	}
	if got, err := db.Decisions(t.Context(), "nobody"); err != nil || len(got) != 0 {
		t.Errorf("Decisions(nobody) = %v, %v; want none", got, err)
	}

	var order []string
	for d, err := range db.Recorded(t.Context(), base.Time(), now) {
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, string(d.Lead)+string(rune('0'+d.Rev)))
	}
	if d := cmp.Diff([]string{"early1", "late1"}, order); d != "" {
		t.Errorf("Recorded (-want +got):\n%s", d)
	}
	for to, want := range map[leadroute.Millis]uint64{base + 100: 1, base + 101: 2} {
		if n, err := db.CountRecorded(t.Context(), base.Time(), to.Time()); err != nil || n != want {
			t.Errorf("CountRecorded = %d, %v; want %d", n, err, want)
		}
	}
}
