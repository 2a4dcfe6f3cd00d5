// Package reps owns the materialized rep-availability table. A rep never holds more than
// the caps allow, whatever pools, instances or views believe: the reservation is made
// here, by key.
package reps

import (
	"hash/fnv"
	"slices"
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
		return release(s, m.Release), nil
	case m.Confirm != nil:
		return confirm(env, id, s, &m.Confirm.Claim, at)
	case m.Profile != nil:
		return profile(id, s, *m.Profile, at), nil
	case m.Status != nil:
		return status(s, *m.Status, m.SaidAt, at), nil
	case m.Pause != nil:
		if s != nil && m.Pause.Until > s.Paused && !mutant.On("reps-pause-ignored") {
			s.Paused = m.Pause.Until
			s.Version++
		}
		return s, nil
	case m.Away != nil:
		return away(env, s, m.Away, at), nil
	case m.Remove != nil:
		return remove(id, s)
	case m.Check != nil:
		return assert(id, s, at)
	}
	return s, nil
}

func claim(env Env, s *desk.State, c *leadroute.Claim, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	answer := &leadroute.Answer{Claim: c.ID, Pool: c.Pool, At: at, Bid: c.Bid}
	var pool *plan.Pool
	p := env.Plan(c.Plan)
	if c.Pool != "" {
		pool = p.Pools[c.Pool]
	}
	if i := find(s, c.ID); i >= 0 && !mutant.On("reps-copy-counts-twice") {
		answer.Accepted, answer.At = true, s.Held[i].At
	} else {
		needs := cost(pool, c.Class)
		if mutant.On("reps-cost-ignored") {
			needs = 1
		}
		reason := desk.Refuse(s, p, pool, needs, at, c.EvenIfFull)
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
			hold(s, c, cost(pool, c.Class), at)
			if !c.EvenIfFull {
				s.Taken = s.Taken.Log(desk.Took{Key: key(c.ID), Pool: c.Pool, At: at}, s.Profile.Caps, poolCaps(p), p.RepZone(&s.Profile))
			}
		}
	}
	describe(s, answer)
	return s, toLedger(c.ID.Lead, &leadroute.LedgerMessage{Answer: answer})
}

// cost is how many open places a lead of the class takes; one by name takes one.
func cost(pool *plan.Pool, c leadroute.Class) int {
	if pool == nil {
		return 1
	}
	return pool.CostOf(c)
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
func describe(s *desk.State, a *leadroute.Answer) {
	if s == nil {
		return
	}
	a.Version, a.Status, a.Open, a.CRMID = s.Version, s.Status, s.Open(), s.Profile.CRMID
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

func hold(s *desk.State, c *leadroute.Claim, cost int, at leadroute.Millis) {
	if cost == 1 {
		cost = 0 // the wire's own 1
	}
	s.Held = append(s.Held, desk.Claim{
		Lead: c.ID.Lead, Rev: c.ID.Rev, Target: c.ID.Target, Try: c.ID.Try, Pool: c.Pool, At: at, Exempt: c.EvenIfFull, Cost: cost,
	})
	s.Version++
}

func release(s *desk.State, r *leadroute.Release) *desk.State {
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
	if s.Gone && len(s.Held) == 0 {
		return nil
	}
	return s
}

// confirm holds again what the ledger has committed: a stalled owner's late write may
// have lost it. A rep who is gone gives the lead back.
func confirm(env Env, id leadroute.RepID, s *desk.State, c *leadroute.Claim, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	if s == nil {
		return nil, toLedger(c.ID.Lead, &leadroute.LedgerMessage{Revise: &leadroute.Revise{Rev: c.ID.Rev, Reason: "rep_removed"}})
	}
	if c.ID.Rep == id && find(s, c.ID) < 0 {
		hold(s, c, cost(env.Plan(c.Plan).Pools[c.Pool], c.Class), at)
	}
	return s, nil
}

// status sets the status, unless the rep had it before the one that the row has. Nobody can
// have had one after it came here: the clock of who says so is ahead, and would silence
// everybody else for as long.
func status(s *desk.State, to leadroute.RepStatus, said, at leadroute.Millis) *desk.State {
	if said == 0 || said > at && !mutant.On("reps-future-status-stays") {
		said = at
	}
	if s == nil || said < s.StatusAt && !mutant.On("reps-older-status-wins") {
		return s
	}
	s.StatusAt = said
	if s.Status != to {
		s.Status = to
		s.Version++
	}
	return s
}

func profile(id leadroute.RepID, s *desk.State, r leadroute.Rep, at leadroute.Millis) *desk.State {
	if s == nil {
		s = &desk.State{Status: leadroute.StatusAvailable}
	}
	if s.Gone {
		s.Gone, s.Status, s.StatusAt = false, leadroute.StatusAvailable, at
	}
	r.ID = id
	if !slices.Equal(r.Away, s.Profile.Away) {
		s.Back = 0 // it says something new
	}
	s.Profile = r
	s.Version++
	return s
}

// away changes the times out of the office, and forgets those that are over. One that begins
// when another one does takes its place; of too many, those that begin last are not taken.
func away(env Env, s *desk.State, m *leadroute.RepAway, at leadroute.Millis) *desk.State {
	if s == nil || s.Gone {
		return s
	}
	if len(m.Add) > 0 && mutant.On("reps-away-forgotten") {
		s.Away = nil
	}
	zone := env.Plan("").RepZone(&s.Profile)
	before, back := slices.Clone(s.Away), s.Back
	s.Away = slices.DeleteFunc(s.Away, func(a leadroute.Away) bool {
		return a.Over(at) || m.Back > 0 && (m.All || leadroute.At(a.From.Start(zone)) <= m.Back)
	})
	if m.Back > 0 && len(s.Profile.Away) > 0 {
		s.Back = max(s.Back, m.Back)
	}
	for _, a := range m.Add {
		if !a.Over(at) && !a.Never() {
			s.Away = append(slices.DeleteFunc(s.Away, func(o leadroute.Away) bool { return o.From == a.From }), a)
		}
	}
	slices.SortFunc(s.Away, func(a, b leadroute.Away) int { return a.From.Start(zone).Compare(b.From.Start(zone)) })
	s.Away = s.Away[:min(len(s.Away), leadroute.MaxAway)]
	if !slices.Equal(before, s.Away) || back != s.Back {
		s.Version++
	}
	return s
}

// remove takes the rep off the floor: the leads on the desk are asked to move on, and the
// row goes with the last of them.
func remove(id leadroute.RepID, s *desk.State) (*desk.State, []leadroute.Effect) {
	if s == nil || len(s.Held) == 0 {
		return nil, nil
	}
	if mutant.On("reps-forget-on-remove") {
		return nil, assertAll(id, s, s.Held)
	}
	if !s.Gone {
		s.Gone = true
		s.Version++
	}
	return s, assertAll(id, s, s.Held)
}

// assert reminds the ledger of every claim that has been held for a while, so that one
// whose lead moved on is released.
func assert(id leadroute.RepID, s *desk.State, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	if s == nil || len(s.Held) == 0 || at < s.Asserted.Add(restAfter) {
		return s, nil
	}
	s.Asserted = at
	rested := make(desk.Held, 0, len(s.Held))
	for _, c := range s.Held {
		if s.Gone || at >= c.At.Add(restAfter) {
			rested = append(rested, c)
		}
	}
	return s, assertAll(id, s, rested)
}

// assertAll says again that these claims are held and, where the rep is gone, that their
// leads must move on.
func assertAll(id leadroute.RepID, s *desk.State, claims desk.Held) []leadroute.Effect {
	var out []leadroute.Effect
	for i := range claims {
		c := &claims[i]
		a := &leadroute.Answer{
			Claim: leadroute.ClaimID{Lead: c.Lead, Rev: c.Rev, Target: c.Target, Try: c.Try, Rep: id},
			Pool:  c.Pool, Accepted: true, At: c.At, Asserted: true,
		}
		describe(s, a)
		out = append(out, toLedger(c.Lead, &leadroute.LedgerMessage{Answer: a})...)
		if s.Gone {
			out = append(out, toLedger(c.Lead, &leadroute.LedgerMessage{Revise: &leadroute.Revise{Rev: c.Rev, Reason: "rep_removed"}})...)
		}
	}
	return out
}

// Sweep asks for a Check of a row whose claims have rested.
func Sweep(id leadroute.RepID, s *desk.State, now leadroute.Millis) []leadroute.Effect {
	if len(s.Held) == 0 || now < s.Asserted.Add(restAfter) || now < s.Held[0].At.Add(restAfter) {
		return nil
	}
	return []leadroute.Effect{{
		Topic: leadroute.TopicReps, Key: string(id), Value: &leadroute.RepMessage{Check: &leadroute.Check{At: now}},
	}}
}

func toLedger(lead leadroute.LeadID, m *leadroute.LedgerMessage) []leadroute.Effect {
	return []leadroute.Effect{{Topic: leadroute.TopicLedger, Key: string(lead), Value: m}}
}

func key(c leadroute.ClaimID) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.String()))
	return h.Sum64()
}
