package clock

import (
	"maps"
	"slices"

	"github.com/leadroute/leadroute"
)

// windowMax bounds how many leads of one queue are offered at once.
const windowMax = 256

// queues holds the waiting leads of one partition and says whom to offer. Waking is
// level-triggered: what still waits at a tick is offered again, so no lost message strands
// a lead. It knows no clock and is for one goroutine.
//
// Each queue is offered from its head in a window that starts at one lead, doubles while
// everything offered leaves, and falls back to one when something stays: then there is
// no room, or not for that lead. Behind a head that stays, a second window of the same
// kind goes round the rest of the queue, so that leads whom another pool could take do
// not wait for it. Between two ticks a lead is offered once at most.
type queues struct {
	byName map[string]*queue
	names  []string // sorted: the order of offers is the order of rows, not of a map
	size   int
}

func newQueues() *queues { return &queues{byName: map[string]*queue{}} }

// queue is one queue of the policy, as far as this partition holds it.
type queue struct {
	name  string
	rows  map[leadroute.LeadID]*leadroute.Timer
	order order
	ages  order // the same leads, who has waited longest first
	// offered are the leads that must not be offered again before the next tick, by whom.
	offered map[leadroute.LeadID]*window
	head    window // from the front
	probe   window // behind a head that stays
	cursor  place  // where the probe goes on
}

// window is how many leads to offer at once, and what became of those offered last.
type window struct {
	size   int
	out    int  // offered and still here
	offers int  // offered since it last turned
	failed bool // one left and came back
	fresh  bool // the last batch went out between ticks: it gets until the tick after next
}

// stuck tells whether something offered has stayed or come back.
func (w *window) stuck() bool { return w.failed || w.out > 0 && !w.fresh }

// busy tells whether the last batch is to be waited for.
func (w *window) busy() bool { return w.out > 0 && w.fresh && !w.failed }

// drained tells whether all that was offered has left.
func (w *window) drained() bool { return w.offers > 0 && w.out == 0 && !w.failed }

// grow is the answer to a drained window.
func (w *window) grow() { w.size = min(2*w.size, windowMax) }

// turn begins a new window: twice as large if the last has drained, else of one.
func (w *window) turn() {
	size := 1
	if w.drained() {
		w.grow()
		size = w.size
	}
	*w = window{size: size}
}

func (q *queues) len() int { return q.size }

// set adds a lead to its queue, or replaces what is known of it.
func (q *queues) set(t *leadroute.Timer) {
	k := q.byName[t.Name]
	if k == nil {
		k = &queue{
			name: t.Name, rows: map[leadroute.LeadID]*leadroute.Timer{}, offered: map[leadroute.LeadID]*window{},
			head: window{size: 1}, probe: window{size: 1},
		}
		q.byName[t.Name] = k
		i, _ := slices.BinarySearch(q.names, t.Name)
		q.names = slices.Insert(q.names, i, t.Name)
	}
	t.Kind, t.Name = leadroute.TimerWake, k.name // one copy of each text for all rows
	old := k.rows[t.Lead]
	k.rows[t.Lead] = t
	if old != nil {
		if old.Place() != t.Place() {
			k.order.remove(old.Place())
			k.order.add(t.Place())
		}
		if old.Since != t.Since {
			k.ages.remove(age(old))
			k.ages.add(age(t))
		}
		return
	}
	q.size++
	k.order.add(t.Place())
	k.ages.add(age(t))
	if w := k.offered[t.Lead]; w != nil { // it left and is back: it found no place
		w.out++
		w.failed = true
	}
}

// cancel removes a lead from its queue and returns whom to offer now: when all that were
// offered have left before the tick is over, there is room for more.
func (q *queues) cancel(lead leadroute.LeadID, name string) []*leadroute.Timer {
	k := q.byName[name]
	if k == nil || k.rows[lead] == nil {
		return nil
	}
	q.size--
	k.order.remove(k.rows[lead].Place())
	k.ages.remove(age(k.rows[lead]))
	delete(k.rows, lead)
	w := k.offered[lead]
	if w != nil {
		w.out--
	}
	if len(k.rows) == 0 {
		delete(q.byName, name)
		i, _ := slices.BinarySearch(q.names, name)
		q.names = slices.Delete(q.names, i, i+1)
		return nil
	}
	if w == nil || !w.drained() {
		return nil
	}
	w.grow()
	w.fresh = true
	return k.offer(w, nil)
}

// age orders leads by when they began to wait.
func age(t *leadroute.Timer) place { return place{Lead: t.Lead, Deadline: t.Since} }

// seen is what is to be said of the queue.
func (k *queue) seen(partition int32) *leadroute.QueueSeen {
	oldest := k.rows[k.ages.head().Lead]
	next := k.order.head()
	return &leadroute.QueueSeen{
		Partition: partition, Waiting: len(k.rows), Since: oldest.Since, Oldest: oldest.Lead, Rev: oldest.Rev, Next: &next,
	}
}

// seen is what is to be said of every queue; had are those that it was said of last: one
// that has become empty is said to be so, once.
func (q *queues) seen(partition int32, had map[string]bool) map[string]*leadroute.QueueSeen {
	all := make(map[string]*leadroute.QueueSeen, len(q.names))
	for _, name := range q.names {
		all[name] = q.byName[name].seen(partition)
	}
	for name := range had {
		if all[name] == nil {
			all[name] = &leadroute.QueueSeen{Partition: partition}
		}
	}
	clear(had)
	for _, name := range q.names {
		had[name] = true
	}
	return all
}

// soonest are the queues, the one whose head has the earliest deadline first: what drains
// into one pool is offered to it about in the order in which the pool serves it.
func (q *queues) soonest() []*queue {
	all := make([]*queue, len(q.names))
	for i, name := range q.names {
		all[i] = q.byName[name]
	}
	slices.SortStableFunc(all, func(a, b *queue) int { return a.order.head().Sooner(b.order.head()) })
	return all
}

// tick returns whom to offer now, queue by queue.
func (q *queues) tick() []*leadroute.Timer {
	var wake []*leadroute.Timer
	for _, k := range q.soonest() {
		stuck := k.head.stuck()
		for _, w := range []*window{&k.head, &k.probe} {
			if w.busy() {
				w.fresh = false
				k.forget(w, func(id leadroute.LeadID) bool { return k.rows[id] == nil })
				continue
			}
			w.turn()
			k.forget(w, func(leadroute.LeadID) bool { return true })
		}
		if k.head.out == 0 {
			wake = k.offer(&k.head, wake)
		}
		if stuck && k.probe.out == 0 {
			wake = k.offer(&k.probe, wake)
		}
	}
	return wake
}

// forget drops what a window has offered, where gone says so.
func (k *queue) forget(w *window, gone func(leadroute.LeadID) bool) {
	maps.DeleteFunc(k.offered, func(id leadroute.LeadID, by *window) bool { return by == w && gone(id) })
}

// offer appends the next leads of a window that were not offered since the last tick.
func (k *queue) offer(w *window, wake []*leadroute.Timer) []*leadroute.Timer {
	left := w.size
	take := func(p place) bool {
		if k.offered[p.Lead] == nil {
			k.offered[p.Lead] = w
			w.out++
			w.offers++
			left--
			wake = append(wake, k.rows[p.Lead])
			if w == &k.probe {
				k.cursor = p
			}
		}
		return left > 0
	}
	if w == &k.head {
		k.order.from(place{}, take)
		return wake
	}
	k.order.from(k.cursor, take)
	if left > 0 { // round to the front
		end := k.cursor
		k.order.from(place{}, func(p place) bool { return p.Compare(end) <= 0 && take(p) })
	}
	return wake
}

// waiting counts the leads by queue.
func (q *queues) waiting() map[string]int {
	n := map[string]int{}
	for name, k := range q.byName {
		n[name] = len(k.rows)
	}
	return n
}
