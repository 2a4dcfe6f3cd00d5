// Package queues owns what is known of each queue as a whole: how many wait, who has waited
// longest, and whether somebody was told. Each partition's clock says what it sees; which
// lead is offered next is the clock's, and whether one waits the ledger's.
package queues

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// State is a queue's row; there is none while nobody waits.
type State struct {
	// Parts is what the partitions' clocks saw last, by partition, of those where leads wait.
	Parts []Part `json:"parts"`
	// Told is the alert that stands: it is not repeated until the queue is relieved.
	Told *Told `json:"told,omitempty"`
}

// Part is what one partition's clock saw.
type Part struct {
	leadroute.QueueSeen
	At leadroute.Millis `json:"at"`
}

// Told is whom an alert was about, and when it was given.
type Told struct {
	Lead    leadroute.LeadID `json:"lead"`
	Rev     int              `json:"rev"`
	Since   leadroute.Millis `json:"since"`
	Waiting int              `json:"waiting"`
	At      leadroute.Millis `json:"at"`
	// Partition and Seen name what was said that gave the alert.
	Partition int32            `json:"partition"`
	Seen      leadroute.Millis `json:"seen,omitempty"`
}

// Every is how often a clock says what it sees of a queue, and fresh how long that counts:
// a partition of which nobody speaks any more has no lead that waits there.
const (
	Every = 2 * time.Second
	fresh = 10 * Every
)

// Lately is the row without what no clock says any more.
func (s *State) Lately(at leadroute.Millis) *State {
	parts := slices.DeleteFunc(slices.Clone(s.Parts), func(p Part) bool { return at >= p.At.Add(fresh) })
	return &State{Parts: parts, Told: s.Told}
}

// Waiting is how many leads wait.
func (s *State) Waiting() int {
	n := 0
	for i := range s.Parts {
		n += s.Parts[i].Waiting
	}
	return n
}

// Oldest is the partition whose oldest lead has waited longest, nil if there is none.
func (s *State) Oldest() *Part {
	var oldest *Part
	for i := range s.Parts {
		p := &s.Parts[i]
		if p.Since != 0 && (oldest == nil || cmp.Or(cmp.Compare(p.Since, oldest.Since), cmp.Compare(p.Oldest, oldest.Oldest)) < 0) {
			oldest = p
		}
	}
	return oldest
}

// Next is where the lead stands that is served first, nil if none waits.
func (s *State) Next() *leadroute.Place {
	var next *leadroute.Place
	for i := range s.Parts {
		if p := s.Parts[i].Next; p != nil && (next == nil || p.Compare(*next) < 0) {
			next = p
		}
	}
	return next
}

// Env is what a decision may read besides the row and the message.
type Env struct {
	// Plan returns the plan in force; never nil.
	Plan func() *plan.Plan
}

// Apply takes in what a clock saw, and has the queue's channels told, once, when its oldest
// lead has waited for as long as alert_after says. They are told again only after the queue
// was relieved: no lead had waited for so long. It owns s and may change it in place.
//
// If the message may be a replay, the alert that it gave is sent again under its id.
func Apply(env Env, id leadroute.QueueID, s *State, m *leadroute.QueueMessage, at leadroute.Millis, replay bool) (*State, []leadroute.Effect) {
	if m.Seen == nil {
		return s, nil
	}
	if s == nil {
		s = &State{}
	}
	s.see(m.Seen, at)
	p := env.Plan()
	q := p.Queues[id]
	oldest := s.Oldest()
	var out []leadroute.Effect
	switch overdue := q != nil && q.AlertAfter > 0 && oldest != nil && at >= oldest.Since.Add(q.AlertAfter); {
	case !overdue && s.Told != nil && !mutant.On("queues-never-relieved"):
		s.Told = nil
	case overdue && (s.Told == nil || mutant.On("queues-alert-repeats")):
		s.Told = &Told{
			Lead: oldest.Oldest, Rev: oldest.Rev, Since: oldest.Since, Waiting: s.Waiting(), At: at,
			Partition: m.Seen.Partition, Seen: m.Seen.At,
		}
		out = tell(p, q, s.Told)
	case overdue && replay && s.Told.Partition == m.Seen.Partition && s.Told.Seen == m.Seen.At:
		out = tell(p, q, s.Told)
	}
	if len(s.Parts) == 0 && s.Told == nil {
		return nil, out
	}
	return s, out
}

// see lays in what a clock saw, and drops what is not said any more.
func (s *State) see(m *leadroute.QueueSeen, at leadroute.Millis) {
	s.Parts = slices.DeleteFunc(s.Parts, func(p Part) bool { return p.Partition == m.Partition || at >= p.At.Add(fresh) })
	if m.Waiting > 0 {
		s.Parts = append(s.Parts, Part{*m, at})
		slices.SortFunc(s.Parts, func(a, b Part) int { return cmp.Compare(a.Partition, b.Partition) })
	}
}

// tell asks for the queue's channels to be told. An alert is known by the lead that waits
// longest and since when: one that was decided twice, by an owner that crashed, has one id.
func tell(p *plan.Plan, q *plan.Queue, t *Told) []leadroute.Effect {
	var out []leadroute.Effect
	reason := "queue:" + string(q.Name) + "/alert_after"
	for _, channel := range q.Alert {
		e := &leadroute.LatencyEvent{
			Lead: t.Lead, Rev: t.Rev, Step: leadroute.StepNotified, N: hash(reason, channel, fmt.Sprint(t.Since), q.AlertAfter.String()),
			Queue: q.Name, Outcome: channel, Reason: reason, Plan: p.ID, At: t.Since.Add(q.AlertAfter), // the same whenever it is told
		}
		out = append(out,
			leadroute.Effect{Topic: leadroute.TopicEvents, Key: string(t.Lead), Value: e},
			leadroute.Effect{Topic: leadroute.TopicNotifications, Key: string(t.Lead), Value: &leadroute.Notification{
				ID: e.ID(), Channel: channel, Reason: reason, At: t.At,
				Delivery: leadroute.Delivery{Lead: t.Lead, Rev: t.Rev, Queue: q.Name, Plan: p.ID, Fields: []byte("{}")},
				Queue:    &leadroute.QueueAlert{Queue: q.Name, Waiting: t.Waiting, Since: t.Since, After: q.AlertAfter.Milliseconds()},
			}})
	}
	return out
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
