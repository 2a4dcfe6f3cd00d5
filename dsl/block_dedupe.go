package dsl

import (
	"time"

	"github.com/leadroute/leadroute/dsl/plan"
)

// How long a person may be remembered.
const (
	minWithin = 24 * time.Hour
	maxWithin = 90 * 24 * time.Hour
)

// dedupe { ... } says when a lead is one that came before.
func dedupeBlock() *blockSpec {
	return &blockSpec{
		name: "dedupe", once: true, attrs: words("by within then notify"), required: words("by within"),
		build: func(c *compiler, b *block) {
			within, then := c.duration(b.body, "within"), plan.SameOwner
			if within > 0 && (within < minWithin || within > maxWithin) {
				c.report(invalidDuration, b.attr("within").Expr.Range(), `A person is remembered for "24h" to "90d".`)
			}
			if said := c.word(b.body, "then", string(plan.SameOwner), string(plan.Drop), string(plan.MergeEvent)); said != "" {
				then = plan.DedupeThen(said)
			}
			d := plan.NewDedupe(c.personFields(b.body), within, then)
			if a := b.attr("notify"); a != nil {
				d.Notify = c.refs(b.body, "notify", "channel")
				if then != plan.MergeEvent {
					c.report(invalidValue, a.NameRange, `notify tells of leads that are merged into others: it is for then = "merge_event".`)
				}
			}
			c.plan.Dedupe = d
		},
	}
}

// personFields are the fields that tell a person: texts.
func (c *compiler) personFields(b body) []string {
	var by []string
	for _, field := range c.leadFields(b, "by") {
		if f := c.plan.Field(field); f.Type != plan.TypeString {
			c.report(wrongType, b.attr("by").Expr.Range(), "lead.%s is a %s. A person is known by a text, such as lead.email.", field, f.Type)
			continue
		}
		by = append(by, field)
	}
	return by
}
