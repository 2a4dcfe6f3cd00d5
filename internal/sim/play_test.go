package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// TestACRMThatIsDownBenchesNobody: the clocks of a response run from the primary
// destination's acknowledgement. For an hour the CRM takes nothing: no lead is taken from
// anybody, no channel is told and no answer is late; then the clocks begin.
func TestACRMThatIsDownBenchesNobody(t *testing.T) {
	p := &plan.Plan{
		ID: "p", Zone: time.UTC, MaxAge: 1000 * time.Hour,
		Classes: []plan.Class{{Name: "P0", DeliverWithin: time.Minute, RespondWithin: 5 * time.Minute, Steps: []plan.Step{
			{Name: "nudge", After: 30 * time.Second, Notify: []string{"owner"}},
			{Name: "hand_over", Every: 2 * time.Minute, Reassign: true, Pause: 20 * time.Minute, Notify: []string{"managers"}},
		}}},
		Pools:  map[leadroute.PoolID]*plan.Pool{"all": {Name: "all", Members: []leadroute.RepID{"ana", "ben", "cy"}}},
		Queues: map[leadroute.QueueID]*plan.Queue{"wait": {Name: "wait"}},
		Destinations: []plan.Destination{
			{Name: "crm", Primary: true, Attempts: 1000, BackoffMin: time.Second, BackoffMax: time.Minute},
		},
	}
	start := leadroute.Millis(1768384800000)
	y := NewPlay(p, start, func(*plan.Plan, *leadroute.Lead, *leadroute.Account, plan.Live, leadroute.Millis) (plan.Decision, error) {
		return plan.Decision{
			Class: "P0", DeliverWithin: time.Minute, Rule: "all",
			Targets: []plan.Target{{Pool: "all", Accept: time.Minute}, {Queue: "wait"}},
		}, nil
	})
	for _, id := range []leadroute.RepID{"ana", "ben", "cy"} {
		y.Hire(leadroute.Rep{ID: id, Caps: leadroute.Caps{Open: 50}}, leadroute.StatusAvailable)
	}
	y.Down(true)
	const leads = 30
	owners := map[leadroute.LeadID]leadroute.RepID{}
	for i := range leads {
		id := leadroute.LeadID("L" + string(rune('a'+i)))
		y.Post(leadroute.Lead{ID: id, Source: "web", ReceivedAt: y.Now(), Fields: []byte(`{}`)}, "P0")
		owners[id] = y.Lead(id).Owner()
	}
	back := start.Add(time.Hour)
	if err := y.RunUntil(back); err != nil {
		t.Fatal(err)
	}
	late := 0
	for _, e := range y.Events() {
		switch {
		case e.Step == leadroute.StepReassigned, e.Step == leadroute.StepNotified, e.Step == leadroute.StepReleased,
			e.Step == leadroute.StepBreached && e.Reason != "":
			t.Errorf("with the CRM down %s was %s at +%v: %s", e.Lead, e.Step, e.At.Sub(start), e.Reason)
		case e.Step == leadroute.StepAttemptFailed:
			late++
		}
	}
	if late < leads*30 {
		t.Errorf("%d attempts failed in an hour, want the CRM tried all the time", late)
	}
	for id, owner := range owners {
		if s := y.Lead(id); owner == "" || s.Owner() != owner || s.Rev != 1 {
			t.Errorf("%s is with %q in revision %d, want still with %s", id, s.Owner(), s.Rev, owner)
		}
	}

	y.Down(false)
	if err := y.RunUntil(back.Add(2 * time.Minute)); err != nil { // a retry's back-off, and the first clock
		t.Fatal(err)
	}
	acked := map[leadroute.LeadID]leadroute.Millis{}
	began := map[string]int{}
	for _, e := range y.Events() {
		switch {
		case e.Step == leadroute.StepDelivered && acked[e.Lead] == 0:
			acked[e.Lead] = e.At
		case e.Step == leadroute.StepNotified && strings.HasSuffix(e.Reason, "nudge"):
			began["nudge"]++
			if got := e.At.Sub(acked[e.Lead]); got != 30*time.Second {
				t.Errorf("%s was nudged %v after the acknowledgement, want 30s", e.Lead, got)
			}
		case e.Step == leadroute.StepReassigned && e.Rev == 2:
			began["accept"]++
			if got := e.At.Sub(acked[e.Lead]); got != time.Minute {
				t.Errorf("%s moved on %v after the acknowledgement, want 1m", e.Lead, got)
			}
		}
	}
	if len(acked) != leads || began["nudge"] != leads || began["accept"] == 0 {
		t.Errorf("%d leads were acknowledged, of which %v: want all %d nudged, and moved on from who did not accept", len(acked), began, leads)
	}
}
