package dsl

import (
	"time"
)

// policy "inbound" { ... } names the policy and its time zone.
func policyBlock() *blockSpec {
	return &blockSpec{
		name: "policy", labels: 1, once: true,
		attrs:      words("owners timezone on_missing"),
		attrsLater: words("requires infra_cost_per_hour"),
		nested:     []*blockSpec{later("limits")},
		build: func(c *compiler, b *block) {
			c.plan.Name = b.name
			c.plan.Zone = c.zone(b.body, "timezone")
			c.texts(b.body, "owners")
			if c.word(b.body, "on_missing", "no_match", "error") == "error" {
				c.report(notSupportedYet, b.attr("on_missing").Expr.Range(), `on_missing = "error" is part of the language, but this version does not run it yet.`)
			}
		},
		after: func(c *compiler) {
			if c.plan.Zone == nil {
				c.plan.Zone = time.UTC
			}
			if blocks := c.blocks["policy"]; len(blocks) > 1 {
				c.report(duplicateName, blocks[1].rng, "A policy has one policy block; the first is at %s.", at(blocks[0].rng))
			}
		},
	}
}

// locals { x = ... } are constants.
func localsBlock() *blockSpec {
	return &blockSpec{name: "locals", anyAttrs: true, build: func(c *compiler, b *block) {
		for _, a := range attributes(b.hcl) {
			c.local(ref{path: []string{"local", a.Name}, rng: a.NameRange})
		}
	}}
}

// zone reads an IANA time zone; nil when it is not there or wrong.
func (c *compiler) zone(b body, name string) *time.Location {
	s, ok := c.text(b, name)
	if !ok {
		return nil
	}
	z, err := time.LoadLocation(s)
	if err != nil || s == "" || s == "Local" {
		c.report(invalidValue, b.attr(name).Expr.Range(), `%q is no time zone. Write an IANA name, such as "Europe/Berlin" or "UTC".`, s)
		return nil
	}
	return z
}
