package ledger

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// revise takes the lead from its owner (or out of its queue) and offers it again; an operator
// may have it decided anew, and name where it goes then. A lead that the plan would give to
// nobody stays where it is.
func (d *step) revise(m *leadroute.Revise) {
	s := d.s
	if s == nil || !s.Open() || s.Phase == Asking { // who asks is on nobody's desk
		return
	}
	if m.Rev != s.Rev && !mutant.On("ledger-reroute-any-revision") || m.By != "" && s.Held != nil && !mutant.On("ledger-reroute-held") {
		return
	}
	var anew *plan.Decision
	p := d.env.Plan(m.Plan)
	if m.Plan != "" {
		dec, err := d.env.Decide(p, d.lead(), d.at)
		if err != nil || dec.Rule == "" && m.To == nil {
			return
		}
		anew = &dec
	}
	ran := d.clocks()
	if anew != nil {
		d.remember()
	}
	d.takeBack()
	if anew != nil {
		s.Plan = p.ID
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

// Before is how a lead was decided before it was moved: what its steps up to a revision are
// told with, also when they are told again.
type Before struct {
	Rev       int              `json:"r"`
	Class     leadroute.Class  `json:"c,omitempty"`
	Plan      leadroute.PlanID `json:"p,omitempty"`
	Rule      string           `json:"u,omitempty"`
	Territory string           `json:"t,omitempty"`
	SLA       int64            `json:"s,omitempty"`
}

// maxBefore bounds how many moves a row remembers, more than happen while a crash can replay.
const maxBefore = 4

// remember keeps what the steps of the revisions up to this one were told with. What was
// decided then is not told again: its log would be that of the decision to come. Who gets the
// lead is asked afresh, by the steps of the class that it gets.
func (d *step) remember() {
	s := d.s
	if !s.Responded {
		d.resolve()
	}
	s.afresh()
	s.Trail = slices.DeleteFunc(s.Trail, func(t TrailStep) bool { return t.Step == leadroute.StepDecided })
	if len(s.Before) >= maxBefore {
		oldest := s.Before[0].Rev
		s.Before = slices.Delete(s.Before, 0, 1)
		s.Trail = slices.DeleteFunc(s.Trail, func(t TrailStep) bool { return t.Rev <= oldest })
	}
	s.Before = append(s.Before, Before{Rev: s.Rev, Class: s.Class, Plan: s.Plan, Rule: s.Rule, Territory: s.Territory, SLA: s.SLA})
}

// planAt is the plan by which the lead went in that revision.
func (d *step) planAt(rev int) *plan.Plan {
	if as := d.s.as(rev); as.Plan != d.s.Plan {
		return d.env.Plan(as.Plan)
	}
	return d.plan()
}

// as is what a step of that revision is told with.
func (s *State) as(rev int) Before {
	for _, b := range s.Before {
		if rev <= b.Rev {
			return b
		}
	}
	return Before{Class: s.Class, Plan: s.Plan, Rule: s.Rule, Territory: s.Territory, SLA: s.SLA}
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
