package pools

import (
	"cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Candidate is a rep who could take the lead now, as the pool sees it.
type Candidate struct {
	Rep    leadroute.RepID
	Weight float64 // 0 is 1
	Open   int     // claims held and picks not yet seen in the view
}

// Strategy picks one of the candidates, given the turn before it, and returns the turn
// after it. Candidates are never empty and ordered by rep id.
type Strategy interface {
	Name() plan.Strategy
	Pick(last Turn, among []Candidate) (int, Turn)
}

// Builtin lists every strategy.
var Builtin = []Strategy{roundRobin{}, weighted{}, leastLoaded{}}

// strategyFor returns the strategy of that name, or the first where the plan names none.
func strategyFor(name plan.Strategy) Strategy {
	for _, s := range Builtin {
		if s.Name() == name {
			return s
		}
	}
	return Builtin[0]
}

// earliest is the candidate whose clock ticks next.
func earliest(last Turn, among []Candidate, w func(*Candidate) int64) (int, Turn) {
	best, at := -1, Turn{}
	for i := range among {
		if t := last.next(w(&among[i]), among[i].Rep); best < 0 || t.compare(at) < 0 {
			best, at = i, t
		}
	}
	return best, at.wrap()
}

func alike(*Candidate) int64 { return weightUnit }

// roundRobin hands leads out in turn.
type roundRobin struct{}

func (roundRobin) Name() plan.Strategy { return plan.RoundRobin }

func (roundRobin) Pick(last Turn, among []Candidate) (int, Turn) { return earliest(last, among, alike) }

// weighted hands leads out in turn, to each rep in proportion to the weight, smoothly.
type weighted struct{}

func (weighted) Name() plan.Strategy { return plan.Weighted }

func (weighted) Pick(last Turn, among []Candidate) (int, Turn) {
	return earliest(last, among, func(c *Candidate) int64 { return ticks(c.Weight) })
}

// leastLoaded picks whoever holds the fewest open leads; ties go in turn.
type leastLoaded struct{}

func (leastLoaded) Name() plan.Strategy { return plan.LeastLoaded }

func (leastLoaded) Pick(last Turn, among []Candidate) (int, Turn) {
	best, at := -1, Turn{}
	for i := range among {
		t := last.next(weightUnit, among[i].Rep)
		if best < 0 || cmp.Or(cmp.Compare(among[i].Open, among[best].Open), t.compare(at)) < 0 {
			best, at = i, t
		}
	}
	return best, at.wrap()
}
