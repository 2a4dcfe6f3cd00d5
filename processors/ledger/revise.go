package ledger

import (
	"slices"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/mutant"
)

// action is what a rep says of the lead on the desk. When the rep does not own it nothing
// comes of it but an event; who waits for an answer is told so, and who has it.
func (d *step) action(a *leadroute.RepAction) {
	d.act(a)
	r := &leadroute.Reply{Lead: d.id}
	if s := d.s; s != nil {
		mine := s.Claim != nil && s.Claim.ID.Rep == a.Rep
		r.Known, r.Agreed = true, mine && (s.Phase == Closed || s.Phase == Owned && a.Action == leadroute.ActionResponded)
		if s.Phase == Owned {
			r.Owner = s.Owner()
		}
		if mutant.On("ledger-agrees-with-anyone") {
			r.Agreed = true
		}
		if !r.Agreed {
			d.refuse(a)
		}
	}
	if a.Reply != "" {
		d.send(leadroute.TopicReplies, a.Reply, r)
	}
}

// maxRefused bounds how many refusals of a revision are told.
const maxRefused = 4

// refuse tells, once in a revision, that what a rep said of the lead does not stand. The row
// remembers that for longer than its trail: the same told again would be another event.
func (d *step) refuse(a *leadroute.RepAction) {
	s := d.s
	if s.Class == "" || s.Phase == Asking || mutant.On("ledger-refusal-untold") { // a stub knows nothing that could be told, nor does who is not decided
		return
	}
	n := hash(string(a.Rep), a.Action)
	if s.Refused == nil || s.Refused.Rev != s.Rev {
		s.Refused = &Refused{Rev: s.Rev}
	}
	if slices.Contains(s.Refused.Said, n) || len(s.Refused.Said) == maxRefused {
		return
	}
	s.Refused.Said = append(s.Refused.Said, n)
	reason := string(s.Phase)
	if s.Phase == Owned {
		reason = "with " + string(s.Owner())
	}
	d.touch()
	told := hash(string(a.Rep), a.Action, strconv.FormatInt(int64(a.At), 36)) // a replay may tell of another time that it was said
	d.record(TrailStep{Step: leadroute.StepRefused, N: told, At: a.At, Rep: a.Rep, Outcome: a.Action, Reason: reason})
}

func (d *step) act(a *leadroute.RepAction) {
	s := d.s
	if s == nil || s.Claim == nil || s.Claim.ID.Rep != a.Rep {
		return
	}
	switch a.Action {
	case leadroute.ActionResponded:
		if s.Phase != Owned || s.Responded {
			return
		}
		ran := d.clocks()
		if t := find(ran, &leadroute.Timer{Kind: leadroute.TimerAnswer}); t != nil && d.at > t.Due {
			d.late() // its timer is on the way
		}
		s.Responded = true
		d.touch()
		d.record(TrailStep{Step: leadroute.StepResponded, At: a.At, Rep: a.Rep})
		d.resolve()
		d.reclock(ran)
	case leadroute.ActionClosed:
		if s.Phase != Owned {
			return
		}
		ran := d.clocks()
		d.endHold()
		d.touch()
		d.record(TrailStep{Step: leadroute.StepClosed, At: a.At, Rep: a.Rep})
		if !s.Responded {
			d.resolve()
		}
		d.release(leadroute.Release{Claim: s.Claim.ID, Counted: d.counted()})
		s.Phase = Closed
		d.reclock(ran)
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

// takeBack ends the revision: it releases the owner's claim and raises the revision. Who
// gets a lead that was responded to is asked afresh.
func (d *step) takeBack() {
	s := d.s
	pending := s.Pending
	d.letPendingGo(reasonMovedOn)
	if sh := s.Shared; sh != nil {
		sh.To, sh.Passed, sh.Turns = "", nil, 0
	}
	s.Prev, s.Paused, s.Next = nil, 0, false
	if pending != nil {
		s.Prev = &leadroute.Release{Claim: pending.Claim}
	}
	if s.Claim != nil {
		s.Prev = &leadroute.Release{Claim: s.Claim.ID, Counted: d.counted()}
		if !mutant.On("ledger-revise-no-release") {
			d.release(*s.Prev)
		}
		s.Claim = nil
	}
	d.unopen()
	d.stopWaiting()
	for i := range s.Dests {
		d.stopRetry(&s.Dests[i])
	}
	s.Rev++
	s.Try, s.Declined = 0, nil
	if s.Responded {
		s.afresh()
	}
	d.touch()
}
