package dsl

import (
	"slices"
	"strings"

	"github.com/leadroute/leadroute/dsl/plan"
)

// account_match { ... } says how a lead finds its account.
func accountMatchBlock() *blockSpec {
	return &blockSpec{
		name: "account_match", once: true,
		attrs:    words("source by ignore_domains tie_break"),
		required: words("by"),
		nested:   []*blockSpec{{name: "name", once: true, attrs: words("similarity confirm")}},
		build:    (*compiler).accountMatch,
	}
}

func (c *compiler) accountMatch(b *block) {
	m := &plan.AccountMatch{}
	c.plan.Accounts = m
	if k, ok := c.value(b.body, "source"); ok {
		if r, isRef := k.v.(ref); !isRef || r.String() != "live.accounts" {
			c.report(invalidValue, k.rng, "The accounts come from live.accounts, the account table.")
		}
	}
	m.By = c.accountWays(b.body)
	domains, _ := c.texts(b.body, "ignore_domains")
	for _, d := range domains {
		if d == "" || strings.ContainsAny(d, "@/ ") {
			c.report(invalidValue, b.attr("ignore_domains").Expr.Range(), `A domain is written "gmail.com", not %q.`, d)
		}
		m.IgnoreDomains = append(m.IgnoreDomains, strings.ToLower(d))
	}
	m.TieBreak, _ = c.texts(b.body, "tie_break")
	c.distinct(b.body, "tie_break", m.TieBreak)
	byName := slices.Contains(m.By, "name")
	if n := b.only("name"); n != nil {
		m.Similarity = c.shareOf(n.body, "similarity")
		m.Confirm, _ = c.texts(n.body, "confirm")
		c.distinct(n.body, "confirm", m.Confirm)
		if !byName && len(m.By) > 0 {
			c.report(invalidValue, n.rng, `name { } is for by = ["name"], which does not stand in by.`)
		}
	}
	if byName && m.Similarity == 0 {
		m.Similarity = 1
	}
}

// confirmFields reports what a match by name is to be confirmed by and no lead has.
func (c *compiler) confirmFields() {
	for _, b := range c.blocks["account_match"] {
		n := b.only("name")
		if n == nil || c.plan.Accounts == nil {
			continue
		}
		var names []string
		for i := range c.plan.Fields {
			names = append(names, c.plan.Fields[i].Name)
		}
		for _, name := range c.plan.Accounts.Confirm {
			switch f := c.plan.Field(name); {
			case f == nil:
				c.report(unknownLeadField, n.attr("confirm").Expr.Range(), "A lead has no field %q, so that it confirms nothing.%s", name, nearHint(name, names))
			case f.Type == plan.TypeBool, f.Type == plan.TypeList:
				c.report(wrongType, n.attr("confirm").Expr.Range(), "lead.%s is a %s, and an account is confirmed by a text or a number.", name, f.Type)
			}
		}
	}
}

func (c *compiler) accountWays(b body) []string {
	k, ok := c.value(b, "by")
	if !ok {
		return nil
	}
	ways := []string{plan.ByDomain, "subsidiary_of", "name"}
	by, ok := c.textList(k, "by")
	for i, way := range by {
		if !slices.Contains(ways, way) {
			c.report(invalidValue, k.v.([]constant)[i].rng, `Accounts are matched by "domain", "subsidiary_of" or "name", not by %q.%s`, way, nearHint(way, ways))
		}
	}
	if ok && len(by) == 0 {
		c.report(invalidValue, k.rng, `by names at least one way: by = ["domain"].`)
	}
	c.distinct(b, "by", by)
	return by
}

// distinct reports what stands in a list twice, or is empty.
func (c *compiler) distinct(b body, name string, list []string) {
	for i, s := range list {
		if s == "" || slices.Contains(list[:i], s) {
			c.report(duplicateName, b.attr(name).Expr.Range(), "%s has %q twice, or an empty text.", name, s)
			return
		}
	}
}
