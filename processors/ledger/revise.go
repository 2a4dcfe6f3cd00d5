package ledger

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/mutant"
)

// action is what a rep says of the lead on the desk. It is ignored when the rep does not own it.
func (d *step) action(a *leadroute.RepAction) {
	s := d.s
	if s == nil || s.Claim == nil || s.Claim.ID.Rep != a.Rep {
		return
	}
	switch a.Action {
	case leadroute.ActionResponded:
		if s.Phase != Owned || s.Responded {
			return
		}
		s.Responded = true
		d.touch()
		d.record(TrailStep{Step: leadroute.StepResponded, At: a.At, Rep: a.Rep})
		d.stopSteps()
	case leadroute.ActionClosed:
		if s.Phase != Owned {
			return
		}
		d.touch()
		d.record(TrailStep{Step: leadroute.StepClosed, At: a.At, Rep: a.Rep})
		d.release(leadroute.Release{Claim: s.Claim.ID, Counted: d.counted()})
		d.stopSteps()
		s.Phase = Closed
		d.finishIfSettled()
	}
}

// counted tells whether the CRM acknowledged this revision, so that its claim counts
// against the caps per hour, day and week.
func (d *step) counted() bool {
	p := d.plan().Primary()
	if p == nil {
		return true
	}
	b := d.s.dest(p.Name)
	return b != nil && b.Acked >= d.s.Rev
}

func (d *step) release(r leadroute.Release) {
	d.send(leadroute.TopicReps, string(r.Claim.Rep), &leadroute.RepMessage{Release: &r})
}

// revise takes the lead from its owner (or out of its queue) and offers it again.
func (d *step) revise(m *leadroute.Revise) {
	s := d.s
	if s == nil || !s.Open() || m.Rev != s.Rev {
		return
	}
	d.takeBack()
	d.record(TrailStep{Step: leadroute.StepReassigned, Reason: m.Reason, Rep: s.avoid()})
	d.offerFrom(0)
}

// takeBack ends the revision: it releases the owner's claim and raises the revision.
func (d *step) takeBack() {
	s := d.s
	s.Prev = nil
	if s.Claim != nil {
		s.Prev = &leadroute.Release{Claim: s.Claim.ID, Counted: d.counted()}
		if !mutant.On("ledger-revise-no-release") {
			d.release(*s.Prev)
		}
		d.stopSteps()
		s.Claim = nil
	}
	d.stopWaiting()
	for i := range s.Dests {
		d.stopRetry(&s.Dests[i])
	}
	s.Rev++
	s.Try, s.Responded, s.Declined = 0, false, nil
	d.touch()
}
