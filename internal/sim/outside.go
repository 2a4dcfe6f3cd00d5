package sim

import (
	"slices"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/identities"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/reps"
)

// The senders that are no stateful stage. Each keeps its own order.
const (
	senderDoor  = -1
	senderClock = -2
	senderOps   = -3
	senderSweep = -4
	senderDesk  = -100 // of the CRM; minus 1 and the rep's number that of a rep who claims
	senderWork  = -200 // minus the worker's number
	senderFeed  = -400 // minus the feed's number
)

func outsider(sender int) string {
	switch sender {
	case senderDoor:
		return "door"
	case senderClock:
		return "clock"
	case senderOps:
		return "operator"
	case senderSweep:
		return "sweep"
	case senderDesk:
		return "rep"
	default:
		return "worker"
	}
}

// door posts leads: each once, some again under the same receipt (a replay of admit) or
// another (a duplicate).
type door struct {
	posted []leadroute.Admission
	copies int
}

func (d *door) closed(w *World) bool {
	return len(d.posted) >= w.opt.Leads && d.copies >= w.opt.Leads/3
}

func (d *door) post(w *World) {
	if len(d.posted) > 0 && (len(d.posted) >= w.opt.Leads || w.chance(4)) {
		a := d.posted[w.rng.IntN(len(d.posted))]
		if w.chance(2) {
			a.Lead.Receipt += "-again" + strconv.Itoa(d.copies)
			a.Lead.ReceivedAt = w.now
		}
		d.copies++
		w.send(senderDoor, leadroute.TopicLedger, string(a.Lead.ID), &leadroute.LedgerMessage{Admitted: &a})
		return
	}
	n := len(d.posted)
	c := w.plan.Classes[w.rng.IntN(len(w.plan.Classes))]
	a := leadroute.Admission{Class: c.Name, Plan: w.plan.ID, Lead: leadroute.Lead{
		ID: leadroute.LeadID("L" + strconv.Itoa(n)), Source: "web", Receipt: "post" + strconv.Itoa(n), ReceivedAt: w.now,
		Fields: w.leadFields(n), Identities: w.drawIdentities(),
	}}
	d.posted = append(d.posted, a)
	w.send(senderDoor, leadroute.TopicLedger, string(a.Lead.ID), &leadroute.LedgerMessage{Admitted: &a})
}

// clock holds the timers that the compacted topic holds, and fires them level-triggered.
type clock struct {
	timers map[string]leadroute.Timer
	late   []leadroute.Timer // firings of an instance that stalled in the middle of them
	said   map[sight]bool    // queues that were last said to hold leads
}

func (w *World) clockTick() {
	if w.chance(2) {
		w.sayQueues()
	}
	keys := make([]string, 0, len(w.clock.timers))
	for k := range w.clock.timers {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		t := w.clock.timers[k]
		ahead := leadroute.Millis(0)
		if w.opt.Faults && !w.draining && w.chance(4) { // an instance's clock is
			ahead = 5 * 60_000
		}
		if t.Due <= w.now+ahead && (w.chance(3) || t.Kind != leadroute.TimerWake && w.chance(2)) {
			w.send(senderClock, leadroute.TopicLedger, string(t.Lead), &leadroute.LedgerMessage{Due: &t})
			if w.opt.Faults && !w.draining && w.chance(3) {
				w.clock.late = append(w.clock.late, t)
			}
		}
	}
	if n := len(w.clock.late); n > 0 && w.chance(8) {
		i := w.rng.IntN(n)
		t := w.clock.late[i]
		w.clock.late = slices.Delete(w.clock.late, i, i+1)
		w.send(senderClock, leadroute.TopicLedger, string(t.Lead), &leadroute.LedgerMessage{Due: &t})
	}
}

// worker delivers what one deliveries topic holds, at least once, one attempt at a time per lead.
type worker struct {
	dest      leadroute.DestinationID
	log       []leadroute.Delivery
	next      int
	committed int
	doing     []*attempt
	busy      map[string]bool
}

// attempt is a call that is on its way.
type attempt struct {
	d      leadroute.Delivery
	offset int
	told   bool
	ends   leadroute.Millis
}

func (k *worker) idle() bool { return k.next >= len(k.log) && len(k.doing) == 0 }

// workSome lets a worker do something; while the world drains, all of them, so that what was
// sent again and again does not keep it.
func (w *World) workSome() {
	if !w.draining {
		w.work(w.rng.IntN(len(w.topics)))
		return
	}
	for i := range w.topics {
		for range 4 {
			w.work(i)
		}
	}
}

// work starts or ends an attempt of worker i, or crashes it.
func (w *World) work(i int) {
	k := w.workers[w.topics[i]]
	if w.opt.Faults && !w.draining && w.chance(40) {
		w.note("CRASH worker of %s", w.topics[i])
		k.next, k.doing, k.busy = k.committed, nil, map[string]bool{}
		return
	}
	if k.next < len(k.log) && !k.busy[string(k.log[k.next].Lead)] && len(k.doing) < 8 {
		d := k.log[k.next]
		a := &attempt{d: d, offset: k.next, ends: w.now}
		if w.chance(5) {
			a.ends += leadroute.Millis(w.rng.IntN(20_000)) // a slow CRM
		}
		k.doing = append(k.doing, a)
		k.busy[string(d.Lead)] = true
		k.next++
		return
	}
	for _, a := range k.doing {
		if !a.told && (a.ends <= w.now || w.draining) {
			w.end(i, k, a)
			break
		}
	}
	for len(k.doing) > 0 && k.doing[0].told {
		k.committed = k.doing[0].offset + 1
		k.doing = k.doing[1:]
	}
}

// end lets an attempt reach the CRM, or not, and says how it ended.
func (w *World) end(i int, k *worker, a *attempt) {
	o := leadroute.Outcome{Rev: a.d.Rev, Destination: k.dest, Attempt: a.d.Attempt, At: w.now, Result: leadroute.ResultDelivered, Status: 200}
	switch n := w.rng.IntN(100); {
	case w.draining || n < 60:
		w.crm.take(w, &a.d)
	case n < 72: // committed there, and the answer was lost
		w.crm.take(w, &a.d)
		o.Result, o.Status, o.Reason = leadroute.ResultRetry, 0, "timeout"
	case n < 97:
		o.Result, o.Status, o.Reason = leadroute.ResultRetry, 503, "http 503"
	default:
		o.Result, o.Status, o.Reason = leadroute.ResultRejected, 422, "http 422"
	}
	a.told = true
	delete(k.busy, string(a.d.Lead))
	w.note("%s: attempt %d of %s/%d with owner %s: %s %s", k.dest, a.d.Attempt, a.d.Lead, a.d.Rev, a.d.Owner, o.Result, o.Reason)
	m := &leadroute.LedgerMessage{Outcome: &o}
	w.send(senderWork-i, leadroute.TopicLedger, string(a.d.Lead), m)
	if w.opt.Faults && w.chance(12) {
		w.send(senderWork-i, leadroute.TopicLedger, string(a.d.Lead), m)
	}
}

// crm is a destination that is idempotent by key and keeps whatever came last.
type crm struct {
	applied map[string]leadroute.RepID // dest/lead/rev to owner
	records map[string]card            // dest/lead
	open    map[string]bool            // leads on a desk, not closed by a human
	names   []string                   // of open, in order of arrival
}

type card struct {
	rev   int
	owner leadroute.RepID
}

func (c *crm) init() {
	c.applied, c.records, c.open = map[string]leadroute.RepID{}, map[string]card{}, map[string]bool{}
}

func (c *crm) take(w *World, d *leadroute.Delivery) {
	key, owner := string(d.Destination)+"/"+d.Key(), d.Owner
	if owner == "" {
		owner = held(d.Queue, d.OwnerCRM)
	}
	if have, ok := c.applied[key]; ok {
		if have != owner {
			w.violate("2 one owner", "%s reached the CRM with owner %s and with owner %s", key, have, owner)
		}
		return
	}
	c.applied[key] = owner
	c.records[string(d.Destination)+"/"+string(d.Lead)] = card{d.Rev, owner}
	if d.Destination == w.plan.Primary().Name && !c.open[string(d.Lead)] {
		c.open[string(d.Lead)] = true
		c.names = append(c.names, string(d.Lead))
	}
}

// humans respond to and close leads that the CRM shows them.
func (w *World) humans() {
	if w.chance(3) {
		w.claimSome()
		return
	}
	if len(w.crm.names) == 0 {
		return
	}
	i := w.rng.IntN(len(w.crm.names))
	lead := w.crm.names[i]
	if s := w.lead(lead); s != nil && !s.Open() {
		w.crm.names = slices.Delete(w.crm.names, i, i+1)
		return
	}
	r := w.crm.records[string(w.plan.Primary().Name)+"/"+lead]
	action := leadroute.ActionResponded
	if w.draining || w.chance(2) {
		action = leadroute.ActionClosed
	}
	a := leadroute.RepAction{Action: action, Rep: r.owner, At: w.now, Reply: "ask" + strconv.Itoa(len(w.asked))}
	if w.chance(20) { // somebody else's lead
		a.Rep = leadroute.RepID(repName(w.rng.IntN(w.opt.Reps)))
	}
	w.asked = append(w.asked, asked{leadroute.LeadID(lead), a})
	w.send(senderDesk, leadroute.TopicLedger, lead, &leadroute.LedgerMessage{Action: &a})
}

// asked is what a human said of a lead, and waits to hear of.
type asked struct {
	lead leadroute.LeadID
	said leadroute.RepAction
}

// reviseSome asks for a lead to be reassigned, under the revision that the CRM shows.
func (w *World) reviseSome() {
	switch w.rng.IntN(4) {
	case 0:
		w.holdSome()
		return
	case 1:
		w.rerouteSome()
		return
	}
	if len(w.crm.names) == 0 {
		return
	}
	lead := w.crm.names[w.rng.IntN(len(w.crm.names))]
	r := w.crm.records[string(w.plan.Primary().Name)+"/"+lead]
	w.send(senderOps, leadroute.TopicLedger, lead, &leadroute.LedgerMessage{Revise: &leadroute.Revise{Rev: r.rev, Reason: "operator"}})
}

// replayDead takes the deliveries out of the dead letters, as an operator does once the CRM is well.
func (w *World) replayDead() {
	for _, a := range w.door.posted {
		id := string(a.Lead.ID)
		s := w.lead(id)
		if s == nil {
			continue
		}
		for _, d := range s.Dests {
			if d.Dead {
				w.send(senderOps, leadroute.TopicLedger, id, &leadroute.LedgerMessage{Redeliver: &leadroute.Redeliver{Rev: d.Rev, Destination: d.Name, At: w.now}})
			}
		}
	}
}

// sweepEvery is how long a partition rests between two sweeps, in ms.
const sweepEvery = 20_000

// sweepSome visits some rows, sweepAll all of them, as the anti-entropy sweep does.
func (w *World) sweepSome() {
	st := w.stages[w.rng.IntN(len(w.stages))]
	w.sweep(st, st.parts[w.rng.IntN(len(st.parts))])
}

func (w *World) sweepAll() {
	for _, st := range w.stages {
		for _, p := range st.parts {
			w.sweep(st, p)
		}
	}
}

func (w *World) sweep(st *stage, p *partition) {
	if !w.opt.Sweeps && st != w.identities || w.now < p.swept+sweepEvery { // that sweep repairs nothing
		return
	}
	p.swept = w.now
	for _, key := range sortedKeys(p.owner.table) {
		c := p.owner.table[key]
		if c.value == nil {
			continue
		}
		var out []leadroute.Effect
		switch st {
		case w.ledger:
			if s := decoded[ledger.State](w, c.value); s != nil {
				out = ledger.Sweep(ledger.Env{Plan: w.planOf}, leadroute.LeadID(key), s, w.now)
			}
		case w.identities:
			if s := decoded[identities.State](w, c.value); s != nil {
				out = identities.Sweep(key, s, w.now)
			}
		case w.reps:
			if s := decoded[desk.State](w, c.value); s != nil {
				out = reps.Sweep(leadroute.RepID(key), s, w.now)
			}
		}
		for _, e := range out {
			w.send(senderSweep, e.Topic, e.Key, e.Value)
		}
	}
}

func decoded[S any](w *World, b []byte) *S {
	s, err := leadroute.Decode[S](b)
	if err != nil {
		w.violate("codec", "%v", err)
		return nil
	}
	return s
}

func sortedKeys(m map[string]change) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// planOf returns a version of the policy, the one in force for an id that is none.
func (w *World) planOf(id leadroute.PlanID) *plan.Plan {
	for _, p := range w.plans {
		if p.ID == id {
			return p
		}
	}
	return w.plan
}
