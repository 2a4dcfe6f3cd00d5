package dsl

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// destinationKinds are the blocks that say where to deliver.
func destinationKinds() []*blockSpec {
	login := "instance client_id client_secret "
	return []*blockSpec{
		webhookBlock(),
		{name: "salesforce", once: true, attrs: words(login + "object external_id"), required: words("instance client_id client_secret object")},
		{name: "hubspot", once: true, attrs: words("token object external_id"), required: words("token object")},
		{name: "dynamics", once: true, attrs: words(login + "tenant object external_id"), required: words("instance tenant client_id client_secret object")},
		{name: "zoho", once: true, attrs: words(login + "refresh_token object external_id"), required: words("instance client_id client_secret refresh_token object")},
		{name: "kafka", once: true, attrs: words("topic brokers"), required: words("topic")},
	}
}

// destination "crm" { ... } is where assigned leads are delivered.
func destinationBlock() *blockSpec {
	return &blockSpec{
		name: "destination", labels: 1,
		attrs: words("primary rate_limit concurrency timeout cost_per_call alternate idempotency_key when map"),
		nested: append(destinationKinds(),
			&blockSpec{name: "retry", once: true, attrs: words("attempts backoff on_status")},
			&blockSpec{name: "batch", once: true, attrs: words("max max_wait skip"), required: words("max")},
			&blockSpec{name: "breaker", once: true, attrs: words("open_after probe"), required: words("open_after")},
		),
		build: (*compiler).destination,
		after: func(c *compiler) {
			c.choosePrimary()
			c.checkAlternates()
		},
	}
}

func (c *compiler) destination(b *block) {
	d := plan.Destination{
		Name: leadroute.DestinationID(b.name), Primary: c.flag(b.body, "primary"),
		Attempts: plan.DefaultAttempts, BackoffMin: plan.DefaultBackoffMin, BackoffMax: plan.DefaultBackoffMax,
		RatePerSec: c.rate(b.body, "rate_limit"), Concurrency: plan.DefaultConcurrency, Timeout: plan.DefaultTimeout,
		CostPerCall: c.cost(b.body, "cost_per_call"), Alternate: c.alternate(b.body),
	}
	if n := c.whole(b.body, "concurrency", 1); n > 0 {
		d.Concurrency = n
	}
	if t := c.duration(b.body, "timeout"); t > 0 {
		d.Timeout = t
	}
	if a := b.attr("when"); a != nil {
		d.When = c.leadScope(decided{priority: true, territory: true}).condition(a.Expr)
	}
	c.retry(b.body, &d)
	c.gathering(b.body, &d)
	s := c.newShaping()
	if a := b.attr("map"); a != nil {
		s.used, s.shape.Map = true, s.object(a.Expr, "map")
	}
	s.key(b.body)
	c.destinationKind(b, &d, s)
	c.plan.Destinations = append(c.plan.Destinations, d)
}

// destinationKind reads the one block that says where to deliver.
func (c *compiler) destinationKind(b *block, d *plan.Destination, s *shaping) {
	var kind *block
	for _, spec := range destinationKinds() {
		k := b.only(spec.name)
		switch {
		case k == nil:
		case kind != nil:
			c.report(twoKinds, k.rng, "The destination delivers by %s already. Make a destination of its own for %s.", kind.spec.name, k.spec.name)
		default:
			kind = k
		}
	}
	switch {
	case kind == nil:
		if !c.brokenWithin(b.full) {
			c.report(missingAttribute, b.rng, "A destination says where to deliver: webhook { url = ... }, salesforce, hubspot, dynamics, zoho or kafka { ... }.")
		}
	case kind.spec.name == "webhook":
		d.Webhook, d.Shape = c.webhook(kind.body, s)
		return
	default:
		d.Other = c.other(kind)
	}
	d.Shape = s.done()
}

// other reads the settings of a kind that is no webhook.
func (c *compiler) other(b *block) *plan.Other {
	o := &plan.Other{Kind: b.spec.name, Settings: map[string]plan.Secret{}}
	for _, name := range b.spec.attrs {
		if b.attr(name) == nil {
			continue
		}
		v, ok := plan.Secret{}, false
		if name == "instance" {
			v = c.link(b.body, name)
		} else {
			v, ok = c.secret(b.body, name)
		}
		if ok && v.Name == "" && (strings.Contains(name, "secret") || strings.Contains(name, "token")) {
			c.report(secretInPolicy, b.attr(name).Expr.Range(), `Everybody who reads the policy reads it. Write secret("NAME"), and set NAME in the environment of leadroute run.`)
		}
		o.Settings[name] = v
	}
	return o
}

func (c *compiler) retry(b body, d *plan.Destination) {
	r := b.only("retry")
	if r == nil {
		return
	}
	if n := c.whole(r.body, "attempts", 1); n > 0 {
		d.Attempts = n
	}
	if lo, hi := c.durations(r.body, "backoff"); lo > 0 {
		d.BackoffMin, d.BackoffMax = lo, hi
	}
	k, ok := c.value(r.body, "on_status")
	if !ok {
		return
	}
	list, isList := k.v.([]constant)
	if !isList || len(list) == 0 {
		c.report(wrongType, k.rng, `on_status lists the answers that are tried again: on_status = [429, "5xx"].`)
		return
	}
	for _, e := range list {
		if s, ok := statusRange(e.v); ok {
			d.OnStatus = append(d.OnStatus, s)
			continue
		}
		c.report(outOfRange, e.rng, `An answer is a number from 300 to 599, or "3xx", "4xx" or "5xx".`)
	}
}

func statusRange(v any) (plan.StatusRange, bool) {
	switch v := v.(type) {
	case float64:
		n := int(v)
		return plan.StatusRange{From: n, Until: n}, v == float64(n) && n >= 300 && n <= 599
	case string:
		n, err := strconv.Atoi(strings.TrimSuffix(v, "xx"))
		return plan.StatusRange{From: n * 100, Until: n*100 + 99}, err == nil && strings.HasSuffix(v, "xx") && n >= 3 && n <= 5
	default:
		return plan.StatusRange{}, false
	}
}

// gathering reads batch { } and breaker { }.
func (c *compiler) gathering(b body, d *plan.Destination) {
	if n := b.only("batch"); n != nil {
		d.Batch = &plan.Batch{Max: c.whole(n.body, "max", 1), MaxWait: c.duration(n.body, "max_wait")}
		for _, class := range c.refs(n.body, "skip", "priority") {
			d.Batch.Skip = append(d.Batch.Skip, leadroute.Class(class))
		}
	}
	if n := b.only("breaker"); n != nil {
		d.Breaker = &plan.Breaker{OpenAfter: c.whole(n.body, "open_after", 1), Probe: c.duration(n.body, "probe")}
		return
	}
	if a := b.attr("alternate"); a != nil {
		c.report(missingAttribute, a.NameRange, "alternate takes the leads while the breaker is open: add breaker { open_after = 5 }.")
	}
}

// key reads idempotency_key, a text made of the lead and the decision.
func (s *shaping) key(b body) {
	a := b.attr("idempotency_key")
	if a == nil {
		return
	}
	t := s.as(text, s.check(a.Expr))
	if t.kind != text {
		return
	}
	if !strings.Contains(s.c.source(a.Expr.Range()), "decision.revision") {
		s.c.report(keyNoRevision, a.Expr.Range(), `A lead that is assigned again has the same key, so that the destination drops the new owner as a copy. Write "${lead.id}/${decision.revision}".`)
	}
	s.used, s.shape.Key = true, &t.text
}

// alternate is another destination, or a channel.
func (c *compiler) alternate(b body) *plan.Alternate {
	k, ok := c.value(b, "alternate")
	if !ok {
		return nil
	}
	r, isRef := k.v.(ref)
	if isRef && len(r.path) == 2 && (r.path[0] == "destination" || r.path[0] == "channel") {
		if !c.exists(r.path[0], r.path[1], r.rng) {
			return nil
		}
		if r.path[0] == "channel" {
			return &plan.Alternate{Channel: r.path[1]}
		}
		return &plan.Alternate{Destination: leadroute.DestinationID(r.path[1])}
	}
	c.report(wrongType, k.rng, "alternate is another destination or a channel: destination.name, channel.name.")
	return nil
}

// checkAlternates finds destinations that stand in for each other in a circle.
func (c *compiler) checkAlternates() {
	for i := range c.plan.Destinations {
		d := &c.plan.Destinations[i]
		seen := map[leadroute.DestinationID]bool{}
		for at := d; at != nil && at.Alternate != nil && !seen[at.Name]; at = c.plan.Destination(at.Alternate.Destination) {
			seen[at.Name] = true
			if at.Alternate.Destination == d.Name {
				c.report(alternateCircle, c.alternateRange(string(d.Name)), "A lead would go from one destination to the other and come back to %s.", d.Name)
				break
			}
		}
	}
}

func (c *compiler) alternateRange(name string) hcl.Range {
	return c.declared["destination"][name].attr("alternate").Expr.Range()
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
