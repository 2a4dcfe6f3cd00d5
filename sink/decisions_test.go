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

func TestRollout(t *testing.T) {
	db := open(t, address(t))
	now := time.Now()
	start := leadroute.At(now.Add(-time.Hour))
	var events []leadroute.LatencyEvent
	add := func(lead string, plan leadroute.PlanID, at leadroute.Millis, step leadroute.Step, outcome string, more func(*leadroute.LatencyEvent)) {
		e := leadroute.LatencyEvent{Lead: leadroute.LeadID(lead), Rev: 1, Step: step, Class: "P0", Plan: plan, ReceivedAt: at, At: at, Outcome: outcome, SLA: 60_000}
		if more != nil {
			more(&e)
		}
		events = append(events, e)
	}
	for i, outcome := range []string{"same", "same", "moved", "same"} {
		lead := string(rune('a' + i))
		at := start.Add(time.Minute)
		add(lead, "new", at, leadroute.StepDecided, outcome, nil)
		switch lead {
		case "a":
			add(lead, "new", at+5, leadroute.StepDelivered, "200", nil)
		case "b":
			add(lead, "new", at+5, leadroute.StepBreached, "", nil)
			add(lead, "new", at+9, leadroute.StepDelivered, "200", nil)
		case "c":
			add(lead, "new", at+5, leadroute.StepQueued, "", func(e *leadroute.LatencyEvent) { e.Queue = "unassigned" })
		case "d":
			add(lead, "new", at+5, leadroute.StepDeadLettered, "", func(e *leadroute.LatencyEvent) { e.Reason = "no_rule" })
		}
	}
	add("before", "new", start.Add(-time.Minute), leadroute.StepDecided, "moved", nil) // of an earlier try
	add("other", "old", start.Add(time.Minute), leadroute.StepDecided, "", nil)
	add("shadowed", "old", start.Add(time.Minute), leadroute.StepDecided, "moved", nil)
	store(t, db, events...)
	for _, c := range []struct {
		shadow bool
		want   RolloutFigures
	}{
		{false, RolloutFigures{Leads: 4, Moved: 1, Unassigned: 2, Settled: 2, Missed: 1}},
		{true, RolloutFigures{Leads: 1, Moved: 1}},
	} {
		got, err := db.Rollout(t.Context(), "old", "new", c.shadow, start.Time())
		if err != nil || got != c.want {
			t.Errorf("shadow %v: %+v, %v; want %+v", c.shadow, got, err, c.want)
		}
	}
}
