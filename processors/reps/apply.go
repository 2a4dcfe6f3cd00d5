// Package reps owns the materialized rep-availability table. A rep never holds more than
// the caps allow, whatever pools, instances or views believe: the reservation is made
// here, by key.
package reps

import (
	"hash/fnv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
	"github.com/leadroute/leadroute/processors/desk"
)

// Env is what a decision may read besides the row and the message.
type Env struct {
	// Plan returns the plan of that id, or the current one where that is no longer kept; never nil.
	Plan func(leadroute.PlanID) *plan.Plan
}

// restAfter is how long held claims rest before a sweep asserts them to their leads.
const restAfter = 10 * time.Minute

// Apply decides what message m does to rep id at time at. It owns s and may change it in
// place; the row it returns replaces s, nil deletes it. A claim that is already held is
// answered "held" again; a release of one that is not held changes nothing.
func Apply(env Env, id leadroute.RepID, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	switch {
	case m.Claim != nil:
		return claim(env, s, m.Claim, at)
	case m.Release != nil:
		return release(s, m.Release, at), nil
	case m.Confirm != nil:
		return confirm(env, id, s, &m.Confirm.Claim, at)
	case m.Profile != nil:
		return profile(id, s, *m.Profile, at), nil
	case m.Status != nil:
		return status(s, m, at), nil
	case m.Pause != nil:
		if s != nil && m.Pause.Until > s.Paused && !mutant.On("reps-pause-ignored") {
			s.Paused = m.Pause.Until
			s.Version++
		}
		return s, nil
	case m.Away != nil:
		return away(env, s, m.Away, at), nil
	case m.Remove != nil:
		return remove(id, s, m.Remove, at)
	case m.Check != nil:
		return assert(id, s, at)
	}
	return s, nil
}

func claim(env Env, s *desk.State, c *leadroute.Claim, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	if s != nil {
		// The clocks of producers differ, and a new owner of the partition has not seen the times
		// before: a rep's claims never go back in time.
		at = max(at, s.Last)
	}
	answer := &leadroute.Answer{Claim: c.ID, Pool: c.Pool, At: at, Bid: c.Bid}
	var pool *plan.Pool
	p := env.Plan(c.Plan)
	if c.Pool != "" {
		pool = p.Pools[c.Pool]
	}
	if i := find(s, c.ID); i >= 0 && !mutant.On("reps-copy-counts-twice") {
		answer.Accepted, answer.At, answer.EvenIfFull = true, s.Held[i].At, s.Held[i].Exempt
	} else {
		priced := c.Class
		if mutant.On("reps-cost-ignored") {
			priced = ""
		}
		reason := desk.Refuse(s, p, pool, priced, at, c.EvenIfFull)
		switch {
		case c.Pool != "" && pool == nil:
			reason = "unknown_pool"
		case reason == "full" && mutant.On("reps-accept-while-full") && s.Open() == desk.OpenCap(&s.Profile):
			reason = ""
		case reason == plan.OffShift && mutant.On("reps-shift-ignored"):
			reason = ""
		case reason == "pool_full" && mutant.On("reps-pool-cap-ignored"):
			reason = ""
		}
		answer.Accepted, answer.Reason = reason == "", reason
		if answer.Accepted {
			answer.EvenIfFull = c.EvenIfFull
			hold(s, p, c, at)
		}
	}
	describe(s, answer, at)
	return s, toLedger(c.ID.Lead, &leadroute.LedgerMessage{Answer: answer})
}

func poolCaps(p *plan.Plan) func(leadroute.PoolID) leadroute.Caps {
	return func(name leadroute.PoolID) leadroute.Caps {
		if pool := p.Pools[name]; pool != nil {
			return pool.Caps
		}
		return leadroute.Caps{}
	}
}

// describe lays the row's state into an answer.
func describe(s *desk.State, a *leadroute.Answer, at leadroute.Millis) {
	if s == nil {
		return
	}
	a.Version, a.Status, a.Open, a.CRMID = s.Version, s.StatusNow(at), s.Open(), s.Profile.CRMID
	if a.Pool != "" {
		a.OpenInPool = s.OpenIn(a.Pool)
	}
}

func find(s *desk.State, id leadroute.ClaimID) int {
	if s != nil {
		for i := range s.Held {
			if s.Held[i].Is(id) {
				return i
			}
		}
	}
	return -1
}

// hold puts a claim on the desk, and into the log of the caps over time.
func hold(s *desk.State, p *plan.Plan, c *leadroute.Claim, at leadroute.Millis) {
	held := desk.Claim{Lead: c.ID.Lead, Rev: c.ID.Rev, Target: c.ID.Target, Try: c.ID.Try, Pool: c.Pool, At: at, Exempt: c.EvenIfFull}
	if n := s.Profile.CostOf(c.Class); n > 1 && !mutant.On("reps-own-cost-ignored") {
		held.Own = n
	}
	if pool := p.Pools[c.Pool]; pool != nil && pool.CostOf(c.Class) > 1 {
		held.Cost = pool.CostOf(c.Class)
	}
	s.Held, s.Last = append(s.Held, held), at
	s.Version++
	if !c.EvenIfFull {
		s.Taken = s.Taken.Log(desk.Took{Key: key(c.ID), Pool: c.Pool, At: at}, s.Profile.Caps, poolCaps(p), p.RepZone(&s.Profile))
	}
}

func release(s *desk.State, r *leadroute.Release, at leadroute.Millis) *desk.State {
	i := find(s, r.Claim)
	if mutant.On("reps-release-any") && s != nil && len(s.Held) > 0 {
		i = 0
	}
	if i < 0 {
		return s
	}
	s.Held = append(s.Held[:i], s.Held[i+1:]...)
	s.Taken = s.Taken.Release(key(r.Claim), r.Counted)
	s.Version++
	return gone(s, at)
}

// confirm holds again what the ledger has committed: a stalled owner's late write may
// have lost it. A rep who is gone gives the lead back.
func confirm(env Env, id leadroute.RepID, s *desk.State, c *leadroute.Claim, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	if s == nil {
		return nil, toLedger(c.ID.Lead, &leadroute.LedgerMessage{Revise: &leadroute.Revise{Rev: c.ID.Rev, Reason: "rep_removed"}})
	}
	if c.ID.Rep != id || find(s, c.ID) >= 0 {
		return s, nil
	}
	hold(s, env.Plan(c.Plan), c, max(at, s.Last))
	if s.Gone {
		return s, assertAll(id, s, s.Held[len(s.Held)-1:], at)
	}
	return s, nil
}

func toLedger(lead leadroute.LeadID, m *leadroute.LedgerMessage) []leadroute.Effect {
	return []leadroute.Effect{{Topic: leadroute.TopicLedger, Key: string(lead), Value: m}}
}

func key(c leadroute.ClaimID) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.String()))
	return h.Sum64()
}
