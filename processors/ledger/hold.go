package ledger

import (
	"slices"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// Held is an operator's hold that stands. The lead is offered to nobody and moved by no
// clock; an owner keeps it, and its deliveries go on.
type Held struct {
	From   leadroute.Millis `json:"f"`
	Until  leadroute.Millis `json:"u,omitempty"` // 0: until it is released
	By     string           `json:"b,omitempty"`
	Reason string           `json:"r,omitempty"`
}

// Rest is a hold that is over: what the clocks leave out.
type Rest struct {
	From  leadroute.Millis `json:"f"`
	Until leadroute.Millis `json:"u"`
}

const (
	maxRests = 16 // holds of one lead
	maxAsks  = 8  // requests that a row remembers
)

// Why a request to hold a lead, or to end that, does not stand. A lead that is closed or
// dead is said to be so.
const (
	whyHeld     = "held"
	whyNotHeld  = "not_held"
	whyTooOften = "too_often"
	untilOver   = "until" // who ended a hold that had an end
)

// askedToHold answers an operator's request.
func (d *step) askedToHold(m *leadroute.Hold) {
	r := &leadroute.Reply{Lead: d.id, Known: d.s != nil}
	if d.s != nil {
		r.Refused = d.holdOrNot(m)
		r.Agreed, r.Owner = r.Refused == "", d.s.Owner()
	}
	if m.Reply != "" {
		d.send(leadroute.TopicReplies, m.Reply, r)
	}
}

// holdOrNot does what is asked, or says why not. A request that was done is not done again:
// another one may have come since.
func (d *step) holdOrNot(m *leadroute.Hold) (why string) {
	s, ask := d.s, hash(m.ID)
	switch {
	case slices.Contains(s.Asks, ask):
		return ""
	case !s.Open(), s.Phase == Asking: // of which no event can tell yet: its class may change
		return string(s.Phase)
	case m.Over && s.Held == nil:
		return whyNotHeld
	case m.Over:
		d.letGoOn(ask, m.By, m.Reason)
	case s.Held != nil:
		return whyHeld
	case len(s.Rests) >= maxRests:
		return whyTooOften
	default:
		d.hold(ask, m)
	}
	if len(s.Asks) >= maxAsks {
		s.Asks = slices.Delete(s.Asks, 0, 1)
	}
	s.Asks = append(s.Asks, ask)
	return ""
}

// hold lets the lead rest. What is out is not waited for: a rep who accepts it is released.
func (d *step) hold(ask uint64, m *leadroute.Hold) {
	s := d.s
	ran := d.clocks()
	d.unopen()
	if s.Queue != "" {
		d.cancelWaitTimers()
	}
	if s.Phase == Confirming {
		d.letPendingGo(whyHeld)
		s.Phase = Offering
	}
	if s.Shared != nil {
		s.Shared.To = ""
	}
	if s.Phase == Offering && !mutant.On("ledger-hold-accepts") {
		s.Try++
	}
	s.Declined = nil
	s.Held = &Held{From: d.at, Until: m.Until, By: m.By, Reason: m.Reason}
	d.touch()
	d.record(TrailStep{Step: leadroute.StepHeld, N: ask, Rep: s.Owner(), Queue: s.Queue, Outcome: m.By, Reason: m.Reason})
	d.sendHold()
	d.leave()
	d.reclock(ran)
}

// letGoOn ends the hold: the lead goes on where it was, and its clocks with what was left.
func (d *step) letGoOn(ask uint64, by, reason string) {
	s := d.s
	d.endHold()
	d.touch()
	d.record(TrailStep{Step: leadroute.StepUnheld, N: ask, Rep: s.Owner(), Queue: s.Queue, Outcome: by, Reason: reason})
	switch s.Phase {
	case Offering:
		if s.Queue != "" { // it was being woken: it waits on
			s.Phase = Waiting
			d.sendWaitTimers()
			break
		}
		d.offerAnew(s.Target)
	case Waiting:
		d.sendWaitTimers()
	case Asking, Confirming, Owned, Closed, Dead, Duplicate:
	}
	d.sendClocks()
}

// endHold notes for how long the lead has rested.
func (d *step) endHold() {
	s := d.s
	if s.Held == nil {
		return
	}
	if s.Held.Until != 0 {
		d.cancel(d.holdTimer())
	}
	s.Rests = append(s.Rests, Rest{s.Held.From, d.at})
	s.Held = nil
}

func (d *step) holdTimer() *leadroute.Timer {
	return &leadroute.Timer{Lead: d.id, Kind: leadroute.TimerHold, Rev: d.s.Rev, Due: d.s.Held.Until}
}

func (d *step) sendHold() {
	if d.s.Held.Until == 0 || mutant.On("ledger-hold-forgets-until") {
		return
	}
	t := d.holdTimer()
	d.send(leadroute.TopicTimers, t.Key(), t)
}

// holdDue is the end of a hold, if that is the one that stands.
func (d *step) holdDue(t *leadroute.Timer) {
	h := d.s.Held
	switch {
	case h == nil || h.Until == 0:
		d.cancel(t)
	case d.at < h.Until && t.Due != h.Until:
		d.sendHold()
	default:
		d.letGoOn(hash(untilOver, strconv.FormatInt(int64(h.From), 10)), untilOver, "")
	}
}

// after is when span has passed within the hours since from, without the time that the lead
// rested; 0: never.
func (s *State) after(h *plan.Hours, from leadroute.Millis, span time.Duration) leadroute.Millis {
	due := leadroute.At(h.After(from.Time(), span))
	for _, r := range s.Rests {
		if due == 0 || r.Until <= from || r.From >= due || mutant.On("ledger-hold-clocks-run") {
			continue
		}
		due = leadroute.At(h.After(due.Time(), h.Between(max(r.From, from).Time(), r.Until.Time())))
	}
	return due
}
