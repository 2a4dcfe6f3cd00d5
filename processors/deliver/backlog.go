package deliver

import (
	"container/heap"
	"context"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

const (
	// noDeadline is the deadline, counted from receipt, of a lead whose class names none:
	// behind those that have one, and still finite, so that it is served in the end.
	noDeadline = 24 * time.Hour
	// fairTurn is how often the earliest deadline goes first whatever its class, so that
	// a flood of a high class slows a low one that is late and does not stop it.
	fairTurn = 16
)

// record is one record of the log that waits to be answered.
type record struct {
	part  stream.Partition
	class int    // index, highest class first
	done  func() // answered: need not be delivered again
}

// item is one attempt to be made, with every record that asked for it.
type item struct {
	d        *leadroute.Delivery
	class    int // of its first record
	deadline leadroute.Millis
	records  []record
	lane     context.Context // ends when the first record's partition is taken away
	queued   int             // index in its class's heap, -1 when not in it
}

// touches tells whether one of the item's records is of the partition.
func (i *item) touches(p stream.Partition) bool {
	for _, r := range i.records {
		if r.part == p {
			return true
		}
	}
	return false
}

// older orders the deliveries of one lead: by revision, then by attempt.
func (i *item) older(j *item) bool {
	if i.d.Rev != j.d.Rev {
		return i.d.Rev < j.d.Rev
	}
	return i.d.Attempt < j.d.Attempt
}

// backlog holds what has been read and not answered. It decides what is tried next:
// one attempt per lead at a time, the newest revision only, by deadline and class. It
// knows neither clock nor log, and is for one goroutine.
type backlog struct {
	classes []deadlines
	waiting []int // per class: not started, those behind their own lead's attempt included
	leads   map[leadroute.LeadID]*desk
	turn    int
}

// desk is one lead: the attempt in flight and the one behind it.
type desk struct{ running, waiting *item }

func newBacklog(classes int) *backlog {
	return &backlog{classes: make([]deadlines, classes), waiting: make([]int, classes), leads: map[leadroute.LeadID]*desk{}}
}

// add takes a delivery in. The item it returns, if any, is not to be tried any more: a
// newer revision has made it, or found it, superfluous. It is to be answered as superseded.
func (b *backlog) add(lane context.Context, d *leadroute.Delivery, r record) (superseded *item) {
	it := &item{d: d, class: r.class, deadline: d.Deadline, records: []record{r}, lane: lane, queued: -1}
	if it.deadline == 0 {
		it.deadline = d.ReceivedAt.Add(noDeadline)
	}
	k := b.leads[d.Lead]
	if k == nil {
		k = &desk{}
		b.leads[d.Lead] = k
	}
	for _, other := range []*item{k.running, k.waiting} {
		switch {
		case other == nil:
		case other.d.Rev == d.Rev && other.d.Attempt == d.Attempt: // a copy: one attempt answers both
			other.records = append(other.records, r)
			return nil
		case it.older(other):
			return it
		}
	}
	superseded = k.waiting
	if superseded != nil {
		b.unqueue(superseded)
	}
	k.waiting = it
	b.waiting[it.class]++
	if k.running == nil {
		heap.Push(&b.classes[it.class], it)
	}
	return superseded
}

// next takes out the item to try now, among the first so many classes; nil if there is
// none. A lower class goes before a higher one only by an earlier deadline that it can
// still meet: work that is late already must not make more of it late.
func (b *backlog) next(now leadroute.Millis, classes int) *item {
	b.turn++
	fair := b.turn%fairTurn == 0
	var best *item
	for _, c := range b.classes[:classes] {
		if len(c) == 0 {
			continue
		}
		h := c[0]
		if best == nil || h.deadline < best.deadline && (fair || h.deadline >= now) {
			best = h
		}
	}
	if best == nil {
		return nil
	}
	b.unqueue(best)
	k := b.leads[best.d.Lead]
	k.running, k.waiting = best, nil
	return best
}

// finish ends the attempt of an item that next returned; the one behind it may go.
func (b *backlog) finish(it *item) {
	k := b.leads[it.d.Lead]
	k.running = nil
	if k.waiting != nil {
		heap.Push(&b.classes[k.waiting.class], k.waiting)
		return
	}
	delete(b.leads, it.d.Lead)
}

// forget drops, and returns, the records of a partition that goes to another owner and
// whose attempt has not started.
func (b *backlog) forget(p stream.Partition) (dropped []record) {
	for id, k := range b.leads {
		if k.waiting == nil {
			continue
		}
		kept := k.waiting.records[:0]
		for _, r := range k.waiting.records {
			if r.part == p {
				dropped = append(dropped, r)
			} else {
				kept = append(kept, r)
			}
		}
		if k.waiting.records = kept; len(kept) > 0 {
			continue
		}
		b.unqueue(k.waiting)
		k.waiting = nil
		if k.running == nil {
			delete(b.leads, id)
		}
	}
	return dropped
}

// unqueue takes a waiting item out of its class's count and heap.
func (b *backlog) unqueue(it *item) {
	b.waiting[it.class]--
	if it.queued >= 0 {
		heap.Remove(&b.classes[it.class], it.queued)
	}
}

// deadlines is a heap of items, earliest deadline first, then longest here.
type deadlines []*item

func (h deadlines) Len() int { return len(h) }

func (h deadlines) Less(i, j int) bool {
	if h[i].deadline != h[j].deadline {
		return h[i].deadline < h[j].deadline
	}
	return h[i].d.ReceivedAt < h[j].d.ReceivedAt
}

func (h deadlines) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].queued, h[j].queued = i, j
}

func (h *deadlines) Push(x any) {
	it := x.(*item)
	it.queued = len(*h)
	*h = append(*h, it)
}

func (h *deadlines) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	it.queued = -1
	return it
}
