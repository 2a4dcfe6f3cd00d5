package dsl

import (
	"strconv"
	"strings"
	"time"

	"github.com/leadroute/leadroute/dsl/plan"
)

// policy "inbound" { ... } names the policy and its time zone.
func policyBlock() *blockSpec {
	return &blockSpec{
		name: "policy", labels: 1, once: true,
		attrs:  words("owners timezone on_missing requires infra_cost_per_hour"),
		nested: []*blockSpec{{name: "limits", once: true, attrs: words("max_rules max_enrich decide_slow")}},
		build: func(c *compiler, b *block) {
			c.plan.Name = b.name
			c.plan.Zone = c.zone(b.body, "timezone")
			c.texts(b.body, "owners")
			c.plan.OnMissing = plan.OnMissing(c.word(b.body, "on_missing", string(plan.NoMatch), string(plan.MissingFails)))
			c.plan.InfraCostPerHour = c.cost(b.body, "infra_cost_per_hour")
			c.requires(b.body)
			if l := b.only("limits"); l != nil {
				c.plan.Limits = plan.Limits{
					MaxRules: c.whole(l.body, "max_rules", 1), MaxEnrich: c.duration(l.body, "max_enrich"), DecideSlow: c.duration(l.body, "decide_slow"),
				}
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

// cost reads an amount of money, 0 when it is not there.
func (c *compiler) cost(b body, name string) float64 {
	f, ok := c.number(b, name)
	if ok && f < 0 {
		c.report(outOfRange, b.attr(name).Expr.Range(), "A cost is not below zero.")
		return 0
	}
	return f
}

// Version is that of the policy language, which requires = ">= 0.1" asks for.
const Version = "0.1"

// requires checks the version that the policy was written for: ">= 0.1", or several with commas.
func (c *compiler) requires(b body) {
	s, ok := c.text(b, "requires")
	if !ok {
		return
	}
	rng := b.attr("requires").Expr.Range()
	for part := range strings.SplitSeq(s, ",") {
		op := strings.TrimRight(strings.TrimSpace(part), "0123456789. ")
		want, good := version(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), op)))
		have, _ := version(Version)
		n := 0
		for i := 0; i < 3 && n == 0; i++ {
			n = have[i] - want[i]
		}
		holds, known := map[string]bool{"": n == 0, "=": n == 0, ">=": n >= 0, ">": n > 0, "<=": n <= 0, "<": n < 0}[op]
		switch {
		case !known || !good:
			c.report(invalidValue, rng, `%q is no version. Write requires = ">= %s".`, strings.TrimSpace(part), Version)
			return
		case !holds:
			c.report(otherVersion, rng, "This is version %s of the policy language, and the policy requires %s. Use another leadroute, or change the policy and its requires.", Version, s)
			return
		}
	}
}

func version(s string) (v [3]int, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// checkLimits holds the policy to its own limits.
func (c *compiler) checkLimits() {
	n := c.plan.Limits.MaxRules
	if n == 0 || len(c.plan.Rules) <= n {
		return
	}
	limits := c.blocks["policy"][0].only("limits")
	c.report(overLimit, limits.attr("max_rules").Expr.Range(), "The policy has %d rules, rows of tables included, and allows itself %d.", len(c.plan.Rules), n)
}
