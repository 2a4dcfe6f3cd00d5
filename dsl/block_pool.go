package dsl

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// pool "emea" { ... } is a set of reps and the way in which they take turns.
func poolBlock() *blockSpec {
	return &blockSpec{
		name: "pool", labels: 1,
		attrs:  words("members members_where strategy weight_by hours require prefer catch_up ramp min_present model explore notify"),
		nested: []*blockSpec{capacityBlock()},
		build:  (*compiler).pool,
	}
}

func (c *compiler) pool(b *block) {
	p := &plan.Pool{Name: leadroute.PoolID(b.name), Strategy: plan.RoundRobin, Caps: c.capacity(b.body)}
	p.Description, _ = c.text(b.body, "description")
	c.plan.Pools[p.Name] = p
	members, where := b.attr("members"), b.attr("members_where")
	switch {
	case members != nil && where != nil:
		c.report(invalidValue, where.NameRange, "A pool has members or members_where, not both.")
	case members != nil:
		for _, m := range c.refs(b.body, "members", "rep") {
			p.Members = append(p.Members, leadroute.RepID(m))
		}
		if list, ok := members.Expr.(*hclsyntax.TupleConsExpr); ok && len(list.Exprs) == 0 {
			c.report(emptyPool, members.Expr.Range(), "Nobody is in the pool %q, so that no lead can go there.", b.name)
		}
	case where != nil:
		s := c.repScope()
		p.Where = plan.WhereRep(s.layout, s.condition(where.Expr))
	case !c.brokenWithin(b.full):
		c.report(emptyPool, b.rng, "A pool needs members = [rep.name, ...] or members_where = rep.field == ...")
	}
	if name, ok := c.value(b.body, "hours"); ok {
		if h, ok := c.blockNamed(name, "hours"); ok {
			p.Hours = c.plan.Hours[h]
		}
	}
	c.strategy(b, p)
	c.taste(b, p)
}

func (c *compiler) strategy(b *block, p *plan.Pool) {
	name := c.word(b.body, "strategy", string(plan.RoundRobin), string(plan.Weighted), string(plan.LeastLoaded), string(plan.BestFit), string(plan.Claim))
	if name != "" {
		p.Strategy = plan.Strategy(name)
	}
	for _, name := range words("model explore") {
		if a := b.attr(name); a != nil && p.Strategy != plan.BestFit {
			c.report(invalidValue, a.NameRange, `%s is for strategy = "best_fit".`, name)
		}
	}
	if a := b.attr("notify"); a != nil {
		p.Notify = c.refs(b.body, "notify", "channel")
		if p.Strategy != plan.Claim {
			c.report(invalidValue, a.NameRange, `notify tells the reps of a pool what is open to claim: it is for strategy = "claim".`)
		}
	}
	a := b.attr("weight_by")
	if a == nil {
		return
	}
	if p.Strategy != plan.Weighted {
		c.report(invalidValue, a.NameRange, `weight_by is for strategy = "weighted".`)
	}
	s := c.repScope()
	if w := s.as(number, s.check(a.Expr)); w.kind == number {
		p.WeightBy = plan.NumberOfRep(s.layout, w.num)
	}
}

// repScope reads a rep; each condition has a layout of its own, with no more fields
// than it needs.
func (c *compiler) repScope() *scope {
	return &scope{c: c, layout: plan.NewLayout(), root: "rep"}
}
