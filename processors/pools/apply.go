// Package pools owns each pool's rotation. It picks a rep by strategy over a live view of
// the rep table and asks that rep; whether the rep takes the lead is decided by the rep's
// own row, and whose lead it is by the ledger.
package pools

import (
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// State is a pool's row: a turn, the turns owed and missed, and the last picks. It does
// not grow with the pool: some 0.8 kB with 16 picks, 2 kB with all lists full.
type State struct {
	Turn Turn `json:"turn,omitzero"`
	// Owed are reps who declined what was theirs only because the view was stale: each
	// gets the next lead when free. At most owedMax.
	Owed []leadroute.RepID `json:"owed,omitempty"`
	// Recent are the last picks, oldest first, so that a replayed offer meets the same rep. At most recentMax.
	Recent []Pick `json:"recent,omitempty"`
	// Missed are turns that catch_up makes up for, of at most missedMax reps. Made: the last
	// lead was out of turn, for one of them or for one owed.
	Missed []Missed `json:"missed,omitempty"`
	Made   bool     `json:"made,omitempty"`
	// Even is the turn of the leads that a pool by best_fit gives out evenly.
	Even Turn `json:"even,omitzero"`
	// Line are leads that wait for a place here. At most lineMax.
	Line []Waiter `json:"line,omitempty"`
}

// Pick is an offer that was answered with a claim.
type Pick struct {
	Offer uint64          `json:"o"` // hash of lead, revision and try
	Rep   leadroute.RepID `json:"r"`
}

const (
	owedMax   = 16
	recentMax = 16
)

// nobodyAvailable is the answer while no member has room.
const nobodyAvailable = "nobody_available"

// Env is what a decision may read besides the row and the message.
type Env struct {
	// Plan returns the plan of that id, or the current one where that is no longer kept; never nil.
	Plan   func(leadroute.PlanID) *plan.Plan
	Roster *Roster
}

// Apply answers an offer with a claim to one rep or, when nobody is free, with
// NoCandidate to the ledger; one by the strategy claim with who could take the lead, and a
// bid with a claim to the rep who bids. It owns s and may change it in place.
func Apply(env Env, id leadroute.PoolID, s *State, m *leadroute.PoolMessage, at leadroute.Millis) (*State, []leadroute.Effect) {
	if m.Bid != nil {
		return s, bid(env, id, m.Bid, at)
	}
	o := m.Offer
	if o == nil {
		return s, nil
	}
	p := env.Plan(o.Plan)
	pool := p.Pools[id]
	if pool == nil {
		return s, none(o, "unknown_pool")
	}
	by := strategyOf(pool, o)
	if by.Name() == plan.Claim {
		return s, open(env, p, pool, o, at)
	}
	if s == nil {
		s = &State{}
	}
	if rep, again := s.Asked(o); again {
		return s, ask(o, rep)
	}
	if d := o.Declined; d != nil {
		env.Roster.Said(d)
		s.refund(d)
	}
	if name := by.Name(); name == plan.LeastLoaded || name == plan.BestFit {
		s.Owed = nil // a load has no turns; under an earlier plan there may have been some
	}
	cost := pool.CostOf(o.Class)
	if s.mustWait(env.Roster, p, pool, o, cost, at) {
		s.turnedAway(p, o, cost, at)
		return s, none(o, "others_wait")
	}
	rep, no := s.pick(env.Roster, p, pool, by, o, at)
	if rep == "" {
		if no == nobodyAvailable && o.Declined == nil && !o.Strict { // for nobody, not for this lead alone
			s.turnedAway(p, o, cost, at)
		} else {
			s.leaves(o.Lead) // others might find a place: they need not wait for this one
		}
		return s, none(o, no)
	}
	s.leaves(o.Lead)
	if len(s.Recent) >= recentMax {
		s.Recent = slices.Delete(s.Recent, 0, len(s.Recent)-recentMax+1)
	}
	s.Recent = append(s.Recent, Pick{Offer: offerKey(o), Rep: rep})
	out := ask(o, rep)
	env.Roster.Picked(claimID(o, rep), pool, o.Class, at)
	return s, out
}

// Asked tells whether, and whom, the pool has asked on this offer.
func (s *State) Asked(o *leadroute.Offer) (rep leadroute.RepID, again bool) {
	if s == nil {
		return "", false
	}
	key := offerKey(o)
	for i := range s.Recent {
		if s.Recent[i].Offer == key {
			return s.Recent[i].Rep, true
		}
	}
	return "", false
}

// refund gives back the turn of a rep who declined what the view had shown as possible.
// Who has been owed a turn for longest makes room: it may be a rep who never comes back.
func (s *State) refund(a *leadroute.Answer) {
	if slices.Contains(s.Owed, a.Claim.Rep) {
		return
	}
	if len(s.Owed) >= owedMax {
		s.Owed = slices.Delete(s.Owed, 0, 1)
	}
	s.Owed = append(s.Owed, a.Claim.Rep)
}

// among is who of the candidates gets the offered lead, and whether it was given out evenly.
func (s *State) among(by Strategy, pool *plan.Pool, o *leadroute.Offer, among, away []Candidate, member func(leadroute.RepID) bool) (rep leadroute.RepID, even bool) {
	if by.Name() == plan.BestFit && pool.Explores(o.Lead) && !mutant.On("pools-explores-nothing") {
		s.trim(0)
		i, turn := earliest(s.Even, among, roundRobin{})
		s.Even = turn.wrap()
		return among[i].Rep, true
	}
	most := missable(pool.CatchUp)
	turns, inTurn := by.(rotation)
	if !inTurn {
		most = 0
	}
	among = preferred(among)
	i, turn := by.Pick(s.Turn, among)
	in := func(rep leadroute.RepID) bool {
		return slices.ContainsFunc(among, func(c Candidate) bool { return c.Rep == rep })
	}
	return s.choose(among[i].Rep, turn, turns, most, in, func() []Candidate { return away }, member), false
}

// choose is whoever is owed a turn or makes up for one, else who is next by the strategy, at
// that turn. in tells whether a rep may be chosen. away are the members whose turns that
// are passed count as missed, most of each; turns is nil for a strategy that has none.
func (s *State) choose(next leadroute.RepID, turn Turn, turns rotation, most int, in func(leadroute.RepID) bool, away func() []Candidate, member func(leadroute.RepID) bool) leadroute.RepID {
	s.trim(most)
	for i, rep := range s.Owed {
		if in(rep) {
			s.Owed, s.Made = slices.Delete(s.Owed, i, i+1), true
			return rep
		}
	}
	if rep, ok := s.makeUp(next, in); ok {
		return rep
	}
	if most > 0 {
		s.passed(most, s.Turn, turn, turns, away(), member)
	}
	s.Turn, s.Made = turn.wrap(), false
	return next
}

// without leaves out the rep who just declined, and the one from whom the lead was taken
// unless nobody else is free and the offer does not insist.
func without(among []Candidate, o *leadroute.Offer) []Candidate {
	if o.Declined != nil {
		among = slices.DeleteFunc(among, func(c Candidate) bool { return c.Rep == o.Declined.Claim.Rep })
	}
	if o.Avoid != "" && (o.Strict || len(among) > 1) {
		among = slices.DeleteFunc(among, func(c Candidate) bool { return c.Rep == o.Avoid })
	}
	return among
}

func claimID(o *leadroute.Offer, rep leadroute.RepID) leadroute.ClaimID {
	return leadroute.ClaimID{Lead: o.Lead, Rev: o.Rev, Target: o.Target, Try: o.Try, Rep: rep}
}

func ask(o *leadroute.Offer, rep leadroute.RepID) []leadroute.Effect {
	return []leadroute.Effect{{Topic: leadroute.TopicReps, Key: string(rep), Value: &leadroute.RepMessage{
		Claim: &leadroute.Claim{ID: claimID(o, rep), Pool: o.Pool, Class: o.Class, Plan: o.Plan},
	}}}
}

func none(o *leadroute.Offer, reason string) []leadroute.Effect {
	return []leadroute.Effect{{Topic: leadroute.TopicLedger, Key: string(o.Lead), Value: &leadroute.LedgerMessage{
		NoCandidate: &leadroute.NoCandidate{Rev: o.Rev, Target: o.Target, Try: o.Try, Pool: o.Pool, Reason: reason},
	}}}
}

func offerKey(o *leadroute.Offer) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(o.Lead))
	_, _ = h.Write([]byte("/" + strconv.Itoa(o.Rev) + "/" + strconv.Itoa(o.Try)))
	return h.Sum64()
}
