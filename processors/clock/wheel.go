package clock

import (
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// A due timer fires again until it is cancelled or replaced: its cancellation may be on
// its way, or what it caused may have been lost with a crash.
const (
	refireMin = 5 * time.Second
	refireMax = time.Minute
)

// row is one timer as kept in memory: its key holds lead, kind and name.
type row struct {
	key      string // Timer.Key
	due      leadroute.Millis
	deadline leadroute.Millis
	next     leadroute.Millis // when it fires: due, later the next repetition
	rev, n   int32
	at       int32 // index in the heap
	fired    uint8 // saturates
}

// timer gives the row's message back.
func (r *row) timer() *leadroute.Timer {
	lead, rest, _ := strings.Cut(r.key, "/")
	kind, name, _ := strings.Cut(rest, "/")
	return &leadroute.Timer{
		Lead: leadroute.LeadID(lead), Kind: leadroute.TimerKind(kind), Name: name,
		Rev: int(r.rev), N: int(r.n), Due: r.due, Deadline: r.deadline,
	}
}

// wheel holds the timers with a due time of one partition and says which fire. It knows
// no clock and is for one goroutine.
type wheel struct {
	rows map[string]*row
	heap []*row // by next
}

func newWheel() *wheel { return &wheel{rows: map[string]*row{}} }

func (w *wheel) len() int { return len(w.heap) }

// set adds or replaces the timer of that key. The same timer again changes nothing: it
// goes on from where it is.
func (w *wheel) set(key string, t *leadroute.Timer) {
	if r := w.rows[key]; r != nil {
		if r.due == t.Due && int(r.rev) == t.Rev && int(r.n) == t.N && r.deadline == t.Deadline {
			return
		}
		r.due, r.next, r.deadline, r.rev, r.n, r.fired = t.Due, t.Due, t.Deadline, int32(t.Rev), int32(t.N), 0
		w.fix(int(r.at))
		return
	}
	r := &row{key: key, due: t.Due, next: t.Due, deadline: t.Deadline, rev: int32(t.Rev), n: int32(t.N), at: int32(len(w.heap))}
	w.rows[key] = r
	w.heap = append(w.heap, r)
	w.up(len(w.heap) - 1)
}

// cancel removes the timer of that key.
func (w *wheel) cancel(key string) {
	r := w.rows[key]
	if r == nil {
		return
	}
	delete(w.rows, key)
	i, last := int(r.at), len(w.heap)-1
	w.swap(i, last)
	w.heap[last] = nil
	w.heap = w.heap[:last]
	if i < last {
		w.fix(i)
	}
}

// next is when the earliest timer fires; ok is false if there is none.
func (w *wheel) next() (at leadroute.Millis, ok bool) {
	if len(w.heap) == 0 {
		return 0, false
	}
	return w.heap[0].next, true
}

// fire returns the timer to fire now, and when that was due, nil if there is none. It
// fires again after a back-off unless it is cancelled or replaced.
func (w *wheel) fire(now leadroute.Millis) (t *leadroute.Timer, due leadroute.Millis) {
	if len(w.heap) == 0 || w.heap[0].next > now {
		return nil, 0
	}
	r := w.heap[0]
	due = r.next
	wait := refireMax
	if r.fired < 4 {
		wait = min(refireMin<<r.fired, refireMax)
		r.fired++
	}
	r.next = now.Add(wait)
	w.down(0)
	return r.timer(), due
}

func (w *wheel) swap(i, j int) {
	w.heap[i], w.heap[j] = w.heap[j], w.heap[i]
	w.heap[i].at, w.heap[j].at = int32(i), int32(j)
}

func (w *wheel) fix(i int) {
	w.up(i)
	w.down(i)
}

func (w *wheel) up(i int) {
	for i > 0 {
		p := (i - 1) / 2
		if w.heap[p].next <= w.heap[i].next {
			return
		}
		w.swap(i, p)
		i = p
	}
}

func (w *wheel) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(w.heap) {
			return
		}
		if c+1 < len(w.heap) && w.heap[c+1].next < w.heap[c].next {
			c++
		}
		if w.heap[i].next <= w.heap[c].next {
			return
		}
		w.swap(i, c)
		i = c
	}
}
