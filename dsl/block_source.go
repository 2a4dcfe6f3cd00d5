package dsl

import (
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// source "web" { ... } is one who may send leads in.
func sourceBlock() *blockSpec {
	return &blockSpec{
		name: "source", labels: 1, attrs: words("keys rate_limit require priority_hint cost_per_lead"),
		build: (*compiler).sourceOf,
	}
}

func (c *compiler) sourceOf(b *block) {
	s := plan.Source{Name: leadroute.SourceID(b.name), RatePerSec: c.rate(b.body, "rate_limit"), CostPerLead: c.cost(b.body, "cost_per_lead")}
	s.Description, _ = c.text(b.body, "description")
	if k, ok := c.value(b.body, "keys"); ok {
		list, isList := k.v.([]constant)
		if !isList {
			list = []constant{k}
		}
		for _, e := range list {
			switch v := e.v.(type) {
			case plan.Secret:
				s.Keys = append(s.Keys, v)
			case string:
				s.Keys = append(s.Keys, plan.Secret{Literal: v})
				c.report(secretInPolicy, e.rng, `Everybody who reads the policy reads the key. Write secret("NAME"), and set NAME in the environment of leadroute run.`)
			default:
				c.report(wrongType, e.rng, `A key is secret("NAME"), from the environment; this is %s.`, kindOf(e.v))
			}
		}
	}
	s.Require = c.leadFields(b.body, "require")
	s.TrustHint = c.trusted(b.body)
	c.plan.Sources = append(c.plan.Sources, s)
}

// trusted reads priority_hint = "trusted", or true.
func (c *compiler) trusted(b body) bool {
	k, ok := c.value(b, "priority_hint")
	if !ok {
		return false
	}
	if v, isBool := k.v.(bool); isBool {
		return v
	}
	return c.word(b, "priority_hint", "trusted", "ignored") == "trusted"
}

// leadFields reads a list of fields: [lead.email, lead.phone], or their names in quotes.
func (c *compiler) leadFields(b body, name string) []string {
	k, ok := c.value(b, name)
	if !ok {
		return nil
	}
	list, isList := k.v.([]constant)
	if !isList {
		list = []constant{k}
	}
	if len(list) == 0 {
		c.report(invalidValue, k.rng, "%s names at least one field: %s = [lead.email].", name, name)
	}
	var fields []string
	for _, e := range list {
		field := ""
		r := ref{rng: e.rng}
		switch v := e.v.(type) {
		case string:
			field = strings.TrimPrefix(v, "lead.")
		case ref:
			r = v
			if v.path[0] == "lead" {
				field = strings.Join(v.path[1:], ".")
			}
		}
		switch {
		case field == "":
			c.report(wrongType, e.rng, "%s is a list of the lead's fields: [lead.email, lead.phone].", name)
		case c.plan.Field(field) == nil:
			c.leadScope(decided{}).unknownField(field, r)
		case slices.Contains(fields, field):
			c.report(duplicateName, e.rng, "lead.%s stands in the list twice.", field)
		default:
			fields = append(fields, field)
		}
	}
	return fields
}
