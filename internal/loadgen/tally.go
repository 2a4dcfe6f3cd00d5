package loadgen

import (
	"time"

	"github.com/leadroute/leadroute"
)

// Status says what became of one lead at the door.
type Status uint8

// The statuses of a lead.
const (
	Unanswered Status = iota // no answer yet: whether the door has the lead is not known
	Accepted
	AnsweredDuplicate // the door has this lead already
	Rejected
)

// Result is the door's last word on one lead.
type Result struct {
	ID    leadroute.LeadID
	Class leadroute.Class // as the door guessed it
	Code  string          // why rejected
	// AcceptedAt is in microseconds since the Unix epoch: when the 2xx came. Where an
	// attempt before it got no clear answer, it is when that attempt was sent, the
	// earliest time at which the door can have taken the lead.
	AcceptedAt int64
	Status     Status
	Attempts   uint16
}

// Tally is what the sender knows: one result per lead, by index, and what it took.
type Tally struct {
	Results []Result

	Requests    int64 // sent, whatever came of them
	Throttled   int64 // answered 429
	Unavailable int64 // answered 5xx
	Failures    int64 // not answered: refused, reset, timed out
	Started     time.Time
	Ended       time.Time
}

// Totals are the door's answers counted.
type Totals struct {
	Sent       int // leads that were answered
	Accepted   int // distinct lead ids among the 2xx: what may not be lost
	Duplicates int // 2xx for a lead id that another lead was answered with as well
	Rejected   int
	Unanswered int
}

// Totals counts. A lead whose first answer was lost and whose second said "duplicate"
// is accepted, once.
func (t *Tally) Totals() Totals {
	var s Totals
	ids := make(map[leadroute.LeadID]struct{}, len(t.Results))
	for i := range t.Results {
		switch r := &t.Results[i]; r.Status {
		case Accepted, AnsweredDuplicate:
			if _, again := ids[r.ID]; again {
				s.Duplicates++
				break
			}
			ids[r.ID] = struct{}{}
			s.Accepted++
		case Rejected:
			s.Rejected++
		case Unanswered:
			s.Unanswered++
		}
	}
	s.Sent = len(t.Results) - s.Unanswered
	return s
}

// Acknowledged is one lead id that the door answered with 2xx.
type Acknowledged struct {
	Index int   // of the first lead with this id that the door said it accepted, else of any
	At    int64 // the earliest AcceptedAt, in microseconds
	Class leadroute.Class
}

// Acknowledged returns every lead id that the door answered with 2xx.
func (t *Tally) Acknowledged() map[leadroute.LeadID]Acknowledged {
	out := make(map[leadroute.LeadID]Acknowledged, len(t.Results))
	for i := range t.Results {
		r := &t.Results[i]
		if r.Status != Accepted && r.Status != AnsweredDuplicate {
			continue
		}
		a, seen := out[r.ID]
		if !seen || r.Status == Accepted && t.Results[a.Index].Status != Accepted {
			a.Index = i
		}
		if !seen || r.AcceptedAt < a.At {
			a.At = r.AcceptedAt
		}
		if r.Class != "" {
			a.Class = r.Class
		}
		out[r.ID] = a
	}
	return out
}
