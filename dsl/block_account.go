package dsl

import (
	"strings"

	"github.com/leadroute/leadroute/dsl/plan"
)

// account_match { ... } says how a lead finds its account.
func accountMatchBlock() *blockSpec {
	return &blockSpec{
		name: "account_match", once: true,
		attrs:      words("source by ignore_domains"),
		attrsLater: words("tie_break"),
		required:   words("by"),
		nested:     []*blockSpec{later("name")},
		build:      (*compiler).accountMatch,
	}
}

func (c *compiler) accountMatch(b *block) {
	c.plan.Accounts = &plan.AccountMatch{ByDomain: true}
	if k, ok := c.value(b.body, "source"); ok {
		if r, isRef := k.v.(ref); !isRef || r.String() != "live.accounts" {
			c.report(invalidValue, k.rng, "The accounts come from live.accounts, the account table.")
		}
	}
	if k, ok := c.value(b.body, "by"); ok {
		by, _ := c.textList(k, "by")
		for i, way := range by {
			rng := k.v.([]constant)[i].rng
			switch way {
			case "domain":
			case "name", "subsidiary_of":
				c.report(notSupportedYet, rng, "Matching by %q is part of the language, but this version does not run it yet.", way)
			default:
				c.report(invalidValue, rng, `Accounts are matched by "domain", not by %q.`, way)
			}
		}
		if len(by) == 0 {
			c.report(invalidValue, k.rng, `by names at least one way: by = ["domain"].`)
		}
	}
	domains, _ := c.texts(b.body, "ignore_domains")
	for _, d := range domains {
		if d == "" || strings.ContainsAny(d, "@/ ") {
			c.report(invalidValue, b.attr("ignore_domains").Expr.Range(), `A domain is written "gmail.com", not %q.`, d)
		}
		c.plan.Accounts.IgnoreDomains = append(c.plan.Accounts.IgnoreDomains, strings.ToLower(d))
	}
}
