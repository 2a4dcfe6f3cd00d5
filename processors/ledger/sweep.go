package ledger

import (
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// How long a finished row keeps its trail (well beyond what a crash can replay), and how
// long an open one rests before a sweep re-asserts it.
const (
	trailKept = time.Minute
	restAfter = 10 * time.Minute
)

// visit is what a sweep finds to do about a row.
type visit int

const (
	leaveBe  visit = iota
	forget         // past its window: delete
	shrink         // finished: keep a stub
	giveUp         // open for longer than the plan allows
	reassert       // open and quiet: say again what is outstanding
)

// wants says what a sweep at time now would do about the row.
func (s *State) wants(p *plan.Plan, now leadroute.Millis) visit {
	age := p.MaxAge
	if age <= 0 {
		age = plan.DefaultMaxAge
	}
	window := p.DedupeWindow
	if window <= 0 {
		window = plan.DefaultDedupeWindow
	}
	over := now >= max(s.since(), s.Revived).Add(age)
	switch {
	case s.Done != 0 && (s.Phase == Closed || s.Phase == Duplicate):
		switch {
		case now >= s.Done.Add(window):
			return forget
		case (s.Claim != nil || len(s.Trail) > 0) && now >= s.Done.Add(trailKept):
			return shrink
		}
	case s.Phase == Dead: // it can be replayed until then, and for a while if its age was what it died of
		if over && now >= s.Done.Add(window) {
			return forget
		}
	case !s.Open() && over: // closed with a delivery that was given up or never ended
		return forget
	case over:
		return giveUp
	case now >= s.Last.Add(restAfter):
		return reassert
	}
	return leaveBe
}

// check is the sweep's visit.
func (d *step) check() {
	s := d.s
	if s == nil {
		return
	}
	switch s.wants(d.plan(), d.at) {
	case leaveBe:
	case forget:
		d.s, d.touched = nil, true
	case shrink:
		d.touched = true
		d.s = &State{Phase: s.Phase, Receipt: s.Receipt, Rev: s.Rev, Plan: s.Plan, Done: s.Done, Left: s.Left}
		if s.Phase == Duplicate {
			d.s.Person = &Person{Root: s.Person.Root}
		}
	case giveUp:
		ran := d.clocks()
		if s.Pending != nil {
			s.Prev = &leadroute.Release{Claim: s.Pending.Claim}
			d.letPendingGo(reasonMovedOn)
		}
		d.endHold()
		if s.Claim != nil {
			s.Prev = &leadroute.Release{Claim: s.Claim.ID, Counted: d.counted()}
			d.release(*s.Prev)
			s.Claim = nil
		}
		d.unopen()
		d.stopWaiting()
		for i := range s.Dests {
			d.stopRetry(&s.Dests[i])
		}
		d.dead("max_age")
		d.reclock(ran)
	case reassert:
		d.touch()
		d.outstanding()
		if s.Phase == Owned {
			d.send(leadroute.TopicReps, string(s.Claim.ID.Rep), &leadroute.RepMessage{Confirm: &leadroute.Confirm{Claim: *s.Claim}})
		}
	}
}

// Sweep is the anti-entropy sweep's question for each row of the table: it asks for a
// Check where one would do something.
func Sweep(env Env, id leadroute.LeadID, s *State, now leadroute.Millis) []leadroute.Effect {
	if s.wants(env.Plan(s.Plan), now) == leaveBe {
		return nil
	}
	return []leadroute.Effect{{
		Topic: leadroute.TopicLedger, Key: string(id),
		Value: &leadroute.LedgerMessage{Check: &leadroute.Check{At: now}},
	}}
}

// finishIfSettled ends a closed lead once every destination has had its say. A dead
// delivery keeps the row, so that it can be replayed.
func (d *step) finishIfSettled() {
	s := d.s
	if s.Phase != Closed || s.Done != 0 {
		return
	}
	for i := range s.Dests {
		b := &s.Dests[i]
		switch gone := d.plan().Destination(b.Name) == nil; { // it moved to a plan that does not have it
		case !gone && (b.Dead || !b.settled(s.Rev)), gone && (b.InFlight || b.Retry != 0):
			return
		}
	}
	s.Done = d.at
	s.Declined, s.Fired = nil, nil
	kept := s.Trail[:0]
	for i, t := range s.Trail {
		// What happened long ago may be told just now, and then the crash is yet to come.
		if t.At.Add(trailKept) > d.at || i >= len(s.Trail)-d.told {
			kept = append(kept, t)
		}
	}
	s.Trail = kept
	if !slices.ContainsFunc(kept, func(t TrailStep) bool { return t.Step == leadroute.StepDecided }) {
		s.Fields, s.Also, s.Targets, s.Named, s.Seen = nil, nil, nil, nil, nil // else the decision may have to be told again
	}
}
