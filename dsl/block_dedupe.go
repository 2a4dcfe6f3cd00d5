package dsl

import "github.com/leadroute/leadroute/dsl/plan"

// dedupe { ... } says when a lead is one that came before.
func dedupeBlock() *blockSpec {
	return &blockSpec{
		name: "dedupe", once: true, attrs: words("by within then"), required: words("by within"),
		build: func(c *compiler, b *block) {
			d := &plan.Dedupe{By: c.leadFields(b.body, "by"), Within: c.duration(b.body, "within"), Then: plan.SameOwner}
			if then := c.word(b.body, "then", string(plan.SameOwner), string(plan.Drop), string(plan.MergeEvent)); then != "" {
				d.Then = plan.DedupeThen(then)
			}
			c.plan.Dedupe = d
		},
	}
}
