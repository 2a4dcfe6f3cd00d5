package pools

import (
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/internal/transcript"
	"github.com/leadroute/leadroute/processors/stream/streamtest"
)

// TestStage: through Goka, an offer becomes a claim for one rep or an answer that nobody
// is free, and the turn is stored; the same roster is what conditions see live.
func TestStage(t *testing.T) {
	p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": {Name: "emea", Members: []leadroute.RepID{"ana", "ben"}}}}
	roster := NewRoster()
	h := streamtest.New(t, Stage(func(leadroute.PlanID) *plan.Plan { return p }, roster))
	offer := func(lead leadroute.LeadID, pool leadroute.PoolID) streamtest.Sent {
		t.Helper()
		sent := h.Send(string(pool), &leadroute.PoolMessage{Offer: &leadroute.Offer{Lead: lead, Rev: 1, Try: 1, Pool: pool, Plan: "p", Class: "P0"}}, transcript.Start)
		if len(sent) != 1 {
			t.Fatalf("offer %s to %s: sent %v, want one message", lead, pool, sent)
		}
		return sent[0]
	}
	for pool, want := range map[leadroute.PoolID]string{"emea": "no_members", "nowhere": "unknown_pool"} {
		s := offer("L0", pool)
		if n := streamtest.Decode[leadroute.LedgerMessage](t, s).NoCandidate; s.Topic != leadroute.TopicLedger || s.Key != "L0" || n == nil || n.Reason != want {
			t.Errorf("offer to %s: sent %s, want %s", pool, s.Value, want)
		}
	}
	for _, id := range []leadroute.RepID{"ana", "ben"} {
		roster.Update(id, &desk.State{Profile: leadroute.Rep{ID: id}, Status: leadroute.StatusAvailable, Version: 1})
	}
	if n := roster.Live(p, transcript.Start).Available("emea"); n != 2 {
		t.Errorf("Available(emea) = %d, want 2", n)
	}
	s := offer("L1", "emea")
	if c := streamtest.Decode[leadroute.RepMessage](t, s).Claim; s.Topic != leadroute.TopicReps || s.Key != "ana" || c == nil || c.ID.Lead != "L1" || c.Pool != "emea" {
		t.Errorf("offer L1: sent %s for %s on %s, want a claim for ana", s.Value, s.Key, s.Topic)
	}
	if s := offer("L2", "emea"); s.Key != "ben" {
		t.Errorf("offer L2: asked %s, want ben", s.Key)
	}
	if s := offer("L1", "emea"); s.Key != "ana" {
		t.Errorf("offer L1 again: asked %s, want ana again", s.Key)
	}
	if s := h.State("emea"); s == nil || s.Turn.Rep != "ben" || len(s.Recent) != 2 {
		t.Errorf("State(emea) = %+v, want the turn at ben and two picks", s)
	}
}
