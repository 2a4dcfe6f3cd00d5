package ledger

import (
	"cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// wait lets the lead wait in queue q. Coming back after a vain wake changes nothing but
// the phase: the timers still stand.
func (d *step) wait(q leadroute.QueueID) {
	s := d.s
	s.Phase, s.Declined = Waiting, nil
	if s.Queue == q {
		return
	}
	s.Queue, s.Queued = q, d.at
	d.record(TrailStep{Step: leadroute.StepQueued, N: hash(string(q))<<16 | uint64(s.Try&0xffff), Queue: q})
	d.park()
	d.sendWaitTimers()
	d.leave()
	d.breach()
}

// sendWaitTimers sets the timers that a waiting lead has: the wake and, where the queue
// bounds the wait, its end.
func (d *step) sendWaitTimers() {
	if d.s.Held != nil {
		return
	}
	w := d.wakeTimer()
	d.send(leadroute.TopicTimers, w.Key(), w)
	if e := d.endOfWait(); e != nil {
		d.send(leadroute.TopicTimers, e.Key(), e)
	}
}

func (d *step) wakeTimer() *leadroute.Timer {
	s := d.s
	p := d.place(s.Queue)
	return &leadroute.Timer{
		Lead: d.id, Kind: leadroute.TimerWake, Name: string(s.Queue), Rev: s.Rev,
		Deadline: p.Deadline, Rank: p.Rank, Order: p.Order, Since: s.Queued,
	}
}

// place is where the lead stands, or would, among those in queue q. It does not move while
// the lead waits.
func (d *step) place(q leadroute.QueueID) *leadroute.Place {
	s := d.s
	p := &leadroute.Place{Lead: d.id, Queue: q, Deadline: cmp.Or(s.deadline(), s.since())}
	v := d.plan()
	if def := v.Queues[q]; def != nil && !mutant.On("ledger-queue-order-ignored") {
		switch def.Order {
		case plan.ByPriority:
			p.Rank = v.Rank(s.Class)
		case plan.ByArrival:
			p.Order = s.Received
		case plan.ByDeadline:
		}
	}
	return p
}

// queue is where the lead waits, or would if nobody takes it.
func (s *State) queue() leadroute.QueueID {
	if s.Queue != "" {
		return s.Queue
	}
	for _, t := range s.Targets {
		if t.Queue != "" {
			return t.Queue
		}
	}
	return plan.UnassignedQueue
}

// endOfWait is nil where the queue does not bound the wait.
func (d *step) endOfWait() *leadroute.Timer {
	s := d.s
	q := d.plan().Queues[s.Queue]
	if q == nil || q.MaxWait <= 0 || q.Then == nil {
		return nil
	}
	return &leadroute.Timer{Lead: d.id, Kind: leadroute.TimerExpire, Name: string(s.Queue), Rev: s.Rev, Due: s.after(nil, s.Queued, q.MaxWait)}
}

// stopWaiting takes the lead out of its queue.
func (d *step) stopWaiting() {
	s := d.s
	if s.Queue == "" {
		return
	}
	d.cancelWaitTimers()
	s.Queue, s.Queued, s.Parked = "", 0, 0
}

func (d *step) cancelWaitTimers() {
	d.cancel(d.wakeTimer())
	if e := d.endOfWait(); e != nil {
		d.cancel(e)
	}
}

// cancel takes a timer back: a tombstone under its key.
func (d *step) cancel(t *leadroute.Timer) { d.send(leadroute.TopicTimers, t.Key(), nil) }

// due is a timer that fired. One that the row no longer knows is cancelled.
func (d *step) due(t *leadroute.Timer) {
	s := d.s
	if s == nil {
		d.cancel(t)
		return
	}
	if d.at < t.Due && !mutant.On("ledger-fires-early") {
		return // from an instance whose clock is ahead: it comes again
	}
	if s.Held != nil && (t.Kind == leadroute.TimerWake || t.Kind == leadroute.TimerExpire) {
		d.cancel(t) // it is set again when the hold is over
		return
	}
	switch t.Kind {
	case leadroute.TimerHold:
		d.holdDue(t)
	case leadroute.TimerWake:
		d.wake(t)
	case leadroute.TimerExpire:
		d.waitIsOver(t)
	case leadroute.TimerRetry:
		d.retryDue(t)
	case leadroute.TimerClaim:
		d.claimDue(t)
	case leadroute.TimerStep, leadroute.TimerAccept, leadroute.TimerAnswer:
		d.clockDue(t)
	default:
		d.cancel(t)
	}
}

// waits tells whether the timer is of the queue that the lead is in.
func (s *State) waits(t *leadroute.Timer) bool {
	return (s.Phase == Waiting || s.Phase == Offering || s.Phase == Confirming) && t.Rev == s.Rev && s.Queue != "" && t.Name == string(s.Queue)
}

// stale cancels a timer that the row does not know, unless another one of the same key stands.
func (d *step) stale(t *leadroute.Timer) {
	if t.Name != string(d.s.Queue) || mutant.On("ledger-stale-timer-cancels") {
		d.cancel(t)
	}
}

// wake offers the lead again. While an offer is out it changes nothing.
func (d *step) wake(t *leadroute.Timer) {
	if !d.s.waits(t) {
		d.stale(t)
		return
	}
	if d.s.Phase == Waiting {
		d.breach()
		if len(d.s.list(d.plan())) > 0 {
			d.offerAnew(0)
		}
	}
}

// waitIsOver sends the lead where its queue sends those who waited too long.
func (d *step) waitIsOver(t *leadroute.Timer) {
	s := d.s
	q := d.plan().Queues[leadroute.QueueID(t.Name)]
	if !s.waits(t) {
		d.stale(t)
		return
	}
	if q == nil || q.Then == nil {
		d.cancel(t)
		return
	}
	if s.Phase == Confirming { // somebody has it, if those who share it agree: the timer comes again
		return
	}
	if e := d.endOfWait(); e != nil && d.at < e.Due && t.Due != e.Due { // of before the lead was held
		d.send(leadroute.TopicTimers, e.Key(), e)
		return
	}
	d.unopen()
	d.stopWaiting()
	if q.Then.Queue != "" { // another place to wait, with the lead's own targets
		d.touch()
		d.wait(q.Then.Queue)
		return
	}
	s.retarget([]plan.Target{*q.Then})
	d.offerAnew(0)
}
