package ledger

import (
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// A row remembers its last steps, and more of them while a crash can still take back what was
// told, up to a bound; the whole trail lives in ClickHouse.
const (
	trailLen  = 16
	trailMost = 64
)

// TrailStep is what the row remembers of a step, enough to write its event again.
type TrailStep struct {
	Step    leadroute.Step          `json:"s"`
	Rev     int                     `json:"r,omitempty"`
	N       uint64                  `json:"n,omitempty"`
	At      leadroute.Millis        `json:"a"`
	Prev    int64                   `json:"v,omitempty"` // ms since the step before
	Pool    leadroute.PoolID        `json:"p,omitempty"`
	Queue   leadroute.QueueID       `json:"q,omitempty"`
	Rep     leadroute.RepID         `json:"e,omitempty"`
	Dest    leadroute.DestinationID `json:"d,omitempty"`
	Attempt int                     `json:"t,omitempty"`
	Outcome string                  `json:"o,omitempty"`
	Reason  string                  `json:"x,omitempty"`
	Aside   bool                    `json:"i,omitempty"` // at a destination that is not the primary: no SLA counts it
}

// record adds a step to the trail and sends its event. Rev defaults to the row's, At to now.
func (d *step) record(t TrailStep) {
	s := d.s
	if t.Rev == 0 {
		t.Rev = s.Rev
	}
	if t.At == 0 {
		t.At = d.at
	}
	if p := d.plan().Destination(t.Dest); p != nil && !p.Primary {
		t.Aside = true
	}
	if n := len(s.Trail); n > 0 {
		t.Prev = leadroute.Elapsed(s.Trail[n-1].At, t.At)
	}
	for len(s.Trail) >= trailLen && (len(s.Trail) >= trailMost || s.Trail[0].At.Add(trailKept) <= d.at) {
		s.Trail = slices.Delete(s.Trail, 0, 1)
	}
	s.Trail = append(s.Trail, t)
	d.told++
	d.tell(t)
}

// tell sends a step's event; that of a decision holds all that makes it again.
func (d *step) tell(t TrailStep) {
	e := d.s.event(d.id, t)
	if t.Step == leadroute.StepDecided {
		e.Decision = d.s.decision()
	}
	d.send(leadroute.TopicEvents, string(d.id), e)
	if t.Step == leadroute.StepNotified && !strings.HasPrefix(t.Reason, claimReason) { // else each rep is told
		d.send(leadroute.TopicNotifications, string(d.id), d.notification(t, e.ID()))
	}
}

// notification has a channel told; a replay says it again under the same id.
func (d *step) notification(t TrailStep, id string) *leadroute.Notification {
	s := d.s
	as := s.as(t.Rev)
	return &leadroute.Notification{ID: id, Channel: t.Outcome, Reason: t.Reason, At: t.At, Resolve: t.Reason == leadroute.ReasonResolved, Delivery: leadroute.Delivery{
		Lead: d.id, Rev: t.Rev, Owner: t.Rep, Class: as.Class, Territory: as.Territory, Rule: as.Rule, Pool: t.Pool, Queue: t.Queue, Plan: as.Plan, Source: s.Source,
		EmittedAt: s.Emitted, ReceivedAt: s.Received, Deadline: s.deadline(), Fields: s.fields(),
	}}
}

// Decided is the event of the lead's last decision with all that makes it again, nil once
// the row does not remember it.
func (s *State) Decided(id leadroute.LeadID) *leadroute.LatencyEvent {
	for _, t := range slices.Backward(s.Trail) {
		if log := s.decision(); t.Step == leadroute.StepDecided && log != nil {
			e := s.event(id, t)
			e.Decision = log
			return e
		}
	}
	return nil
}

// decision is the log of what was decided, nil once the row has let the lead's fields go.
func (s *State) decision() *leadroute.Decision {
	if len(s.Fields) == 0 {
		return nil
	}
	targets := s.Targets
	if s.Named != nil {
		targets = s.Named
	}
	said, err := leadroute.Encode(&plan.Decision{
		Class: s.Class, DeliverWithin: time.Duration(s.SLA) * time.Millisecond, Territory: s.Territory, Rule: s.Rule, Targets: targets, Arm: s.Arm,
	})
	if err != nil {
		return nil // texts and numbers: there is nothing that could not be written
	}
	log := &leadroute.Decision{Fields: s.Fields, Said: said}
	if s.Seen != nil && (s.Seen.Account != nil || s.Seen.Found != nil || s.Seen.Free != nil) {
		log.Seen, _ = leadroute.Encode(s.Seen)
	}
	return log
}

// retell sends the events of the remembered steps again: a crash may have lost some.
func (d *step) retell() {
	for _, t := range d.s.Trail {
		if mutant.On("ledger-retells-as-now") {
			t.At = d.at
		}
		d.tell(t)
	}
}

// Events are the remembered steps as they were sent, oldest first. The whole trail lives
// in ClickHouse, a second or so behind.
func (s *State) Events(id leadroute.LeadID) []leadroute.LatencyEvent {
	out := make([]leadroute.LatencyEvent, len(s.Trail))
	for i, t := range s.Trail {
		out[i] = *s.event(id, t)
	}
	return out
}

func (s *State) event(id leadroute.LeadID, t TrailStep) *leadroute.LatencyEvent {
	as := s.as(t.Rev)
	if t.Aside {
		as.SLA = 0
	}
	return &leadroute.LatencyEvent{
		Lead: id, Rev: t.Rev, Step: t.Step, N: t.N,
		Class: as.Class, Source: s.Source, Rule: as.Rule, Territory: as.Territory, Pool: t.Pool, Queue: t.Queue, Rep: t.Rep,
		Destination: t.Dest, Attempt: t.Attempt, Outcome: t.Outcome, Reason: t.Reason, Plan: as.Plan,
		EmittedAt: s.Emitted, ReceivedAt: s.Received, At: t.At,
		SinceEmit: leadroute.Elapsed(s.since(), t.At), SincePrev: t.Prev, SLA: as.SLA,
	}
}
