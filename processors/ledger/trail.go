package ledger

import "github.com/leadroute/leadroute"

// trailLen is how many steps a row remembers; the whole trail lives in ClickHouse.
const trailLen = 16

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
	if n := len(s.Trail); n > 0 {
		t.Prev = leadroute.Elapsed(s.Trail[n-1].At, t.At)
	}
	if len(s.Trail) >= trailLen {
		s.Trail = append(s.Trail[:0], s.Trail[len(s.Trail)-trailLen+1:]...)
	}
	s.Trail = append(s.Trail, t)
	d.send(leadroute.TopicEvents, string(d.id), d.event(t))
}

// retell sends the events of the remembered steps again: a crash may have lost some.
func (d *step) retell() {
	for _, t := range d.s.Trail {
		d.send(leadroute.TopicEvents, string(d.id), d.event(t))
	}
}

func (d *step) event(t TrailStep) *leadroute.LatencyEvent {
	s := d.s
	sla := s.SLA
	if p := d.plan().Destination(t.Dest); p != nil && !p.Primary {
		sla = 0
	}
	return &leadroute.LatencyEvent{
		Lead: d.id, Rev: t.Rev, Step: t.Step, N: t.N,
		Class: s.Class, Source: s.Source, Rule: s.Rule, Territory: s.Territory, Pool: t.Pool, Queue: t.Queue, Rep: t.Rep,
		Destination: t.Dest, Attempt: t.Attempt, Outcome: t.Outcome, Reason: t.Reason, Plan: s.Plan,
		EmittedAt: s.Emitted, ReceivedAt: s.Received, At: t.At,
		SinceEmit: leadroute.Elapsed(s.since(), t.At), SincePrev: t.Prev, SLA: sla,
	}
}
