package sim

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/person"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/ledger"
)

// Decide is a plan's decision with the lead's account, nil if there is none, and what it may read of the live rep table.
type Decide func(p *plan.Plan, l *leadroute.Lead, account *leadroute.Account, live plan.Live, at leadroute.Millis) (plan.Decision, error)

// Play is a world without misfortune: one owner of each stage, everything arrives at once
// and in order, and the CRM acknowledges at once. Time moves only when told to.
type Play struct {
	w      *World
	posted int
	held   int
	tick   leadroute.Millis            // when the clock next offers the heads of the queues
	down   bool                        // the CRM
	seen   map[sight]seenAt            // what was last said of each queue
	crm    map[leadroute.LeadID]string // whom the primary destination shows as the owner
}

// Down takes the CRM down, or brings it back: while it is down it acknowledges nothing.
func (y *Play) Down(down bool) { y.down = down }

// wakeEvery is how often a Play offers the waiting leads again.
const wakeEvery = time.Second

// NewPlay makes a world that runs the plan, at time at.
func NewPlay(p *plan.Plan, at leadroute.Millis, decide Decide) *Play {
	w := newWorld(at)
	w.opt = Options{Partitions: 1}
	w.plan, w.plans = p, []*plan.Plan{p}
	w.decider = func(p *plan.Plan, l *leadroute.Lead, at leadroute.Millis) (plan.Decision, error) {
		roster := w.procs[0].view.roster
		account, found, claims := ledger.AccountOf(p, l, &company.Book{Row: w.account})
		dec, err := decide(p, l, account, roster.Live(p, at), at)
		dec.Company, dec.Seen = claims, &plan.Snapshot{Account: account, Found: found}
		return dec, err
	}
	w.build()
	w.openWorkers()
	return &Play{w: w, tick: at, seen: map[sight]seenAt{}, crm: map[leadroute.LeadID]string{}}
}

// Hire puts a rep on the floor, or changes the profile of one who is there.
func (y *Play) Hire(r leadroute.Rep, status leadroute.RepStatus) {
	y.w.send(senderOps, leadroute.TopicReps, string(r.ID), &leadroute.RepMessage{Profile: &r})
	y.w.send(senderOps, leadroute.TopicReps, string(r.ID), &leadroute.RepMessage{Status: &status})
	y.settle()
}

// Post lets a lead in.
func (y *Play) Post(l leadroute.Lead, class leadroute.Class) {
	y.posted++
	l.Receipt = fmt.Sprint("post", y.posted)
	l.Identities = person.Identities(y.w.plan, []byte("play"), &l)
	a := leadroute.Admission{Class: class, Plan: y.w.plan.ID, Lead: l}
	y.w.send(senderDoor, leadroute.TopicLedger, string(l.ID), &leadroute.LedgerMessage{Admitted: &a})
	y.settle()
}

// Respond lets the lead's owner respond; it is false where nobody owns it.
func (y *Play) Respond(lead leadroute.LeadID) bool {
	s := y.Lead(lead)
	if s == nil || s.Owner() == "" {
		return false
	}
	y.w.send(senderDesk, leadroute.TopicLedger, string(lead), &leadroute.LedgerMessage{
		Action: &leadroute.RepAction{Action: leadroute.ActionResponded, Rep: s.Owner(), At: y.w.now},
	})
	y.settle()
	return true
}

// Claim lets a rep claim a lead, and returns what the rep is told.
func (y *Play) Claim(lead leadroute.LeadID, rep leadroute.RepID) *leadroute.Reply {
	y.w.claims.bids++
	key := fmt.Sprintf("%s/%s/%d", rep, lead, y.w.claims.bids)
	y.w.send(senderDesk, leadroute.TopicLedger, string(lead), &leadroute.LedgerMessage{Bid: &leadroute.Bid{Rep: rep, At: y.w.now, Reply: key}})
	y.settle()
	return y.w.claims.said
}

// Hold has an operator hold a lead until a time (0: until it is released), or let it go on;
// it is false where the ledger does not agree.
func (y *Play) Hold(lead leadroute.LeadID, until leadroute.Millis, over bool) bool {
	y.held++
	h := &leadroute.Hold{ID: fmt.Sprint("hold", y.held), Over: over, Until: until, Reason: "scenario", By: "scenario", Reply: fmt.Sprint("hold", y.held)}
	y.w.send(senderOps, leadroute.TopicLedger, string(lead), &leadroute.LedgerMessage{Hold: h})
	y.settle()
	return y.w.replies[h.Reply].Agreed
}

// CRM is whom the primary destination shows as the lead's owner, by the id there; "" for
// nobody.
func (y *Play) CRM(lead leadroute.LeadID) string { return y.crm[lead] }

// Lead is the lead's row, nil before it arrived.
func (y *Play) Lead(id leadroute.LeadID) *ledger.State { return y.w.lead(string(id)) }

// Events are all steps of all leads so far, in the order in which they happened.
func (y *Play) Events() []leadroute.LatencyEvent { return y.w.heard }

// Now is the virtual time.
func (y *Play) Now() leadroute.Millis { return y.w.now }

// Err says what went wrong with the world itself.
func (y *Play) Err() error {
	if y.w.violation == nil {
		return nil
	}
	return y.w.violation
}

var errBusy = errors.New("a timer that fired is due again at once")

// RunUntil lets the time pass, and fires what is due on the way.
func (y *Play) RunUntil(at leadroute.Millis) error {
	for y.w.violation == nil {
		due, waiting := y.due()
		next := at
		if due != nil {
			next = min(next, max(due.Due, y.w.now))
		}
		if waiting {
			next = min(next, max(y.tick, y.w.now))
		}
		switch {
		case due != nil && due.Due <= next && due.Due <= at:
			y.w.now = next
			key := due.Key()
			y.fire(due)
			if again, ok := y.w.clock.timers[key]; ok && again == *due {
				return fmt.Errorf("%w: %s", errBusy, key)
			}
		case waiting && y.tick <= at:
			y.w.now = next
			y.wake()
		default:
			y.w.now = at
			return nil
		}
	}
	return y.Err()
}

// due is the timer that is due first, and whether a lead waits to be woken.
func (y *Play) due() (first *leadroute.Timer, waiting bool) {
	for _, t := range y.w.clock.timers {
		switch {
		case t.Kind == leadroute.TimerWake:
			waiting = true
		case first == nil || cmp.Or(cmp.Compare(t.Due, first.Due), cmp.Compare(t.Key(), first.Key())) < 0:
			first = &t
		}
	}
	return first, waiting
}

func (y *Play) fire(t *leadroute.Timer) {
	y.w.send(senderClock, leadroute.TopicLedger, string(t.Lead), &leadroute.LedgerMessage{Due: t})
	y.settle()
}

// wake offers the waiting leads again, in the order in which they are served.
func (y *Play) wake() {
	y.tick = y.w.now.Add(wakeEvery)
	var line []leadroute.Place
	waiting := map[leadroute.Place]*leadroute.Timer{}
	for _, t := range y.w.clock.timers {
		if t.Kind == leadroute.TimerWake {
			line = append(line, t.Place())
			waiting[t.Place()] = &t
		}
	}
	leadroute.Line(line)
	free := y.somebodyIsFree()
	for _, p := range line {
		t := waiting[p]
		// In vain it changes nothing, except that a lead is late now.
		if late := t.Deadline <= y.w.now && y.w.now < t.Deadline.Add(wakeEvery)+1; free || late || y.asksByName(t) {
			y.fire(t)
		}
	}
	y.sayQueues()
}

// seenAt is what was said of a queue, and when.
type seenAt struct {
	oldest  leadroute.LeadID
	waiting int
	at      leadroute.Millis
}

// sayEvery is how often is said what has not changed.
const sayEvery = 10 * time.Second

// sayQueues says what is seen of the queues, where it has changed, or matters now.
func (y *Play) sayQueues() {
	w := y.w
	all := w.sightings()
	w.clock.said = map[sight]bool{}
	for _, k := range slices.SortedFunc(maps.Keys(all), func(a, b sight) int { return cmp.Compare(a.queue, b.queue) }) {
		q, v, had := w.plan.Queues[leadroute.QueueID(k.queue)], all[k], y.seen[k]
		w.clock.said[k] = v.Waiting > 0
		if q == nil || q.AlertAfter <= 0 {
			continue
		}
		late := v.Since.Add(q.AlertAfter)
		if had.oldest == v.Oldest && had.waiting == v.Waiting && w.now < had.at.Add(sayEvery) && (w.now < late || had.at >= late) {
			continue
		}
		y.seen[k] = seenAt{v.Oldest, v.Waiting, w.now}
		w.send(senderClock, leadroute.TopicQueues, k.queue, &leadroute.QueueMessage{Seen: v})
	}
	maps.DeleteFunc(w.clock.said, func(_ sight, waits bool) bool { return !waits })
	y.settle()
}

// somebodyIsFree tells whether some member of some pool could take a lead: then waking the
// waiting may not be in vain.
func (y *Play) somebodyIsFree() bool {
	w := y.w
	roster := w.procs[0].view.roster
	for _, p := range w.plan.Pools {
		if roster.Available(w.plan, p, w.now) > 0 {
			return true
		}
	}
	return false
}

// asksByName tells whether the waiting lead goes to a rep by name who could take it.
func (y *Play) asksByName(t *leadroute.Timer) bool {
	s := y.Lead(t.Lead)
	if s.Shared != nil && y.isFree(s.Shared.Known, false) {
		return true
	}
	return slices.ContainsFunc(s.Targets, func(t plan.Target) bool { return y.isFree(t.Rep, t.EvenIfFull) })
}

// isFree tells whether the rep could take a lead by name.
func (y *Play) isFree(rep leadroute.RepID, evenIfFull bool) bool {
	w := y.w
	c := w.reps.parts[0].owner.table[string(rep)]
	if rep == "" || c.value == nil {
		return false
	}
	s := decoded[desk.State](w, c.value)
	return s != nil && desk.Refuse(s, w.plan, nil, "", w.now, evenIfFull) == ""
}

// settle lets everything on its way arrive and be handled.
func (y *Play) settle() {
	w := y.w
	for w.violation == nil {
		if len(w.order) > 0 {
			w.flush(w.order[0])
			continue
		}
		y.catchUp()
		if !y.handleNext() && !y.deliverNext() {
			return
		}
	}
}

func (y *Play) catchUp() {
	w := y.w
	w.catchUp(w.procs[0].view, 0, len(w.reps.parts[0].changelog))
}

func (y *Play) handleNext() bool {
	for _, st := range y.w.stages {
		if own := st.parts[0].owner; own.pos < len(own.part.inbox) {
			y.w.handle(own)
			return true
		}
	}
	return false
}

// deliverNext is the CRM's acknowledgement.
func (y *Play) deliverNext() bool {
	w := y.w
	for i, topic := range w.topics {
		k := w.workers[topic]
		if k.next >= len(k.log) {
			continue
		}
		d := &k.log[k.next]
		k.next++
		if p := w.plan.Primary(); p != nil && p.Name == k.dest {
			y.crm[d.Lead] = cmp.Or(d.OwnerCRM, string(d.Owner))
		}
		o := &leadroute.Outcome{Rev: d.Rev, Destination: k.dest, Attempt: d.Attempt, Result: leadroute.ResultDelivered, Status: 200, At: w.now}
		if y.down {
			o.Result, o.Status, o.Reason = leadroute.ResultRetry, 503, "http 503"
		}
		w.send(senderWork-i, leadroute.TopicLedger, string(d.Lead), &leadroute.LedgerMessage{Outcome: o})
		return true
	}
	return false
}
