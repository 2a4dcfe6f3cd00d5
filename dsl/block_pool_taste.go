package dsl

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// taste reads what a pool wants of a rep beyond membership.
func (c *compiler) taste(b *block, pool *plan.Pool) {
	t := &pool.PoolTaste
	t.Require, t.Prefer = c.pair(b.body, "require"), c.pair(b.body, "prefer")
	t.CatchUp = plan.CatchUp(c.word(b.body, "catch_up", string(plan.CatchUpNone), string(plan.CatchUpAverage), string(plan.CatchUpFull)))
	if a := b.attr("catch_up"); a != nil && pool.Strategy != plan.RoundRobin && pool.Strategy != plan.Weighted {
		c.report(noTurns, a.NameRange, `With strategy = %q nobody has turns, so that catch_up changes nothing. It is for "round_robin" and "weighted".`, pool.Strategy)
	}
	t.MinPresent = c.whole(b.body, "min_present", 1)
	if members := len(pool.Members); t.MinPresent > members && members > 0 {
		c.report(outOfRange, b.attr("min_present").Expr.Range(), "The pool has %s; with min_present = %d it would never give out a lead.", count(members, "member"), t.MinPresent)
	}
	if pool.Strategy == plan.BestFit {
		t.Model = c.model(b.body)
	}
	t.Explore = c.shareOf(b.body, "explore")
	c.ramp(b.body, t)
	if n := b.only("capacity"); n != nil {
		t.Cost = c.classCosts(n.body)
		if t.Cost != nil && n.attr("open") == nil {
			c.report(missingAttribute, n.attr("cost").NameRange, "cost counts against open; say how many places a rep has: open = 8.")
		}
	}
}

// pair compiles a condition over a lead and a rep.
func (c *compiler) pair(b body, name string) *plan.PairCond {
	a := b.attr(name)
	if a == nil {
		return nil
	}
	s := c.pairScope()
	t := s.truth(a.Expr)
	if t.kind != truth {
		return nil
	}
	return plan.Pair(s.layout, t.cond)
}

// ramp reads ramp = { weeks = 6, from = 0.25 }.
func (c *compiler) ramp(b body, t *plan.PoolTaste) {
	k, ok := c.value(b, "ramp")
	if !ok {
		return
	}
	o, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, "ramp is an object: ramp = { weeks = 6, from = 0.25 }.")
		return
	}
	for _, it := range o.items {
		f, isNumber := it.v.(float64)
		switch {
		case it.key != "weeks" && it.key != "from":
			c.report(unknownAttribute, it.keyRng, "A ramp has weeks and from, not %q.", it.key)
		case !isNumber:
			c.report(wrongType, it.rng, "%s is a number, not %s.", it.key, kindOf(it.v))
		case it.key == "weeks" && f >= 1 && f <= 520 && f == float64(int(f)):
			t.Ramp.Weeks = int(f)
		case it.key == "from" && f >= 0 && f < 1:
			t.Ramp.From = f
		default:
			c.report(outOfRange, it.rng, "weeks is a whole number of at least 1, and from is the share with which a new rep begins, from 0 and below 1.")
		}
	}
	if o.get("weeks") == nil {
		c.report(missingAttribute, k.rng, "A ramp says how long it lasts: ramp = { weeks = 6, from = 0.25 }.")
	}
}

// classCosts reads cost = { P0 = 3, P1 = 2 }.
func (c *compiler) classCosts(b body) map[leadroute.Class]int {
	k, ok := c.value(b, "cost")
	if !ok {
		return nil
	}
	o, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, "cost says how many places a lead takes, by priority: cost = { P0 = 3, P1 = 2 }.")
		return nil
	}
	cost := map[leadroute.Class]int{}
	for _, it := range o.items {
		f, isNumber := it.v.(float64)
		switch {
		case !slices.Contains(c.names("priority"), it.key):
			c.exists("priority", it.key, it.keyRng)
		case !isNumber || f < 1 || f > 1000 || f != float64(int(f)):
			c.report(outOfRange, it.rng, "A lead takes a whole number of places, 1 at least.")
		default:
			cost[leadroute.Class(it.key)] = int(f)
		}
	}
	return cost
}
