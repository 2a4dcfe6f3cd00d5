package pools

import (
	"cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// pick is who gets the offered lead, "" if nobody can take it, which no then says why. The
// strategies that have an order go by that; it gives the same answer as the scan does.
func (s *State) pick(r *Roster, p *plan.Plan, pool *plan.Pool, by Strategy, o *leadroute.Offer, at leadroute.Millis) (rep leadroute.RepID, no string) {
	if by.Name() == plan.BestFit || r.scan { // any member may have the best score
		return s.byScan(r, p, pool, by, o, at)
	}
	return s.byOrder(r, p, pool, by, o, at)
}

// byScan looks at every member: the definition of who is picked.
func (s *State) byScan(r *Roster, p *plan.Plan, pool *plan.Pool, by Strategy, o *leadroute.Offer, at leadroute.Millis) (rep leadroute.RepID, no string) {
	var buf [64]Candidate
	among, away, no := r.Candidates(buf[:0], p, pool, o, at)
	if among = without(among, o); len(among) == 0 {
		return "", cmp.Or(no, nobodyAvailable)
	}
	rep, _ = s.among(by, pool, o, among, away, func(rep leadroute.RepID) bool { return r.member(pool, rep) })
	return rep, ""
}

// found is whom a walk through an order has found.
type found struct {
	Candidate
	turn  Turn
	alone bool // nobody else can take the lead
}

// byOrder looks at those who come first, until one fits.
func (s *State) byOrder(r *Roster, p *plan.Plan, pool *plan.Pool, by Strategy, o *leadroute.Offer, at leadroute.Millis) (rep leadroute.RepID, no string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := r.members(p, pool)
	switch {
	case len(members) == 0:
		return "", "no_members"
	case !present(members, p, pool, at):
		return "", "too_few_present"
	}
	fits := newFit(pool, o)
	defer fits.free()
	way := r.order(p, pool, by, at).walk(s.Turn, o.Class, at)
	f, no := way.first(&fits, o)
	if f == nil {
		return "", no
	}
	// in tells whether the strategy may pick the rep as well as the one who was found.
	in := func(rep leadroute.RepID) bool {
		w := r.rows[rep]
		switch {
		case rep == f.Rep:
			return true
		case w == nil, f.alone, rep == o.Avoid, o.Declined != nil && rep == o.Declined.Claim.Rep, !pool.Member(&w.state.Profile):
			return false
		}
		if _, no := w.candidate(p, pool, o.Class, at); no != "" {
			return false
		}
		return fits.require(&w.state.Profile) && (!f.Preferred || fits.prefer(&w.state.Profile))
	}
	most := missable(pool.CatchUp)
	turns, inTurn := by.(rotation)
	if !inTurn {
		most = 0
	}
	away := func() []Candidate {
		if most == 0 {
			return nil
		}
		return way.o.away(way.class, s.Turn, f.turn)
	}
	return s.choose(f.Rep, f.turn, turns, most, in, away, func(rep leadroute.RepID) bool {
		w := r.rows[rep]
		return w != nil && pool.Member(&w.state.Profile)
	}), ""
}

// first is the first on the way whom the pool prefers or, where there is none, who fits.
func (k *walk) first(fits *fit, o *leadroute.Offer) (f *found, no string) {
	var avoided *found
	seen, unfit := false, false
	for {
		c, turn, w, ok := k.next()
		if !ok {
			break
		}
		if !fits.require(&w.state.Profile) {
			unfit = true
			continue
		}
		seen = true
		switch {
		case o.Declined != nil && c.Rep == o.Declined.Claim.Rep:
			continue
		case c.Rep == o.Avoid:
			c.Preferred = fits.prefer(&w.state.Profile)
			avoided = &found{c, turn, true}
			continue
		}
		if c.Preferred = fits.prefer(&w.state.Profile); c.Preferred || fits.rather == nil {
			return &found{Candidate: c, turn: turn}, ""
		}
		if f == nil {
			f = &found{Candidate: c, turn: turn}
		}
	}
	switch {
	case f != nil:
		return f, ""
	case avoided != nil && !o.Strict:
		return avoided, ""
	case !seen && unfit:
		return nil, "nobody_fits"
	}
	return nil, nobodyAvailable
}
