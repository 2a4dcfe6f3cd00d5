package sim

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/pools"
)

// drawModel is a model that likes reps who hold little, and some reps more than others.
func (w *World) drawModel() *plan.Model {
	l := plan.NewLayout()
	held := plan.NumberField(l.Fact("rep.held", plan.TypeNumber), "rep.held")
	taste := plan.NumberField(l.Fact("rep.weight", plan.TypeNumber), "rep.weight")
	return plan.NewModel(plan.Model{Intercept: 1, Features: []plan.Feature{
		{Name: "held", Weight: -float64(1 + w.rng.IntN(3)), Number: &held}, {Name: "taste", Weight: 0.7, Number: &taste},
	}}, l)
}

// fits are the candidates of an offer to a pool by best_fit, as its own view shows them: nil
// where somebody else may be picked, or the offer was answered before.
func (w *World) fits(pool string, own *owner, m *leadroute.PoolMessage, at leadroute.Millis) []pools.Candidate {
	if m.Offer == nil || m.Offer.Declined != nil {
		return nil
	}
	p := w.planOf(m.Offer.Plan)
	to := p.Pools[leadroute.PoolID(pool)]
	if to == nil || to.Strategy != plan.BestFit || m.Offer.Strategy != "" {
		return nil
	}
	among, _, _ := own.by.view.roster.Candidates(nil, p, to, m.Offer, at)
	return slices.DeleteFunc(among, func(c pools.Candidate) bool { return c.Rep == m.Offer.Avoid })
}

// checkFit checks that a lead goes to the rep with the best score, or evenly where the
// policy wants that.
func (w *World) checkFit(pool string, among []pools.Candidate, even pools.Turn, before, s *pools.State, m *leadroute.PoolMessage) {
	if len(among) == 0 || s == nil || slices.Equal(before.Recent, s.Recent) {
		return
	}
	explores := w.planOf(m.Offer.Plan).Pools[leadroute.PoolID(pool)].Explores(m.Offer.Lead)
	if moved := s.Even != even; explores != moved && (explores || len(among) > 1) {
		w.violate("4 rotation", "%s is given out evenly by %s: %t, want %t", m.Offer.Lead, pool, moved, explores)
	}
	if explores {
		return
	}
	rep := s.Recent[len(s.Recent)-1].Rep
	best, got := among[0].Score, among[0].Score
	for _, c := range among {
		best = max(best, c.Score)
		if c.Rep == rep {
			got = c.Score
		}
	}
	if got < best {
		w.violate("4 rotation", "%s gave %s to %s with score %v, the best is %v", pool, m.Offer.Lead, rep, got, best)
	}
}
