package ledger

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// deliverAll sends the committed revision to every destination that has no attempt in
// flight; the others get it when that attempt's outcome is known.
func (d *step) deliverAll() {
	for i := range d.plan().Destinations {
		p := &d.plan().Destinations[i]
		if b := d.book(p); !b.InFlight {
			d.deliver(b, p)
		}
	}
}

// park has the primary destination hold the lead under its queue's owner, if that has one.
// The queue is an owner as a rep is: it has a revision of its own, which the rep's supersedes,
// so that every destination has each revision once and goes by the highest. The lead goes on
// under the next one.
func (d *step) park() {
	s := d.s
	q, p := d.plan().Queues[s.Queue], d.plan().Primary()
	if q == nil || q.CRMID == "" || p == nil {
		return
	}
	s.Parked = s.Rev
	if !mutant.On("ledger-parked-same-revision") {
		s.Rev++
		s.Try = 0
	}
	if b := d.book(p); !b.InFlight {
		d.deliver(b, p)
	}
}

// book is the destination's, made if there is none yet.
func (d *step) book(p *plan.Destination) *Dest {
	if b := d.s.dest(p.Name); b != nil {
		return b
	}
	d.s.Dests = append(d.s.Dests, Dest{Name: p.Name})
	return &d.s.Dests[len(d.s.Dests)-1]
}

// deliver starts the attempts at one destination of the revision that it is to have.
func (d *step) deliver(b *Dest, p *plan.Destination) {
	s := d.s
	d.stopRetry(b)
	*b = Dest{Name: b.Name, Acked: b.Acked, ForQueue: b.ForQueue, Rev: s.wanted(), Limit: attempts(p), Assigned: d.at}
	if s.Claim != nil {
		b.Owner, b.OwnerCRM, b.Pool = s.Owner(), s.OwnerCRM, s.Claim.Pool
	} else if q := d.plan().Queues[s.Queue]; q != nil {
		b.OwnerCRM, b.Queue = q.CRMID, q.Name
	}
	d.attempt(b)
}

func attempts(p *plan.Destination) int {
	if p == nil || p.Attempts <= 0 {
		return plan.DefaultAttempts
	}
	return p.Attempts
}

func (d *step) attempt(b *Dest) {
	b.Attempt++
	b.InFlight, b.Retry = true, 0
	d.sendAttempt(b)
}

// sendAttempt sends the attempt that the book says is in flight.
func (d *step) sendAttempt(b *Dest) {
	d.send(leadroute.Deliveries(b.Name, d.s.Class), string(d.id), d.delivery(b))
}

func (d *step) delivery(b *Dest) *leadroute.Delivery {
	s := d.s
	return &leadroute.Delivery{
		Lead: d.id, Rev: b.Rev, Destination: b.Name, Attempt: b.Attempt, Owner: b.Owner, OwnerCRM: b.OwnerCRM, Pool: b.Pool, Queue: b.Queue,
		Class: s.Class, Territory: s.Territory, Rule: s.Rule, Plan: s.Plan, Source: s.Source, EmittedAt: s.Emitted, ReceivedAt: s.Received,
		Deadline: s.deadline(), AssignedAt: b.Assigned, Fields: s.fields(), Again: b.Again,
	}
}

// resend sends again what is outstanding at one destination.
func (d *step) resend(b *Dest) {
	switch {
	case b.InFlight:
		d.sendAttempt(b)
	case b.Retry != 0:
		t := d.retryTimer(b)
		d.send(leadroute.TopicTimers, t.Key(), t)
	}
}

func (d *step) retryTimer(b *Dest) *leadroute.Timer {
	return &leadroute.Timer{
		Lead: d.id, Kind: leadroute.TimerRetry, Name: string(b.Name), Rev: b.Rev, N: b.Attempt + 1, Due: b.Retry, Deadline: d.s.deadline(),
	}
}

func (d *step) stopRetry(b *Dest) {
	if b.Retry != 0 {
		d.cancel(d.retryTimer(b))
		b.Retry = 0
	}
}

// outcome books how an attempt ended and decides what follows.
func (d *step) outcome(o *leadroute.Outcome) {
	s := d.s
	if s == nil {
		return
	}
	b := s.dest(o.Destination)
	if b == nil {
		return
	}
	if !b.InFlight || o.Rev != b.Rev || o.Attempt != b.Attempt {
		d.oldOutcome(b, o)
		return
	}
	b.InFlight = false
	d.touch()
	p := d.plan().Destination(b.Name)
	said := TrailStep{Rev: o.Rev, N: attemptN(b.Name, o.Attempt), At: o.At, Dest: b.Name, Queue: b.Queue, Attempt: o.Attempt, Outcome: status(o), Reason: o.Reason}
	as := func(step leadroute.Step) TrailStep {
		said.Step = step
		return said
	}
	switch {
	case o.Result == leadroute.ResultDelivered:
		first := !b.owned()
		if o.Rev > b.Acked {
			b.ForQueue = b.Queue != "" && first
			b.Acked, b.AckedAt = o.Rev, o.At
		}
		said.Reason = ""
		if b.Queue != "" && !mutant.On("ledger-parked-counts") { // no rep has it: no SLA counts that
			d.record(as(leadroute.StepParked))
		} else {
			d.record(as(leadroute.StepDelivered))
		}
		if p != nil && p.Primary && o.Rev == s.Rev {
			d.acknowledged(b.AckedAt, first)
		}
	case o.Rev < s.Rev && o.Rev != s.wanted():
		d.record(as(leadroute.StepSuperseded))
	case o.Result == leadroute.ResultRetry && (o.Attempt < b.Limit || mutant.On("ledger-attempts-restart")):
		d.record(as(leadroute.StepAttemptFailed))
		d.retryLater(b, p, o)
		d.breach()
	default:
		d.record(as(leadroute.StepAttemptFailed))
		b.Dead = true
		said.At, said.Outcome = 0, ""
		d.record(as(leadroute.StepDeadLettered))
		d.sendDeadDelivery(b)
		d.breach()
	}
	old := mutant.On("ledger-old-ack-closes") && b.Acked > 0
	if p != nil && b.Rev < s.wanted() && (s.Claim != nil || p.Primary) && !old {
		d.deliver(b, p) // the newer revision waited for this outcome
	}
	d.finishIfSettled()
}

// oldOutcome is a copy of an outcome that was booked before, or an old revision that
// reached the destination after a newer one was acknowledged (a stalled worker's late
// call): where the destination keeps whatever came last, the newer one must come again.
func (d *step) oldOutcome(b *Dest, o *leadroute.Outcome) {
	if o.Result == leadroute.ResultDelivered && o.Rev < b.Acked && !b.InFlight && b.Retry == 0 && !b.Dead && len(d.s.Fields) > 0 {
		d.touch()
		b.Limit = max(b.Limit, b.Attempt+1)
		b.Again++
		d.attempt(b)
	}
}

func (d *step) retryLater(b *Dest, p *plan.Destination, o *leadroute.Outcome) {
	lo, hi := plan.DefaultBackoffMin, plan.DefaultBackoffMax
	if p != nil && p.BackoffMin > 0 {
		lo = p.BackoffMin
	}
	if p != nil && p.BackoffMax > 0 {
		hi = p.BackoffMax
	}
	wait := plan.Backoff(lo, hi, o.Attempt, string(d.id)+"/"+strconv.Itoa(o.Rev)+"/"+string(b.Name))
	b.Retry = max(d.at.Add(max(wait, time.Millisecond)), o.RetryAfter)
	if mutant.On("ledger-retry-forgets-timer") {
		return
	}
	t := d.retryTimer(b)
	d.send(leadroute.TopicTimers, t.Key(), t)
}

// retryDue sends the next attempt. A late copy of an earlier firing must not cancel the
// timer that stands under the same key now.
func (d *step) retryDue(t *leadroute.Timer) {
	b := d.s.dest(leadroute.DestinationID(t.Name))
	switch {
	case b == nil:
		d.cancel(t)
	case b.Retry != 0 && t.Rev == b.Rev && t.N == b.Attempt+1:
		d.cancel(t)
		d.touch()
		d.attempt(b)
	case b.Retry == 0 || mutant.On("ledger-stale-timer-cancels"):
		d.cancel(t)
	}
}

// sendDeadDelivery puts the given-up delivery into the dead letters, whole.
func (d *step) sendDeadDelivery(b *Dest) {
	v := d.delivery(b)
	payload, err := json.Marshal(v)
	if err != nil {
		payload = nil // Fields is valid JSON by the door's check; without it the letter still names the lead
	}
	d.send(leadroute.TopicDeadLetters, string(d.id), &leadroute.DeadLetter{
		ID: string(d.id) + "/" + strconv.Itoa(b.Rev) + "/" + string(b.Name), Kind: leadroute.DeadDelivery, Stage: "deliver",
		Lead: d.id, Rev: b.Rev, Destination: b.Name, Class: d.s.Class, Attempts: b.Attempt, Reason: d.s.gaveUp(b.Name), At: d.s.Last, Payload: payload,
	})
}

// redeliver takes a delivery, or the lead itself, out of the dead letters.
func (d *step) redeliver(m *leadroute.Redeliver) {
	s := d.s
	if s == nil {
		return
	}
	if m.Destination == "" {
		if s.Phase != Dead || m.Rev != s.Rev || len(s.Fields) == 0 {
			return
		}
		s.Rev++
		s.Try, s.Done, s.Queue, s.Parked, s.Trail = 0, 0, "", 0, nil
		s.Rests, s.Asks, s.Before = nil, nil, nil
		s.afresh()
		s.Revived = d.at
		s.Plan = d.env.Plan("").ID
		d.touch()
		d.decide()
		return
	}
	b := s.dest(m.Destination)
	if b == nil || !b.Dead || b.Rev != m.Rev || b.Rev != s.wanted() {
		return
	}
	b.Dead = false
	b.Limit = b.Attempt + attempts(d.plan().Destination(b.Name))
	d.touch()
	d.attempt(b)
}

// breach says, once, that deliver_within was missed, if nobody was acknowledged yet: a lead
// that moves on later was in time.
func (d *step) breach() {
	s := d.s
	if p := d.plan().Primary(); p != nil {
		if b := s.dest(p.Name); b != nil && b.owned() {
			return
		}
	}
	d.breached(d.at)
}

func (d *step) breached(at leadroute.Millis) {
	s := d.s
	if s.Breached || s.SLA == 0 || at <= s.deadline() {
		return
	}
	s.Breached = true
	d.touch()
	d.record(TrailStep{Step: leadroute.StepBreached})
}

// attemptN tells the attempts of different destinations apart in one revision.
func attemptN(name leadroute.DestinationID, attempt int) uint64 {
	return hash(string(name))<<16 | uint64(attempt&0xffff)
}

func status(o *leadroute.Outcome) string {
	if o.Status == 0 {
		return string(o.Result)
	}
	return strconv.Itoa(o.Status)
}
