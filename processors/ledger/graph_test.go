package ledger

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/internal/transcript"
	"github.com/leadroute/leadroute/processors/stream/streamtest"
)

// keeping is plans of which none is tried.
type keeping func(leadroute.PlanID) *plan.Plan

func (k keeping) Of(id leadroute.PlanID) *plan.Plan  { return k(id) }
func (k keeping) Beside(leadroute.PlanID) *plan.Plan { return nil }

type nobody struct{}

func (nobody) Available(leadroute.PoolID) int { return 0 }

// stagePlan sends a lead to its account's owner, else to a pool.
func stagePlan(t *testing.T) *plan.Plan {
	t.Helper()
	p, diags := dsl.CompileSource(map[string][]byte{"policy.hcl": []byte(`
policy "inbound" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
account_match {
  source = live.accounts
  by     = ["domain"]
}
priority "P0" { deliver_within = "1m" }
rep "ana" { email = "ana@example.com" }
rep "ben" { email = "ben@example.com" }
pool "emea" { members = [rep.ben] }
queue "backlog" { drain_to = [pool.emea] }
rule "known" {
  when = has(lead.account.owner)
  assign { to = rep_by_id(lead.account.owner) }
  assign { to = pool.emea }
  assign { to = queue.backlog }
}
rule "rest" {
  assign { to = pool.emea }
  assign { to = queue.backlog }
}
destination "crm" {
  webhook { url = "https://crm.example.com/leads" }
}
`)})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	return p
}

func admission(id leadroute.LeadID) *leadroute.LedgerMessage {
	return &leadroute.LedgerMessage{Admitted: &leadroute.Admission{Class: "P0", Plan: "plan-1", Lead: leadroute.Lead{
		ID: id, Source: "web", Receipt: "r1", ReceivedAt: transcript.Start, Fields: json.RawMessage(`{"email":"x@acme.example"}`),
	}}}
}

// TestStage: through Goka, the ledger reads the account, stores the row, and asks the
// account's owner; without an account it asks the pool; the sweep finds what has rested.
func TestStage(t *testing.T) {
	p := stagePlan(t)
	plans := func(leadroute.PlanID) *plan.Plan { return p }
	known := map[string]*leadroute.Account{}
	book := &company.Book{Row: func(domain string) *leadroute.Account { return known[domain] }}
	st := Stage(keeping(plans), book, func(*plan.Plan, leadroute.Millis) plan.Live { return nobody{} })
	h := streamtest.New(t, st)

	sent := h.Send("L1", admission("L1"), transcript.Start)
	if n := len(sent); n == 0 || sent[n-1].Topic != leadroute.TopicPools || sent[n-1].Key != "emea" {
		t.Fatalf("admitted without an account: sent %v, want an offer to the pool last", sent)
	}
	if o := streamtest.Decode[leadroute.PoolMessage](t, sent[len(sent)-1]).Offer; o == nil || o.Lead != "L1" || o.Try != 1 {
		t.Errorf("offer = %+v, want L1 try 1", o)
	}

	known["acme.example"] = &leadroute.Account{Domain: "acme.example", Owner: "ana"}
	sent = h.Send("L2", admission("L2"), transcript.Start)
	last := sent[len(sent)-1]
	if last.Topic != leadroute.TopicReps || last.Key != "ana" {
		t.Fatalf("admitted with an account of ana: sent %v, want a claim for ana last", sent)
	}
	c := streamtest.Decode[leadroute.RepMessage](t, last).Claim

	at := transcript.Start.Add(time.Second)
	sent = h.Send("L2", &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: c.ID, Accepted: true, CRMID: "u-ana", At: at}}, at)
	last = sent[len(sent)-1]
	if want := leadroute.Deliveries("crm", "P0"); last.Topic != want {
		t.Fatalf("accepted: sent %v, want a delivery on %s last", sent, want)
	}
	if d := streamtest.Decode[leadroute.Delivery](t, last); d.Owner != "ana" || d.OwnerCRM != "u-ana" || d.Key() != "L2/1" || d.AssignedAt != at {
		t.Errorf("delivery = %+v, want L2/1 owned by ana, assigned at %v", d, at)
	}
	s := h.State("L2")
	if s == nil || s.Phase != Owned || s.Owner() != "ana" || s.Last != at {
		t.Fatalf("State(L2) = %+v, want owned by ana", s)
	}

	now := at.Add(restAfter)
	out := st.Sweep("L2", s, now)
	if len(out) != 1 || out[0].Key != "L2" {
		t.Fatalf("Sweep(L2) = %v, want one check", out)
	}
	sent = h.Send("L2", out[0].Value.(*leadroute.LedgerMessage), now)
	if len(sent) != 2 || sent[0].Topic != leadroute.Deliveries("crm", "P0") || sent[1].Topic != leadroute.TopicReps {
		t.Errorf("checked: sent %v, want the delivery again and a confirmation", sent)
	}
}

// TestStageDeletesAndBuries: a forgotten lead's row goes, and a message that is none goes
// to the dead letters without touching the row.
func TestStageDeletesAndBuries(t *testing.T) {
	p := stagePlan(t)
	h := streamtest.New(t, Stage(keeping(func(leadroute.PlanID) *plan.Plan { return p }), &company.Book{}, func(*plan.Plan, leadroute.Millis) plan.Live { return nobody{} }))
	h.SetState("L1", &State{Phase: Closed, Rev: 1, Done: transcript.Start})
	sent := h.SendRaw("L1", []byte(`{"answer":`), transcript.Start.Add(time.Hour))
	if len(sent) != 1 || sent[0].Topic != leadroute.TopicDeadLetters {
		t.Errorf("half a message: sent %v, want one dead letter", sent)
	}
	if s := h.State("L1"); s == nil || s.Done != transcript.Start {
		t.Errorf("State(L1) after half a message = %+v, want it as it was", s)
	}
	at := transcript.Start.Add(plan.DefaultDedupeWindow)
	h.Send("L1", &leadroute.LedgerMessage{Check: &leadroute.Check{At: at}}, at)
	if s := h.State("L1"); s != nil {
		t.Errorf("State(L1) after its window = %+v, want none", s)
	}
}
