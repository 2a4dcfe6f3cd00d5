package dsl

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// lintRules says what the form of the rules alone shows; what all of them together do to
// leads is dsl/analyze's.
func (c *compiler) lintRules() {
	rules := c.ruleOf
	if c.plan.Zone == nil {
		return
	}
	if len(rules) == 0 {
		if len(c.broken) == 0 && len(c.blocks["rules_from"]) == 0 {
			c.report(noRules, c.anywhere(), `No lead goes anywhere. Add a rule: rule "everyone" { to = [pool.name, queue.name] }`)
		}
		return
	}
	for i := range c.plan.Rules {
		if (i == 0 || rules[i] != rules[i-1]) && !c.hasWithin(rules[i].full) {
			c.endsInQueue(rules[i], &c.plan.Rules[i])
		}
	}
}

// ruleRange is where the rule stands: its name, or its row in a table.
func (c *compiler) ruleRange(i int) hcl.Range {
	if t := c.tableFile[c.plan.Rules[i].File]; t != nil {
		return t.at(c.plan.Rules[i].Line, 0)
	}
	return c.ruleOf[i].nameRange
}

// endsInQueue warns of a rule whose targets can all be exhausted.
func (c *compiler) endsInQueue(b *block, r *plan.Rule) {
	if len(r.Targets) == 0 {
		return
	}
	for _, t := range r.Targets {
		if t.Fixed != nil && t.Fixed.Queue != "" && t.When.Always() {
			return
		}
	}
	c.report(noQueue, b.nameRange, "When nobody is free, leads of this rule wait in the built-in queue.unassigned. End the targets with a queue of your own.")
}

// lintCondition warns of conditions that say something else than they seem to.
func (c *compiler) lintCondition(cond plan.Cond, e hclsyntax.Expression) {
	if cond.Source == "" {
		return
	}
	guarded := map[string]bool{}
	cond.Atoms(func(a *plan.Atom, negated bool) {
		// has(lead.f) asks for it, and so does a positive test of the same field.
		if a.Test == "has" || !negated && a.Test != "!=" {
			guarded[a.Field] = true
		}
	})
	cond.Atoms(func(a *plan.Atom, negated bool) {
		if a.Field == "" || a.Test == "has" || guarded[a.Field] || negated == (a.Test == "!=") {
			return
		}
		f := c.plan.Field(a.Field)
		if f == nil || f.Required || f.Default != nil {
			return
		}
		c.report(missingNoMatch, c.atomRange(e, a), "A lead without %s does not match: what is missing is neither equal nor unequal. If such leads are meant too, write !has(lead.%s) || ...", a.Field, a.Field)
	})
}

// atomRange finds the negation in the source: the first != or ! whose subject is the atom's.
func (c *compiler) atomRange(e hclsyntax.Expression, a *plan.Atom) hcl.Range {
	found := e.Range()
	done := false
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if done {
			return nil
		}
		switch n := n.(type) {
		case *hclsyntax.BinaryOpExpr:
			if n.Op == hclsyntax.OpNotEqual && slices.ContainsFunc([]hclsyntax.Expression{n.LHS, n.RHS}, func(x hclsyntax.Expression) bool {
				return c.source(x.Range()) == a.Subject
			}) {
				found, done = n.Range(), true
			}
		case *hclsyntax.UnaryOpExpr:
			if n.Op == hclsyntax.OpLogicalNot && a.Test != "!=" && mentions(c, n, a.Subject) {
				found, done = n.Range(), true
			}
		}
		return nil
	})
	return found
}

func mentions(c *compiler, n hclsyntax.Node, subject string) bool {
	found := false
	_ = hclsyntax.VisitAll(n, func(x hclsyntax.Node) hcl.Diagnostics {
		if t, ok := x.(*hclsyntax.ScopeTraversalExpr); ok && c.source(t.Range()) == subject {
			found = true
		}
		return nil
	})
	return found
}
