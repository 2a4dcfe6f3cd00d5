package pools

import (
	"cmp"
	"container/heap"
	"math/bits"
	"slices"
	"sort"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// An order finds who comes next without looking at every member. It says what Candidates and
// the strategy's Pick say, which is the definition; it only looks at fewer reps:
//
//   - members of one weight stand in a ring in the order in which their clocks tick, so that the
//     next one is found by bisection, and one ring is held against the other by the tick;
//   - a member who was refused is left out until the row changes, or until the instant before which
//     the refusal stands (desk.RefusedUntil), and then looked at again;
//   - for least_loaded a ring has a level for each number of places taken. A member's level may be
//     too low, since only what may lower it is told at once, and is put right when it is looked at.
//
// So what is known here is a bound that is checked before it is believed: each member on whom
// the choice falls is asked by row.candidate. Where a pool requires or prefers something
// that few have, it goes on through the order until it finds them; best_fit scores everybody.
type order struct {
	p       *plan.Plan
	pool    *plan.Pool
	turns   rotation // whose clocks the rings are of
	loads   bool     // the fewest places first
	classes []leadroute.Class
	rings   []*ring
	begun   leadroute.Millis // the day of the rings' weights, where there is a ramp
	last    leadroute.Millis // of the last question
	over    bool             // another one has taken its place
	wakes   wakes
}

type orderKey struct {
	poolKey
	strategy plan.Strategy
}

// ring are the members whose clocks go alike, but for their phases.
type ring struct {
	w       int64
	share   float64 // of a full rep: what a place weighs
	members []member
	free    [][]uint64 // by class: not known to be refused
	levels  [][]uint64 // by places taken, as last known
}

// member is one place in a ring.
type member struct {
	row   *row
	clock clock
	level int
	known bool // the row knows that this place knows something
	away  bool // was refused last for a reason that catch_up makes up for
}

// place is where a member stands.
type place struct {
	order *order
	ring  *ring
	i     int
}

// wake is a place that must be looked at again from an instant on.
type wake struct {
	at leadroute.Millis
	place
}

type wakes []wake

func (h wakes) Len() int           { return len(h) }
func (h wakes) Less(i, j int) bool { return h[i].at < h[j].at }
func (h wakes) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *wakes) Push(x any)        { *h = append(*h, x.(wake)) } //nolint:forcetypeassert // nothing else is pushed
func (h *wakes) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = wake{}
	*h = old[:len(old)-1]
	return x
}

const day = leadroute.Millis(24 * time.Hour / time.Millisecond)

// order returns the pool's order for a strategy that has one.
func (r *Roster) order(p *plan.Plan, pool *plan.Pool, by Strategy, at leadroute.Millis) *order {
	k := orderKey{poolKey{p.ID, pool.Name}, by.Name()}
	o := r.orders[k]
	if o == nil || o.p != p || pool.Ramp.Weeks > 0 && at/day != o.begun {
		if o != nil {
			o.over = true
		}
		o = newOrder(p, pool, by, r.members(p, pool), at)
		r.orders[k] = o
	}
	o.wake(at)
	return o
}

func newOrder(p *plan.Plan, pool *plan.Pool, by Strategy, members []*row, at leadroute.Millis) *order {
	o := &order{p: p, pool: pool, begun: at / day, last: at, classes: []leadroute.Class{""}}
	for i := range p.Classes {
		o.classes = append(o.classes, p.Classes[i].Name)
	}
	var ok bool
	if o.turns, ok = by.(rotation); !ok {
		o.turns, o.loads = alike{}, true
	}
	type pace struct {
		w     int64
		share float64
	}
	rings := map[pace]*ring{}
	for _, w := range members {
		c := w.shape(pool, at)
		m := member{row: w, clock: o.turns.clock(&c)}
		k := pace{w: m.clock.w}
		if o.loads {
			k.share = c.ramp()
		}
		g := rings[k]
		if g == nil {
			g = &ring{w: k.w, share: k.share}
			rings[k] = g
			o.rings = append(o.rings, g)
		}
		g.members = append(g.members, m)
	}
	for _, g := range o.rings {
		slices.SortFunc(g.members, func(a, b member) int {
			return cmp.Or(cmp.Compare(a.clock.f, b.clock.f), cmp.Compare(a.row.id, b.row.id))
		})
		g.free = make([][]uint64, len(o.classes))
		g.open()
	}
	return o
}

// alike are the clocks by which equals of least_loaded have turns.
type alike struct{}

func (alike) clock(c *Candidate) clock { return inStep(weightUnit, c.Rep) }

// open forgets all that is known.
func (g *ring) open() {
	words := (len(g.members) + 63) / 64
	full := func() []uint64 {
		b := make([]uint64, words)
		for i := range g.members {
			b[i/64] |= 1 << (i % 64)
		}
		return b
	}
	for c := range g.free {
		g.free[c] = full()
	}
	for i := range g.members {
		g.members[i].level = 0
	}
	g.levels = [][]uint64{full()}
}

// wake has those looked at again who may stand otherwise now.
func (o *order) wake(at leadroute.Millis) {
	if at < o.last { // a replay: what was known was of later
		for _, g := range o.rings {
			g.open()
		}
	}
	o.last = at
	for len(o.wakes) > 0 && o.wakes[0].at <= at {
		v, _ := heap.Pop(&o.wakes).(wake)
		v.again()
	}
}

// changed has all orders look at the row again.
func (w *row) changed() {
	kept := w.known[:0]
	for _, v := range w.known {
		if v.again() {
			kept = append(kept, v)
		}
	}
	clear(w.known[len(kept):])
	w.known = kept
}

// again forgets what is known of the member, but for a bound of the places taken that holds
// whatever happens. It tells whether the place must hear of the next change, too.
func (v place) again() bool {
	if v.order.over {
		return false
	}
	m := &v.ring.members[v.i]
	for c := range v.ring.free {
		v.ring.free[c][v.i/64] |= 1 << (v.i % 64)
	}
	if !v.order.loads {
		m.known = false
		return false
	}
	least := m.row.state.Open()
	if a := m.row.said; a != nil {
		least = min(least, a.Open)
	}
	if least < m.level {
		v.ring.move(v.i, least)
	}
	return true
}

// move puts a member on another level.
func (g *ring) move(i, level int) {
	for len(g.levels) <= level {
		g.levels = append(g.levels, make([]uint64, len(g.free[0])))
	}
	m := &g.members[i]
	g.levels[m.level][i/64] &^= 1 << (i % 64)
	m.level = level
	g.levels[level][i/64] |= 1 << (i % 64)
}

// ask asks the member, and notes what the answer is good for.
func (o *order) ask(g *ring, i, class int, at leadroute.Millis) (c Candidate, ok bool) {
	m := &g.members[i]
	w := m.row
	c, no := w.candidate(o.p, o.pool, o.classes[class], at)
	until := w.fades(at)
	if no != "" {
		g.free[class][i/64] &^= 1 << (i % 64)
		m.away = makesUp(no)
		until = min(until, desk.RefusedUntil(w.state, o.p, o.pool, no, at))
	} else if o.loads && c.Open != m.level {
		g.move(i, c.Open)
	}
	if (no != "" || o.loads) && !m.known {
		m.known = true
		w.known = append(w.known, place{o, g, i})
	}
	if (no != "" || o.loads) && until < desk.Forever {
		heap.Push(&o.wakes, wake{until, place{o, g, i}})
	}
	return c, no == ""
}

// fades is when the next of what is laid over the row ceases to count.
func (w *row) fades(at leadroute.Millis) leadroute.Millis {
	until := desk.Forever
	over := func(since leadroute.Millis) {
		if end := since.Add(pickTTL) + 1; end > at {
			until = min(until, end)
		}
	}
	if w.said != nil {
		over(w.said.At)
	}
	for i := range w.picks {
		over(w.picks[i].at)
	}
	return until
}

// start is the first place of the ring whose clock ticks after turn t.
func (g *ring) start(t Turn) int {
	if t.Den == 0 {
		return 0
	}
	v := t.Num * g.w * phases
	x, rest := v/t.Den%phases, v%t.Den
	if x == 0 && rest == 0 {
		x = phases
	}
	i := sort.Search(len(g.members), func(i int) bool {
		c := &g.members[i].clock
		return c.f > x || rest == 0 && c.f == x && c.rep > t.Rep
	})
	return i % len(g.members)
}

// next is the first place from i on, before end, that is in both sets; -1 if there is none.
func next(a, b []uint64, i, end int) int {
	for i < end {
		word := a[i/64] >> (i % 64)
		if b != nil {
			word &= b[i/64] >> (i % 64)
		}
		if word != 0 {
			if i += bits.TrailingZeros64(word); i < end {
				return i
			}
			return -1
		}
		i = (i/64 + 1) * 64
	}
	return -1
}

// walk goes through those who can take a lead of the class, in the strategy's order.
type walk struct {
	o     *order
	last  Turn
	class int
	at    leadroute.Millis
	heads []head
}

// head is where a walk stands in one ring.
type head struct {
	g     *ring
	start int
	i     int  // next place to look at, -1: the ring is done
	round bool // past the end, and from the beginning up to start
	level int
	load  float64
	tick  Turn
}

func (o *order) walk(last Turn, class leadroute.Class, at leadroute.Millis) *walk {
	k := &walk{o: o, last: last, at: at}
	if k.class = slices.Index(o.classes, class); k.class < 0 {
		o.classes = append(o.classes, class) // of a plan before
		k.class = len(o.classes) - 1
		for _, g := range o.rings {
			g.free = append(g.free, nil)
			g.open()
		}
	}
	k.heads = make([]head, 0, len(o.rings))
	for _, g := range o.rings {
		s := g.start(last)
		h := head{g: g, start: s, i: s}
		if k.find(&h); h.i >= 0 {
			k.heads = append(k.heads, h)
		}
	}
	return k
}

// find moves a head on to the next place from where it stands that is not known to be refused.
func (k *walk) find(h *head) {
	free := h.g.free[k.class]
	for {
		var level []uint64
		if k.o.loads {
			if h.level >= len(h.g.levels) {
				h.i = -1
				return
			}
			level = h.g.levels[h.level]
		}
		end := len(h.g.members)
		if h.round {
			end = h.start
		}
		if i := next(free, level, h.i, end); i >= 0 {
			h.i, h.tick = i, h.g.members[i].clock.next(k.last)
			if k.o.loads {
				h.load = float64(h.level+1) / h.g.share
			}
			return
		}
		switch {
		case !h.round:
			h.i, h.round = 0, true
		case k.o.loads:
			h.i, h.round = h.start, false
			h.level++
		default:
			h.i = -1
			return
		}
	}
}

// next is the next who can take the lead, with the turn of it.
func (k *walk) next() (c Candidate, tick Turn, w *row, ok bool) {
	for {
		best := -1
		for i := range k.heads {
			h := &k.heads[i]
			if h.i < 0 {
				continue
			}
			if best < 0 || cmp.Or(cmp.Compare(h.load, k.heads[best].load), h.tick.compare(k.heads[best].tick)) < 0 {
				best = i
			}
		}
		if best < 0 {
			return Candidate{}, Turn{}, nil, false
		}
		h := &k.heads[best]
		g, i, level := h.g, h.i, h.level
		c, ok := k.o.ask(g, i, k.class, k.at)
		tick, w := h.tick, g.members[i].row
		h.i++
		k.find(h)
		if ok && (!k.o.loads || c.Open == level) { // else it stands on another level
			return c, tick, w, true
		}
	}
}

// away are the members who were refused, for a reason that catch_up makes up for, and whose
// turns lie between two turns of the rotation, by id. Who comes before the one that was
// picked was asked.
func (o *order) away(class int, from, to Turn) []Candidate {
	var all []Candidate
	for _, g := range o.rings {
		n := len(g.members)
		for k, s := 0, g.start(from); k < n; k++ {
			i := (s + k) % n
			m := &g.members[i]
			if m.clock.next(from).compare(to) >= 0 {
				break
			}
			if g.free[class][i/64]&(1<<(i%64)) == 0 && m.away {
				all = append(all, m.row.shape(o.pool, o.last))
			}
		}
	}
	slices.SortFunc(all, func(a, b Candidate) int { return cmp.Compare(a.Rep, b.Rep) })
	return all
}
