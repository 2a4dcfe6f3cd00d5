package dsl

import "github.com/leadroute/leadroute/dsl/plan"

// retention { ... } says how long things are kept.
func retentionBlock() *blockSpec {
	return &blockSpec{
		name: "retention", once: true, attrs: words("leads events raw dead_letters"),
		build: func(c *compiler, b *block) {
			c.plan.Retention = &plan.Retention{
				Leads: c.duration(b.body, "leads"), Events: c.duration(b.body, "events"),
				Raw: c.duration(b.body, "raw"), DeadLetters: c.duration(b.body, "dead_letters"),
			}
		},
	}
}
