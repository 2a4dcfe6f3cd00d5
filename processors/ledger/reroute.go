package ledger

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// revise takes the lead from its owner (or out of its queue) and offers it again; an operator
// may have it decided anew, or name where it goes then. A lead that the plan in force would
// give to nobody stays where it is.
func (d *step) revise(m *leadroute.Revise) {
	s := d.s
	if s == nil || !s.Open() || s.Phase == Asking { // who asks is on nobody's desk
		return
	}
	if m.Rev != s.Rev && !mutant.On("ledger-reroute-any-revision") || m.By != "" && s.Held != nil && !mutant.On("ledger-reroute-held") {
		return
	}
	var anew *plan.Decision
	if m.Anew || m.To != nil {
		dec, err := d.env.Decide(d.env.Plan(""), d.lead(), d.at)
		if err != nil || dec.Rule == "" && m.To == nil {
			return
		}
		anew = &dec
	}
	ran := d.clocks()
	d.takeBack()
	if anew != nil { // what the row remembers was told of the class and plan of before
		s.Plan, s.Trail = d.env.Plan("").ID, nil
		d.decided(anew)
	}
	d.record(TrailStep{Step: leadroute.StepReassigned, Reason: m.Reason, Rep: s.avoid(), Outcome: m.By})
	if anew != nil {
		d.record(TrailStep{Step: leadroute.StepDecided, Outcome: anew.Compared})
		d.share(anew)
	}
	if m.To != nil {
		d.sendTo(plan.Target{Pool: m.To.Pool, Queue: m.To.Queue, Rep: m.To.Rep})
	} else {
		d.offerAnew(0)
	}
	d.reclock(ran)
}

// lead is the lead as it was let in.
func (d *step) lead() *leadroute.Lead { return d.s.Lead(d.id) }

// decided lays a decision into the row.
func (d *step) decided(dec *plan.Decision) {
	s := d.s
	s.Class, s.Territory, s.Rule = dec.Class, dec.Territory, dec.Rule
	s.SLA, s.Targets, s.Named, s.Arm, s.Seen = dec.DeliverWithin.Milliseconds(), dec.Targets, nil, dec.Arm, dec.Seen
}

// Lead is the lead of a row as it was let in; of a finished one the fields may be gone.
func (s *State) Lead(id leadroute.LeadID) *leadroute.Lead {
	return &leadroute.Lead{ID: id, Source: s.Source, EmittedAt: s.Emitted, ReceivedAt: s.Received, Fields: s.Fields}
}

// Route is how an open lead stands.
func (s *State) Route(now leadroute.Millis) plan.Route {
	r := plan.Route{
		Class: s.Class, Territory: s.Territory, Rule: s.Rule, Phase: string(s.Phase), Owner: s.Owner(), Queue: s.Queue, Rev: s.Rev,
		Age: max(0, now.Sub(s.since())), Held: s.Held != nil, Late: s.Breached,
	}
	if s.Claim != nil {
		r.Pool = s.Claim.Pool
	}
	if s.Queue != "" {
		r.Waited = max(0, now.Sub(s.Queued))
	}
	if s.Seen != nil {
		r.Account = s.Seen.Account
	}
	return r
}
