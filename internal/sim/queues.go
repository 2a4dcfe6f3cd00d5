package sim

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/pools"
	"github.com/leadroute/leadroute/processors/queues"
)

// turned are the leads that a pool turned away and has not asked a rep for since.
type turned map[leadroute.LeadID]turnedAway

type turnedAway struct {
	place leadroute.Place
	plan  leadroute.PlanID
	cost  int
	at    leadroute.Millis
}

// remembered is how long a pool certainly remembers whom it turned away.
const remembered = time.Second

// checkLine checks that a pool serves those who wait in the order of their queues: while the
// one rep who is free could take one lead, nobody gets it who stands behind a lead that was
// turned away just now. It returns what to do once the pool has decided.
func (w *World) checkLine(own *owner, key string, s *pools.State, o *leadroute.Offer, at leadroute.Millis) func([]leadroute.Effect) {
	nothing := func([]leadroute.Effect) {}
	if o == nil { // a bid
		return nothing
	}
	pool := w.planOf(o.Plan).Pools[leadroute.PoolID(key)]
	if own.part.owner != own || pool == nil || o.Place == nil {
		return nothing
	}
	if plan.Strategy(cmp.Or(o.Strategy, string(pool.Strategy))) == plan.Claim { // there all who fit may have it
		return nothing
	}
	w.checkPlace(o)
	line := w.lines[key]
	if line == nil {
		if w.lines == nil {
			w.lines = map[string]turned{}
		}
		line = turned{}
		w.lines[key] = line
	}
	cost := pool.CostOf(o.Class)
	among, _, _ := own.by.view.roster.Candidates(nil, w.planOf(o.Plan), pool, o, at)
	one := len(among) == 1 && own.by.view.roster.Room(pool, cost, among) == 1
	if _, again := s.Asked(o); again || len(line) >= 8 { // beyond eight a pool remembers the first ones alone
		one = false
	}
	return func(out []leadroute.Effect) {
		switch m := out[0].Value.(type) {
		case *leadroute.RepMessage:
			first := o.Place
			for _, t := range line {
				if t.plan == o.Plan && t.cost <= cost && at < t.at.Add(remembered) && t.place.Queue == o.Place.Queue && t.place.Compare(*first) < 0 {
					first = &t.place
				}
			}
			if one && first.Lead != o.Lead {
				w.violate("10 line", "pool %s asks one rep for %+v, and %+v was turned away just now", key, *o.Place, *first)
			}
			delete(line, o.Lead)
		case *leadroute.LedgerMessage:
			delete(line, o.Lead)
			if no := m.NoCandidate; no != nil && o.Waits && (no.Reason == "others_wait" || no.Reason == "nobody_available" && len(among) == 0 && o.Declined == nil && !o.Strict) {
				line[o.Lead] = turnedAway{*o.Place, o.Plan, cost, at}
			}
		}
	}
}

// checkPlace checks that a lead stands where the order of its queue says.
func (w *World) checkPlace(o *leadroute.Offer) {
	p := w.planOf(o.Plan)
	q := p.Queues[o.Place.Queue]
	if q == nil {
		return
	}
	i := slices.IndexFunc(w.door.posted, func(a leadroute.Admission) bool { return a.Lead.ID == o.Lead })
	if i < 0 {
		return
	}
	came := w.door.posted[i].Lead.ReceivedAt
	want := leadroute.Place{Lead: o.Lead, Queue: q.Name, Deadline: cmp.Or(o.Deadline, came)}
	switch q.Order {
	case plan.ByPriority:
		want.Rank = p.Rank(o.Class)
	case plan.ByArrival:
		want.Order = came
	case plan.ByDeadline:
	}
	if *o.Place != want {
		w.violate("10 line", "%s is offered as %+v, and its queue goes by %s: want %+v", o.Lead, *o.Place, q.Order, want)
	}
}

// forgetLines forgets whom the pools of a partition turned away: its new owner may not know.
func (w *World) forgetLines(own *owner) {
	for key := range w.lines {
		if w.pools.parts[partitionOf(key, w.opt.Partitions)] == own.part {
			delete(w.lines, key)
		}
	}
}

// held is who has a lead at the CRM that waits in a queue.
func held(q leadroute.QueueID, crmID string) leadroute.RepID {
	return leadroute.RepID("queue " + string(q) + " as " + crmID)
}

// checkHolders checks, while nothing is on its way, that each destination has what the ledger
// says: the owner or, at the primary one, the queue that has an owner there.
func (w *World) checkHolders() {
	for _, a := range w.door.posted {
		id := string(a.Lead.ID)
		s := w.lead(id)
		if s == nil || !s.Open() {
			continue
		}
		p := w.planOf(s.Plan)
		rev, owner := s.Rev, s.Owner()
		if q := p.Queues[s.Queue]; owner == "" && q != nil && q.CRMID != "" {
			rev, owner = s.Rev-1, held(q.Name, q.CRMID)
		}
		for _, d := range s.Dests {
			r := w.crm.records[string(d.Name)+"/"+id]
			settled := !d.InFlight && d.Retry == 0 && !d.Dead && p.Destination(d.Name) != nil
			if settled && owner != "" && (s.Claim != nil || d.Name == p.Primary().Name) && (r.rev != rev || r.owner != owner) {
				w.violate("2 one owner", "at rest: the ledger says %s has %s (rev %d), %s says %s (rev %d)", owner, id, rev, d.Name, r.owner, r.rev)
			}
		}
		if strings.HasPrefix(string(owner), "queue") && len(s.Dests) == 0 {
			w.violate("2 one owner", "%s is %s, and the CRM never had it", id, owner)
		}
	}
}

// sight is what one partition's clock looks at.
type sight struct {
	queue string
	part  int
}

// sightings are what the clocks see of the queues now.
func (w *World) sightings() map[sight]*leadroute.QueueSeen {
	all := map[sight]*leadroute.QueueSeen{}
	for _, t := range w.clock.timers {
		if t.Kind != leadroute.TimerWake {
			continue
		}
		k := sight{t.Name, partitionOf(string(t.Lead), w.opt.Partitions)}
		v := all[k]
		if v == nil {
			v = &leadroute.QueueSeen{Partition: int32(k.part)} //nolint:gosec // a few
			all[k] = v
		}
		v.Waiting++
		if v.Since == 0 || cmp.Or(cmp.Compare(t.Since, v.Since), cmp.Compare(t.Lead, v.Oldest)) < 0 {
			v.Since, v.Oldest, v.Rev = t.Since, t.Lead, t.Rev
		}
		if p := t.Place(); v.Next == nil || p.Compare(*v.Next) < 0 {
			v.Next = &p
		}
	}
	for k := range w.clock.said {
		if all[k] == nil {
			all[k] = &leadroute.QueueSeen{Partition: int32(k.part)} //nolint:gosec // a few
		}
	}
	return all
}

// sayQueues lets the clocks say what they see of the queues.
func (w *World) sayQueues() {
	all := w.sightings()
	w.clock.said = map[sight]bool{}
	for _, k := range slices.SortedFunc(maps.Keys(all), func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.queue, b.queue), cmp.Compare(a.part, b.part))
	}) {
		w.clock.said[k] = all[k].Waiting > 0
		all[k].At = w.now
		w.send(senderClock, leadroute.TopicQueues, k.queue, &leadroute.QueueMessage{Seen: all[k]})
	}
	maps.DeleteFunc(w.clock.said, func(_ sight, waits bool) bool { return !waits })
}

// checkAlert checks that people are told of a queue when its oldest lead has waited for too
// long by what the row says, once, and again only after that was over.
func (w *World) checkAlert(own *owner, name leadroute.QueueID, s *queues.State, m *leadroute.QueueMessage, at leadroute.Millis) func(*queues.State, []leadroute.Effect) {
	told := s != nil && s.Told != nil
	replay := own.pos-1 < own.seen
	return func(next *queues.State, out []leadroute.Effect) {
		if own.part.owner != own {
			return
		}
		q := w.plan.Queues[name]
		var longest time.Duration
		if next != nil {
			for _, p := range next.Parts {
				longest = max(longest, at.Sub(p.Since))
			}
		}
		late := q != nil && q.AlertAfter > 0 && longest >= q.AlertAfter
		stands := next != nil && next.Told != nil
		switch {
		case late != stands:
			w.violate("12 alert", "the oldest lead of %s waits for %v: an alert stands %v", name, longest, stands)
		case len(out) > 0 && (told || !late) && !replay:
			w.violate("12 alert", "people are told of %s again, whose oldest lead waits for %v", name, longest)
		case late && !told && len(out) == 0:
			w.violate("12 alert", "nobody is told of %s, whose oldest lead waits for %v", name, longest)
		}
		if m.Seen.Waiting > 0 && (next == nil || !slices.ContainsFunc(next.Parts, func(p queues.Part) bool { return p.Partition == m.Seen.Partition && p.Since == m.Seen.Since })) {
			w.violate("12 alert", "%s does not know what partition %d said", name, m.Seen.Partition)
		}
	}
}
