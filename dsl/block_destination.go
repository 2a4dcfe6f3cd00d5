package dsl

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// destination "crm" { ... } is where assigned leads are delivered.
func destinationBlock() *blockSpec {
	return &blockSpec{
		name: "destination", labels: 1,
		attrs:      words("primary rate_limit concurrency timeout cost_per_call"),
		attrsLater: words("alternate idempotency_key when map"),
		nested: []*blockSpec{
			webhookBlock(),
			{name: "retry", once: true, attrs: words("attempts backoff"), attrsLater: words("on_status")},
			later("salesforce"), later("hubspot"), later("dynamics"), later("zoho"), later("kafka"),
			later("batch"), later("breaker"),
		},
		build: (*compiler).destination,
		after: (*compiler).choosePrimary,
	}
}

func (c *compiler) destination(b *block) {
	d := plan.Destination{
		Name: leadroute.DestinationID(b.name), Primary: c.flag(b.body, "primary"),
		Attempts: plan.DefaultAttempts, BackoffMin: plan.DefaultBackoffMin, BackoffMax: plan.DefaultBackoffMax,
		RatePerSec: c.rate(b.body, "rate_limit"), Concurrency: plan.DefaultConcurrency, Timeout: plan.DefaultTimeout,
	}
	if n := c.whole(b.body, "concurrency", 1); n > 0 {
		d.Concurrency = n
	}
	if t := c.duration(b.body, "timeout"); t > 0 {
		d.Timeout = t
	}
	if cost, ok := c.number(b.body, "cost_per_call"); ok {
		if cost < 0 {
			c.report(invalidValue, b.attr("cost_per_call").Expr.Range(), "A cost is not below zero.")
		}
		d.CostPerCall = cost
	}
	if r := b.only("retry"); r != nil {
		if n := c.whole(r.body, "attempts", 1); n > 0 {
			d.Attempts = n
		}
		if lo, hi := c.durations(r.body, "backoff"); lo > 0 {
			d.BackoffMin, d.BackoffMax = lo, hi
		}
	}
	switch w := b.only("webhook"); {
	case w != nil:
		d.Webhook = c.webhook(w.body)
	case !c.brokenWithin(b.full) && !b.hasLater():
		c.report(missingAttribute, b.rng, "A destination says where to deliver: webhook { url = ... }.")
	}
	c.plan.Destinations = append(c.plan.Destinations, d)
}

// hasLater tells whether a block stands inside that is reported as not supported yet.
func (b body) hasLater() bool {
	for _, n := range b.hcl.Blocks {
		for _, s := range b.spec.nested {
			if s.name == n.Type && s.later {
				return true
			}
		}
	}
	return false
}

// choosePrimary makes the first destination the primary one where none says it is.
func (c *compiler) choosePrimary() {
	first := -1
	for i, d := range c.plan.Destinations {
		if !d.Primary {
			continue
		}
		if first >= 0 {
			b := c.blocks["destination"][i]
			c.report(invalidValue, b.attr("primary").NameRange, "%s is the primary destination already; there is one whose acknowledgement the SLA counts.", c.plan.Destinations[first].Name)
			continue
		}
		first = i
	}
	if first < 0 && len(c.plan.Destinations) > 0 {
		c.plan.Destinations[0].Primary = true
	}
}
