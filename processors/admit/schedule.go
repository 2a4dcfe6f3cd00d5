package admit

import (
	"container/heap"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// schedule decides which lead enters the middle next. It has no clock and no lock.
//
// Leads leave it earliest deadline first, over all classes; those without a deadline
// come last. At most a fixed number are in the middle, and the less urgent a class, the
// less of that it may fill: three quarters for the last one. So there is always room
// for the most urgent class, even beside a flood of old P2 leads whose deadlines, long
// past, are the earliest of all.
type schedule struct {
	limit    []int   // per class: how full the middle may be for it to enter
	waiting  []queue // per class
	read     []int   // per inbox: leads that wait
	patience time.Duration
	slots    map[leadroute.LeadID]*slot
	acks     []ack // in order of time: for expire
	arrivals uint64
}

// item is a lead that waits to enter.
type item struct {
	admission leadroute.Admission
	class     int // of the lead, index by urgency
	inbox     int // of the topic it came from; may be another class's
	from      stream.Partition
	done      func() // its record needs no redelivery
	arrival   uint64
}

// slot is the place of one lead in the middle.
type slot struct {
	from  stream.Partition
	acked leadroute.Millis // 0: the log does not have it yet, and the slot cannot expire
}

type ack struct {
	lead leadroute.LeadID
	at   leadroute.Millis
}

func newSchedule(classes, inFlight int, patience time.Duration) *schedule {
	s := &schedule{
		waiting: make([]queue, classes), read: make([]int, classes),
		patience: patience, slots: map[leadroute.LeadID]*slot{},
	}
	for i := range classes {
		s.limit = append(s.limit, limitOf(i, classes, inFlight))
	}
	return s
}

// limitOf is all of inFlight for the first class and three quarters of it for the last.
func limitOf(class, classes, inFlight int) int {
	if classes == 1 {
		return inFlight
	}
	return max(1, inFlight-inFlight*class/(4*(classes-1)))
}

// push lets a lead wait.
func (s *schedule) push(it *item) {
	s.arrivals++
	it.arrival = s.arrivals
	s.read[it.inbox]++
	heap.Push(&s.waiting[it.class], it)
}

// next takes the lead that enters now and gives it a slot; nil if none may. A lead that
// is in the middle already (a second posting of it) shares the slot of the first.
func (s *schedule) next() *item {
	best := -1
	for c := range s.waiting {
		if len(s.waiting[c]) == 0 || len(s.slots) >= s.limit[c] {
			continue
		}
		if best < 0 || s.waiting[c][0].before(s.waiting[best][0]) {
			best = c
		}
	}
	if best < 0 {
		return nil
	}
	it, _ := heap.Pop(&s.waiting[best]).(*item)
	s.read[it.inbox]--
	s.slots[it.admission.Lead.ID] = &slot{from: it.from}
	return it
}

// acked notes that the log has a lead's admission: from now on its slot may expire.
func (s *schedule) acked(id leadroute.LeadID, at leadroute.Millis) {
	if sl := s.slots[id]; sl != nil { // else it has departed already
		sl.acked = at
		s.acks = append(s.acks, ack{id, at})
	}
}

// departed frees a lead's slot; false if it has none, as when another instance admitted it.
func (s *schedule) departed(id leadroute.LeadID) bool {
	_, ok := s.slots[id]
	delete(s.slots, id)
	return ok
}

// expire frees the slots of leads that have not departed in time and counts them: the
// middle lost the message, or is slow.
func (s *schedule) expire(at leadroute.Millis) (n int) {
	i := 0
	for ; i < len(s.acks) && at.Sub(s.acks[i].at) >= s.patience; i++ {
		if sl := s.slots[s.acks[i].lead]; sl != nil && sl.acked == s.acks[i].at {
			delete(s.slots, s.acks[i].lead)
			n++
		}
	}
	s.acks = append(s.acks[:0], s.acks[i:]...)
	return n
}

// drop forgets what came from a partition: its new owner reads the waiting leads again
// and hears of the departures.
func (s *schedule) drop(p stream.Partition) {
	for c := range s.waiting {
		kept := s.waiting[c][:0]
		for _, it := range s.waiting[c] {
			if it.from == p {
				s.read[it.inbox]--
			} else {
				kept = append(kept, it)
			}
		}
		clear(s.waiting[c][len(kept):])
		s.waiting[c] = kept
		heap.Init(&s.waiting[c])
	}
	for id, sl := range s.slots {
		if sl.from == p {
			delete(s.slots, id)
		}
	}
}

// queue is a heap of one class's leads, earliest deadline first.
type queue []*item

func (a *item) before(b *item) bool {
	x, y := a.admission.Deadline, b.admission.Deadline
	switch {
	case x != y:
		return y == 0 || x != 0 && x < y
	case a.class != b.class:
		return a.class < b.class
	}
	return a.arrival < b.arrival
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].before(q[j]) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *queue) Push(x any) {
	it, _ := x.(*item)
	*q = append(*q, it)
}

// Pop is for container/heap.
func (q *queue) Pop() any {
	old := *q
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return it
}
