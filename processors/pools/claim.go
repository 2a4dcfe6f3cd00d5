package pools

import (
	"cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// claim offers the lead to everybody at once: it goes to the first who claims it. The pool
// keeps nothing about it. The ledger has the lead open, asks here whether a rep who bids
// may have it, and the rep's row says whether the rep can.
type claim struct{}

func (claim) Name() plan.Strategy { return plan.Claim }

// Pick has no say: whoever claims first is picked.
func (claim) Pick(last Turn, _ []Candidate) (int, Turn) { return 0, last }

// open tells the ledger that the lead is open to claim, and who could take it now where
// the pool wants them told; or that there is nobody.
func open(env Env, p *plan.Plan, pool *plan.Pool, o *leadroute.Offer, at leadroute.Millis) []leadroute.Effect {
	among, _, no := env.Roster.Candidates(nil, p, pool, o, at)
	if among = without(among, o); len(among) == 0 {
		return none(o, cmp.Or(no, "nobody_available"))
	}
	m := &leadroute.Opened{Rev: o.Rev, Target: o.Target, Try: o.Try, Pool: o.Pool}
	if len(pool.Notify) > 0 {
		for i := range among {
			m.Reps = append(m.Reps, among[i].Rep)
		}
	}
	return []leadroute.Effect{{Topic: leadroute.TopicLedger, Key: string(o.Lead), Value: &leadroute.LedgerMessage{Opened: m}}}
}

// bid asks the rep to take the lead that the rep claims, if the rep is one of those who
// may. Whether there is room, and whether the rep is there, is the rep's row to say.
func bid(env Env, id leadroute.PoolID, m *leadroute.PoolBid, at leadroute.Millis) []leadroute.Effect {
	o, rep := &m.Offer, m.Bid.Rep
	p := env.Plan(o.Plan)
	pool := p.Pools[id]
	refused := "unknown_pool"
	if pool != nil {
		refused = env.Roster.MayClaim(p, pool, o, rep, at)
	}
	if refused == "not_a_member" && mutant.On("pools-anybody-claims") {
		refused = ""
	}
	if refused != "" {
		return []leadroute.Effect{{Topic: leadroute.TopicReplies, Key: m.Bid.Reply, Value: &leadroute.Reply{Lead: o.Lead, Known: true, Refused: refused}}}
	}
	out := ask(o, rep)
	out[0].Value.(*leadroute.RepMessage).Claim.Bid = m.Bid.Reply //nolint:forcetypeassert // ask makes nothing else
	return out
}

// MayClaim says why the rep may not claim the offered lead, whatever lies on the desk, or "".
func (r *Roster) MayClaim(p *plan.Plan, pool *plan.Pool, o *leadroute.Offer, rep leadroute.RepID, at leadroute.Millis) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.rows[rep]
	switch {
	case w == nil:
		return "unknown_rep"
	case !pool.Member(&w.state.Profile):
		return "not_a_member"
	case o.Strict && rep == o.Avoid:
		return "had_it"
	case !present(r.members(p, pool), p, pool, at):
		return "too_few_present"
	}
	fits := newFit(pool, o)
	defer fits.free()
	if !fits.require(&w.state.Profile) {
		return "unfit"
	}
	return ""
}
