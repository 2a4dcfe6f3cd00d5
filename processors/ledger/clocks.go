package ledger

import (
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// The clocks that run while no rep has responded: a target's accept, the class's
// respond_within, and the steps of its SLA. The row says which of them stand and when each
// is due; the timers only bring them up. So a timer that comes twice, late, or not at all
// until the sweep sends it again, fires nothing twice.

// Why a lead is taken from its owner, or was answered too late.
const (
	reasonAccept = "accept"
	reasonLate   = "respond_within"
)

// clocks are the clocks that stand now, by the row.
func (d *step) clocks() []leadroute.Timer {
	s := d.s
	c := d.plan().Class(s.Class)
	if c == nil || !s.Open() || s.Responded || s.Asked == 0 || s.Held != nil {
		return nil
	}
	var out []leadroute.Timer
	add := func(kind leadroute.TimerKind, name string, n int, due leadroute.Millis) {
		if due != 0 {
			out = append(out, leadroute.Timer{Lead: d.id, Kind: kind, Name: name, Rev: s.Rev, N: n, Due: due})
		}
	}
	h := d.clockHours(c)
	acked := d.ackedAt()
	if t := s.by(); acked != 0 && t != nil && t.Accept > 0 && !byClaim(d.plan(), t) { // who claims has accepted
		add(leadroute.TimerAccept, "", 0, s.after(nil, acked, t.Accept))
	}
	if c.RespondWithin > 0 && !s.Late {
		add(leadroute.TimerAnswer, "", 0, s.after(h, s.Asked, c.RespondWithin))
	}
	for i := range c.Steps {
		st, f := &c.Steps[i], s.fired(c.Steps[i].Name)
		switch {
		case st.Every > 0 && acked != 0 && (st.AtMost == 0 || f.N < st.AtMost):
			add(leadroute.TimerStep, st.Name, f.N+1, s.after(h, max(acked, f.At), st.Every))
		case st.After > 0 && (f.N == 0 || mutant.On("ledger-step-fires-again")):
			add(leadroute.TimerStep, st.Name, f.N+1, s.after(h, s.Asked, st.After))
		}
	}
	return out
}

// clockHours are the hours in which the steps' clocks run: those of the pool that has the
// lead or, where a rep was asked by name or nobody has it, of the first of its targets'. Nil: always.
func (d *step) clockHours(c *plan.Class) *plan.Hours {
	s := d.s
	if !c.PoolHours {
		return nil
	}
	var name leadroute.PoolID
	if s.Claim != nil {
		name = s.Claim.Pool
	}
	for i := 0; name == "" && i < len(s.Targets); i++ {
		name = s.Targets[i].Pool
	}
	if p := d.plan().Pools[name]; p != nil {
		return p.Hours
	}
	return nil
}

// ackedAt is when the primary destination first acknowledged the owner of this revision; 0: not yet.
func (d *step) ackedAt() leadroute.Millis {
	p := d.plan().Primary()
	if p == nil || d.s.Phase != Owned {
		return 0
	}
	if b := d.s.dest(p.Name); b != nil && b.Acked == d.s.Rev {
		return b.AckedAt
	}
	return 0
}

// by is the target through which the owner got the lead, nil if it was none of the lead's own.
func (s *State) by() *plan.Target {
	if s.Claim == nil || s.Target < 0 || s.Target >= len(s.Targets) {
		return nil
	}
	return &s.Targets[s.Target]
}

func (s *State) fired(step string) Fired {
	for _, f := range s.Fired {
		if f.Step == step {
			return f
		}
	}
	return Fired{Step: step}
}

// count books a firing.
func (s *State) count(f Fired) {
	s.Fired = slices.DeleteFunc(s.Fired, func(have Fired) bool { return have.Step == f.Step })
	s.Fired = append(s.Fired, f)
}

// afresh forgets that anybody was ever asked.
func (s *State) afresh() {
	s.Asked, s.Fired, s.Late, s.Responded, s.Next, s.Paused = 0, nil, false, false, false, 0
}

// sendClocks sets the timers of the clocks that stand.
func (d *step) sendClocks() {
	for _, t := range d.clocks() {
		d.send(leadroute.TopicTimers, t.Key(), &t)
	}
}

// reclock sets the timers of the clocks that are due otherwise than those that ran
// before, and cancels those that stand no more.
func (d *step) reclock(ran []leadroute.Timer) {
	now := d.clocks()
	for i := range ran {
		if find(now, &ran[i]) == nil {
			d.cancel(&ran[i])
		}
	}
	for i := range now {
		if had := find(ran, &now[i]); had == nil || had.Due != now[i].Due {
			d.send(leadroute.TopicTimers, now[i].Key(), &now[i])
		}
	}
}

func find(clocks []leadroute.Timer, t *leadroute.Timer) *leadroute.Timer {
	for i := range clocks {
		if clocks[i].Kind == t.Kind && clocks[i].Name == t.Name {
			return &clocks[i]
		}
	}
	return nil
}

// acknowledged is the primary destination's acknowledgement of the current revision: the
// SLA is met or missed, and the response clocks run.
func (d *step) acknowledged(at leadroute.Millis, first bool) {
	s := d.s
	if first {
		d.breached(at)
	}
	if s.Asked == 0 && s.Phase == Owned {
		s.Asked = at
	}
	d.sendClocks()
}

// clockDue is a clock running out, if the row agrees: a late copy of an earlier firing
// must not fire the clock that stands now, nor cancel it.
func (d *step) clockDue(t *leadroute.Timer) {
	ran := d.clocks()
	stands := find(ran, t)
	switch {
	case stands == nil:
		d.cancel(t)
		return
	case d.at < stands.Due && t.Due != stands.Due:
		d.send(leadroute.TopicTimers, stands.Key(), stands)
		return
	case t.Kind == leadroute.TimerAccept:
		d.passOn(reasonAccept, nil, 0)
	case t.Kind == leadroute.TimerAnswer:
		d.late()
	default:
		d.fire(t.Name)
	}
	d.reclock(ran)
}

// fire does what the step says.
func (d *step) fire(name string) {
	s := d.s
	c := d.plan().Class(s.Class)
	st := &c.Steps[slices.IndexFunc(c.Steps, func(st plan.Step) bool { return st.Name == name })]
	f := s.fired(name)
	f.N++
	f.At = d.at
	s.count(f)
	d.touch()
	reason := "sla:" + string(c.Name) + "/" + name
	var pool leadroute.PoolID
	if s.Claim != nil {
		pool = s.Claim.Pool
	}
	for _, channel := range st.Notify {
		d.record(TrailStep{
			Step: leadroute.StepNotified, N: hash(name, channel)<<16 | uint64(f.N&0xffff), Rep: s.Owner(), Pool: pool, Queue: s.Queue,
			Outcome: channel, Reason: reason,
		})
	}
	if st.Reassign {
		d.passOn(reason, st.To, st.Pause)
	}
}

// resolve lets the channels that were told of the lead, and want to hear it, know that the
// rep has acted, or an operator has moved it.
func (d *step) resolve() {
	s := d.s
	c := d.plan().Class(s.Class)
	if c == nil || mutant.On("ledger-never-resolves") {
		return
	}
	var pool leadroute.PoolID
	if s.Claim != nil {
		pool = s.Claim.Pool
	}
	var told []string
	for i := range c.Steps {
		if s.fired(c.Steps[i].Name).N == 0 && !mutant.On("ledger-resolves-untold") {
			continue
		}
		for _, channel := range c.Steps[i].Notify {
			if !slices.Contains(told, channel) && d.plan().Channel(channel).Resolves() {
				told = append(told, channel)
				d.record(TrailStep{
					Step: leadroute.StepNotified, N: hash(leadroute.ReasonResolved, channel), Rep: s.Owner(), Pool: pool,
					Outcome: channel, Reason: leadroute.ReasonResolved,
				})
			}
		}
	}
}

// passOn takes the lead from the rep who did not respond and offers it to somebody else:
// to the given target, or to the next of its own. A lead that nobody has is on its way to
// the next anyhow.
func (d *step) passOn(reason string, to *plan.Target, pause time.Duration) {
	s := d.s
	if to == nil && s.Phase != Owned {
		return
	}
	next := 0
	if t := s.by(); t != nil {
		if next = s.Target; t.Rep != "" {
			next++
		}
	}
	d.takeBack()
	s.Next = to == nil
	d.record(TrailStep{Step: leadroute.StepReassigned, Reason: reason, Rep: s.avoid()})
	if pause > 0 && s.Prev != nil {
		s.Paused = d.at.Add(pause)
		d.sendPause()
	}
	if to == nil {
		d.offerAnew(next)
	} else {
		d.sendTo(*to)
	}
}

// sendTo lets the lead wait in a queue or offers it to a pool or rep; if nobody takes it, it
// waits in its own queue.
func (d *step) sendTo(to plan.Target) {
	s := d.s
	if to.Queue != "" {
		d.wait(to.Queue)
		return
	}
	s.retarget(append([]plan.Target{to}, slices.DeleteFunc(slices.Clone(s.Targets), func(t plan.Target) bool { return t.Queue == "" })...))
	d.offerAnew(0)
}

// sendPause keeps leads from the rep who lost this one.
func (d *step) sendPause() {
	if s := d.s; s.Paused != 0 && s.Prev != nil {
		d.send(leadroute.TopicReps, string(s.avoid()), &leadroute.RepMessage{Pause: &leadroute.Pause{Until: s.Paused}})
	}
}

// late says, once, that respond_within was missed.
func (d *step) late() {
	s := d.s
	s.Late = true
	d.touch()
	d.record(TrailStep{Step: leadroute.StepBreached, N: hash(reasonLate), Rep: s.Owner(), Reason: reasonLate})
}
