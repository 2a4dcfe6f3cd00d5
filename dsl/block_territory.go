package dsl

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// territory "dach" { ... } is a part of the world and the pool that serves it.
func territoryBlock() *blockSpec {
	return &blockSpec{
		name: "territory", labels: 1, attrs: words("when pool"),
		build: func(c *compiler, b *block) {
			if b.name == "of_lead" {
				c.report(invalidValue, b.nameRange, "territory.of_lead is the territory of the lead at hand; give this one another name.")
			}
			t := plan.Territory{Name: b.name, Pool: leadroute.PoolID(c.ref(b.body, "pool", "pool"))}
			if a := b.attr("when"); a != nil {
				t.When = c.leadScope(decided{priority: true}).condition(a.Expr)
			}
			c.plan.Territories = append(c.plan.Territories, t)
		},
		after: func(c *compiler) {
			for i, t := range c.plan.Territories {
				if !t.When.Always() {
					continue
				}
				for _, b := range c.blocks["territory"][i+1:] {
					c.report(unreachablePart, b.nameRange, "No lead is in this territory: %s, before it, takes every lead.", t.Name)
				}
				return
			}
		},
	}
}
