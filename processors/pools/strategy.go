package pools

import (
	"cmp"
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// Candidate is a rep who could take the lead now, as the pool sees it.
type Candidate struct {
	Rep    leadroute.RepID
	Weight float64 // 0 is 1
	Open   int     // places taken by claims held and picks not yet seen in the view
	// Ramp is a new rep's share of a full one, above 0 and at most 1; 0 is 1.
	Ramp float64
	// Preferred: the pool would rather give the lead to this one.
	Preferred bool
	// Score is what the pool's model says of the rep and the lead; 0 where there is none.
	Score float64
}

// ramp is the share, whatever made the candidate.
func (c *Candidate) ramp() float64 {
	if c.Ramp <= 0 {
		return 1
	}
	return c.Ramp
}

// preferred are those whom the pool prefers or, where there is none, all.
func preferred(among []Candidate) []Candidate {
	if !slices.ContainsFunc(among, func(c Candidate) bool { return c.Preferred }) {
		return among
	}
	return slices.DeleteFunc(slices.Clone(among), func(c Candidate) bool { return !c.Preferred })
}

// Strategy picks one of the candidates, given the turn before it, and returns the turn
// after it, which may lie beyond the unit. Candidates are never empty and ordered by rep id.
type Strategy interface {
	Name() plan.Strategy
	Pick(last Turn, among []Candidate) (int, Turn)
}

// rotation is a strategy in which reps have turns, each by a clock.
type rotation interface {
	clock(c *Candidate) clock
}

// Builtin lists every strategy.
var Builtin = []Strategy{roundRobin{}, weighted{}, leastLoaded{}, bestFit{}, claim{}}

// strategyOf is the offer's strategy, or the pool's.
func strategyOf(pool *plan.Pool, o *leadroute.Offer) Strategy {
	if o.Strategy != "" {
		return strategyFor(plan.Strategy(o.Strategy))
	}
	return strategyFor(pool.Strategy)
}

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
func earliest(last Turn, among []Candidate, by rotation) (int, Turn) {
	best, at := -1, Turn{}
	for i := range among {
		if t := by.clock(&among[i]).next(last); best < 0 || t.compare(at) < 0 {
			best, at = i, t
		}
	}
	return best, at
}

// roundRobin hands leads out in turn, by id; to those whose share still grows so much seldomer.
type roundRobin struct{}

func (roundRobin) Name() plan.Strategy { return plan.RoundRobin }

func (roundRobin) clock(c *Candidate) clock { return inStep(ticks(c.ramp()), c.Rep) }

func (r roundRobin) Pick(last Turn, among []Candidate) (int, Turn) { return earliest(last, among, r) }

// weighted hands leads out in turn, to each rep in proportion to the weight, smoothly.
type weighted struct{}

func (weighted) Name() plan.Strategy { return plan.Weighted }

func (weighted) clock(c *Candidate) clock { return apart(ticks(orOne(c.Weight)*c.ramp()), c.Rep) }

func (w weighted) Pick(last Turn, among []Candidate) (int, Turn) { return earliest(last, among, w) }

func orOne(weight float64) float64 {
	if weight == 0 {
		return 1
	}
	return weight
}

// leastLoaded picks whoever would hold the fewest open leads with this one, for the share
// of a full rep; ties go in turn.
type leastLoaded struct{}

func (leastLoaded) Name() plan.Strategy { return plan.LeastLoaded }

func (leastLoaded) Pick(last Turn, among []Candidate) (int, Turn) {
	best, at := -1, Turn{}
	for i := range among {
		t := inStep(weightUnit, among[i].Rep).next(last)
		if best < 0 || cmp.Or(cmp.Compare(among[i].load(), among[best].load()), t.compare(at)) < 0 {
			best, at = i, t
		}
	}
	return best, at
}

func (c *Candidate) load() float64 { return float64(c.Open+1) / c.ramp() }

// bestFit picks among those whom the pool prefers, the others only if there is none of
// them, whoever has the best score by the pool's model, of equals the one who holds the
// fewest open leads.
type bestFit struct{}

func (bestFit) Name() plan.Strategy { return plan.BestFit }

func (bestFit) Pick(last Turn, among []Candidate) (int, Turn) {
	sense := 1
	if mutant.On("pools-worst-fit") {
		sense = -1
	}
	best, at := -1, Turn{}
	for i := range among {
		c := &among[i]
		t := inStep(weightUnit, c.Rep).next(last)
		if best < 0 || cmp.Or(cmp.Compare(among[best].Score, c.Score)*sense, cmp.Compare(c.load(), among[best].load()), t.compare(at)) < 0 {
			best, at = i, t
		}
	}
	return best, at
}
