package pools

import (
	"hash/fnv"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// The line at a pool: those whom it turned away because nobody has room. While one is
// remembered, a lead that stands behind it gets a rep only where there is room for both; so
// leads go in the order of their queues, whichever partition offers first, and a new one
// does not overtake those who wait. The clock offers the heads of the queues again at each
// tick, which keeps them remembered; who found a place elsewhere is forgotten in lineTTL.
const (
	lineMax = 8
	lineTTL = 1500 * time.Millisecond // several ticks of the clock
)

// Waiter is a lead in the line.
type Waiter struct {
	leadroute.Place
	Plan uint32           `json:"p"` // hash: another plan's pool has other members
	Cost int              `json:"c"` // places that it takes
	At   leadroute.Millis `json:"a"` // when it was last turned away
}

// fresh tells whether the waiter has been turned away lately.
func (w *Waiter) fresh(at leadroute.Millis) bool { return at < w.At.Add(lineTTL) }

// ahead counts those before whom the offered lead must not be served. One that takes more
// places than this one does not hold it up: it might wait for a rep who has so many.
func (s *State) ahead(p *plan.Plan, o *leadroute.Offer, cost int, at leadroute.Millis) int {
	if len(s.Line) == 0 || o.Place == nil || mutant.On("pools-line-ignored") {
		return 0
	}
	id := planHash(p)
	line := make([]leadroute.Place, 0, lineMax+1)
	for i := range s.Line {
		if w := &s.Line[i]; w.Lead != o.Lead && w.Plan == id && w.Cost <= cost && w.fresh(at) {
			line = append(line, w.Place)
		}
	}
	line = append(line, *o.Place)
	leadroute.Line(line)
	return slices.Index(line, *o.Place)
}

// mustWait tells whether there is room for those alone who stand before the offered lead.
func (s *State) mustWait(r *Roster, p *plan.Plan, pool *plan.Pool, o *leadroute.Offer, cost int, at leadroute.Millis) bool {
	n := s.ahead(p, o, cost, at)
	if n == 0 {
		return false
	}
	var buf [64]Candidate
	among, _, _ := r.Candidates(buf[:0], p, pool, o, at)
	among = without(among, o)
	return len(among) > 0 && n >= r.Room(pool, cost, among)
}

// turnedAway remembers a lead that waits for the pool: the first lineMax of all.
func (s *State) turnedAway(p *plan.Plan, o *leadroute.Offer, cost int, at leadroute.Millis) {
	if !o.Waits || o.Place == nil {
		return
	}
	w := Waiter{Place: *o.Place, Plan: planHash(p), Cost: cost, At: at}
	if i := s.inLine(o.Lead); i >= 0 {
		// Written anew only now and then: the heads are turned away some times a second.
		if had := s.Line[i]; had.Place == w.Place && had.Plan == w.Plan && had.Cost == w.Cost && at < had.At.Add(lineTTL/3) {
			return
		}
	} else if len(s.Line) >= lineMax && slices.IndexFunc(s.Line, func(v Waiter) bool { return !v.fresh(at) }) < 0 && !s.firsts(w) {
		return
	}
	s.Line = slices.DeleteFunc(s.Line, func(v Waiter) bool { return v.Lead == o.Lead || !v.fresh(at) })
	s.Line = append(s.Line, w)
	if len(s.Line) > lineMax {
		last := s.last()
		s.Line = slices.DeleteFunc(s.Line, func(v Waiter) bool { return v.Lead == last })
	}
}

// firsts tells whether the waiter would not be the last of a full line.
func (s *State) firsts(w Waiter) bool {
	all := State{Line: append(slices.Clone(s.Line), w)}
	return all.last() != w.Lead
}

// last is who stands at the end of the line.
func (s *State) last() leadroute.LeadID {
	line := make([]leadroute.Place, len(s.Line))
	for i := range s.Line {
		line[i] = s.Line[i].Place
	}
	leadroute.Line(line)
	return line[len(line)-1].Lead
}

// leaves takes a lead out of the line.
func (s *State) leaves(id leadroute.LeadID) {
	if i := s.inLine(id); i >= 0 {
		s.Line = slices.Delete(s.Line, i, i+1)
	}
}

func (s *State) inLine(id leadroute.LeadID) int {
	return slices.IndexFunc(s.Line, func(w Waiter) bool { return w.Lead == id })
}

func planHash(p *plan.Plan) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.ID))
	return h.Sum32()
}
