package reps

import (
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/stream/streamtest"
)

// TestStage: through Goka, a rep is hired, takes a lead, refuses the one above the cap,
// lets go, reminds the ledger of what has rested, and leaves with the last lead.
func TestStage(t *testing.T) {
	const start leadroute.Millis = 1768384800000
	p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": {Name: "emea"}}}
	st := Stage(func(leadroute.PlanID) *plan.Plan { return p })
	h := streamtest.New(t, st)
	if sent := h.Send("ana", &leadroute.RepMessage{Profile: &leadroute.Rep{CRMID: "u1", Caps: leadroute.Caps{Open: 1}}}, start); len(sent) != 0 {
		t.Errorf("hired: sent %v, want nothing", sent)
	}
	claim := func(lead leadroute.LeadID) *leadroute.Answer {
		t.Helper()
		c := &leadroute.Claim{ID: leadroute.ClaimID{Lead: lead, Rev: 1, Try: 1, Rep: "ana"}, Pool: "emea", Plan: "p"}
		sent := h.Send("ana", &leadroute.RepMessage{Claim: c}, start)
		if len(sent) != 1 || sent[0].Topic != leadroute.TopicLedger || sent[0].Key != string(lead) {
			t.Fatalf("claim %v: sent %v, want one answer", c.ID, sent)
		}
		return streamtest.Decode[leadroute.LedgerMessage](t, sent[0]).Answer
	}
	if a := claim("L1"); !a.Accepted || a.CRMID != "u1" || a.Open != 1 || a.At != start {
		t.Errorf("claim L1 = %+v, want accepted", a)
	}
	if a := claim("L2"); a.Accepted || a.Reason != "full" {
		t.Errorf("claim L2 = %+v, want full", a)
	}
	if s := h.State("ana"); s == nil || s.Open() != 1 || s.Held[0].Lead != "L1" || s.Held[0].Pool != "emea" {
		t.Fatalf("State(ana) = %+v, want L1 held", s)
	}

	now := start.Add(restAfter)
	out := st.Sweep("ana", h.State("ana"), now)
	if len(out) != 1 {
		t.Fatalf("Sweep(ana) = %v, want one check", out)
	}
	sent := h.Send("ana", out[0].Value.(*leadroute.RepMessage), now)
	if len(sent) != 1 {
		t.Fatalf("checked: sent %v, want L1 asserted", sent)
	}
	if a := streamtest.Decode[leadroute.LedgerMessage](t, sent[0]).Answer; a == nil || !a.Asserted || !a.Accepted || a.Claim.Lead != "L1" {
		t.Errorf("checked: sent %s, want L1 asserted", sent[0].Value)
	}
	if out := st.Sweep("ana", h.State("ana"), now); len(out) != 0 {
		t.Errorf("Sweep(ana) again = %v, want nothing", out)
	}

	if sent := h.Send("ana", &leadroute.RepMessage{Remove: &leadroute.RepRemoval{}}, now); len(sent) != 2 {
		t.Errorf("removed: sent %v, want L1 asserted and revised", sent)
	}
	if s := h.State("ana"); s == nil || !s.Gone {
		t.Fatalf("State(ana) after the removal = %+v, want gone with L1 on the desk", s)
	}
	h.Send("ana", &leadroute.RepMessage{Release: &leadroute.Release{Claim: leadroute.ClaimID{Lead: "L1", Rev: 1, Try: 1, Rep: "ana"}}}, now)
	if s := h.State("ana"); s != nil {
		t.Errorf("State(ana) after the last lead = %+v, want none", s)
	}
}
