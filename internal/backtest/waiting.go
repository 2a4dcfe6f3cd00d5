package backtest

import (
	"container/heap"
	"fmt"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/ledger"
)

// waiting are the leads in queues, in groups that stand alike: of one queue, offered to
// the same places, and alike in all that those places look at.
type waiting struct {
	groups []*group // in the order in which they came up; those that emptied are dropped
	byName map[string]*group
	byKey  map[string]*waiter
}

func newWaiting() waiting {
	return waiting{byName: map[string]*group{}, byKey: map[string]*waiter{}}
}

func (w *waiting) size() int { return len(w.byKey) }

// group is a heap of waiting leads, most urgent first.
type group struct {
	name   string
	pools  map[leadroute.PoolID]bool
	reps   map[leadroute.RepID]bool
	exempt bool // a rep by name takes it even if full
	heap   waiters
}

type waiter struct {
	timer *leadroute.Timer
	place leadroute.Place
	gone  bool
}

// before is the order of the queue in which both wait.
func (w *waiter) before(v *waiter) bool { return w.place.Compare(v.place) < 0 }

type waiters []*waiter

func (h waiters) Len() int           { return len(h) }
func (h waiters) Less(i, j int) bool { return h[i].before(h[j]) }
func (h waiters) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *waiters) Push(x any)        { *h = append(*h, x.(*waiter)) } //nolint:forcetypeassert // heap.Push is called with waiters alone
func (h *waiters) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return x
}

// head is the group's most urgent lead, nil if none waits.
func (g *group) head() *waiter {
	for len(g.heap) > 0 {
		if !g.heap[0].gone {
			return g.heap[0]
		}
		heap.Pop(&g.heap)
	}
	return nil
}

// add lets a lead wait, and returns its group if it is the only one there.
func (w *waiting) add(key string, t *leadroute.Timer, p *plan.Plan, s *ledger.State) (alone *group) {
	w.remove(key)
	v, g := &waiter{timer: t, place: t.Place()}, w.group(t, p, s)
	if g.head() == nil {
		alone = g
	}
	w.byKey[key] = v
	heap.Push(&g.heap, v)
	return alone
}

func (w *waiting) remove(key string) {
	if v := w.byKey[key]; v != nil {
		v.gone = true
		delete(w.byKey, key)
	}
}

// group finds the group of a lead that begins to wait.
func (w *waiting) group(t *leadroute.Timer, p *plan.Plan, s *ledger.State) *group {
	targets := s.Targets
	if q := p.Queues[s.Queue]; q != nil && len(q.DrainTo) > 0 {
		targets = make([]plan.Target, len(q.DrainTo))
		for i, pool := range q.DrainTo {
			targets[i].Pool = pool
		}
	}
	var b strings.Builder
	b.WriteString(string(s.Queue))
	for _, to := range targets {
		fmt.Fprintf(&b, " %s/%s/%t", to.Pool, to.Rep, to.EvenIfFull)
	}
	fmt.Fprintf(&b, " %s", s.Class) // which may take more than one place
	for _, to := range targets {
		if pool := p.Pools[to.Pool]; pool != nil {
			lead := leadroute.Lead{ID: t.Lead, Source: s.Source, Fields: s.Fields}
			if about := pool.About(&lead, nil, s.Territory); about != nil { // who fits depends on it
				fmt.Fprintf(&b, " %s/%s/%s", about.Source, about.Territory, about.Fields)
			}
		}
	}
	owner := leadroute.RepID("")
	if s.Shared != nil && s.Shared.Known != "" {
		owner = s.Shared.Known
		fmt.Fprintf(&b, " %s", owner)
	}
	if s.Rev > 1 { // who had the lead before is avoided
		fmt.Fprintf(&b, " %s", t.Lead)
	}
	name := b.String()
	if g := w.byName[name]; g != nil {
		return g
	}
	g := &group{name: name, pools: map[leadroute.PoolID]bool{}, reps: map[leadroute.RepID]bool{}}
	if owner != "" {
		g.reps[owner] = true
	}
	for _, to := range targets {
		switch {
		case to.Pool != "":
			g.pools[to.Pool] = true
		case to.Rep != "":
			g.reps[to.Rep] = true
			g.exempt = g.exempt || to.EvenIfFull
		}
	}
	w.tidy()
	w.byName[name] = g
	w.groups = append(w.groups, g)
	return g
}

// tidy drops the groups that emptied, before they are many.
func (w *waiting) tidy() {
	const few = 64
	if len(w.groups) < few || len(w.groups)&(len(w.groups)-1) != 0 {
		return
	}
	w.groups = slices.DeleteFunc(w.groups, func(g *group) bool {
		if g.head() != nil {
			return false
		}
		delete(w.byName, g.name)
		return true
	})
}
