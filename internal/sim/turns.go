package sim

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/pools"
)

// checkTurns checks invariant 4 where a pool lets reps catch up: no two leads in a row make
// up for a turn, and of each rep no more turns are remembered than the policy says.
func (w *World) checkTurns(pool string, before, s *pools.State, m *leadroute.PoolMessage) {
	if m.Offer == nil || s == nil || slices.Equal(before.Recent, s.Recent) {
		return // nobody was picked
	}
	p := w.planOf(m.Offer.Plan).Pools[leadroute.PoolID(pool)]
	most := map[plan.CatchUp]int{plan.CatchUpAverage: 1, plan.CatchUpFull: 10}[p.CatchUp]
	if p.Strategy == plan.LeastLoaded || p.Strategy == plan.BestFit {
		most = 0 // a load has no turns
	}
	left := func(s *pools.State, rep leadroute.RepID) int {
		for _, missed := range s.Missed {
			if missed.Rep == rep {
				return min(missed.N, most)
			}
		}
		return 0
	}
	if rep := s.Recent[len(s.Recent)-1].Rep; before.Made && s.Made && left(s, rep) < left(before, rep) { // not for another reason, such as another plan
		w.violate("4 rotation", "%s let two leads in a row make up for a turn: %+v", pool, s)
	}
	for _, missed := range s.Missed {
		if missed.N > most {
			w.violate("4 rotation", "%s remembers %d turns of %s, the policy makes up for %d", pool, missed.N, missed.Rep, most)
		}
	}
}
