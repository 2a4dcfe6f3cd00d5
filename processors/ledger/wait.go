package ledger

import (
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
	d.sendWaitTimers()
	d.leave()
	d.breach()
}

// sendWaitTimers sets the timers that a waiting lead has: the wake and, where the queue
// bounds the wait, its end.
func (d *step) sendWaitTimers() {
	w := d.wakeTimer()
	d.send(leadroute.TopicTimers, w.Key(), w)
	if e := d.endOfWait(); e != nil {
		d.send(leadroute.TopicTimers, e.Key(), e)
	}
}

func (d *step) wakeTimer() *leadroute.Timer {
	s := d.s
	order := s.deadline()
	if order == 0 {
		order = s.since()
	}
	return &leadroute.Timer{Lead: d.id, Kind: leadroute.TimerWake, Name: string(s.Queue), Rev: s.Rev, Deadline: order}
}

// endOfWait is nil where the queue does not bound the wait.
func (d *step) endOfWait() *leadroute.Timer {
	s := d.s
	q := d.plan().Queues[s.Queue]
	if q == nil || q.MaxWait <= 0 || q.Then == nil {
		return nil
	}
	return &leadroute.Timer{Lead: d.id, Kind: leadroute.TimerExpire, Name: string(s.Queue), Rev: s.Rev, Due: s.Queued.Add(q.MaxWait)}
}

// stopWaiting takes the lead out of its queue.
func (d *step) stopWaiting() {
	s := d.s
	if s.Queue == "" {
		return
	}
	d.cancel(d.wakeTimer())
	if e := d.endOfWait(); e != nil {
		d.cancel(e)
	}
	s.Queue, s.Queued = "", 0
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
	switch t.Kind {
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
