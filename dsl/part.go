package dsl

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute/dsl/plan"
)

// Part names a part of a policy for those who have something to say about it: a block,
// and an attribute of it. Attr may be empty, and Block too: the policy as a whole.
type Part struct{ Block, Name, Attr string }

// Say makes a diagnostic about a part of the policy. ok is false where the author has
// silenced it.
func (p *Policy) Say(f Finding, at Part, format string, args ...any) (d Diagnostic, ok bool) {
	rng := p.source.find(at)
	if f.Warning && p.source.ignored(f, rng.Filename, rng.Start.Line) {
		return Diagnostic{}, false
	}
	return p.source.diagnostic(f, rng, fmt.Sprintf(format, args...)), true
}

// find is the range of a part: of the attribute's value, or of the block's name.
func (c *compiler) find(at Part) hcl.Range {
	b := c.declared[at.Block][at.Name]
	if b == nil && at.Block == "rule" { // a table's row
		if i := slices.IndexFunc(c.plan.Rules, func(r plan.Rule) bool { return r.Name == at.Name }); i >= 0 {
			rng := c.ruleRange(i)
			if t := c.tableFile[rng.Filename]; t != nil {
				rng = t.locate(rng)
			}
			return rng
		}
	}
	if b == nil {
		return c.anywhere()
	}
	if a := b.attr(at.Attr); a != nil {
		return a.Expr.Range()
	}
	if b.name == "" {
		return b.rng
	}
	return b.nameRange
}

// anywhere is the range for what is wrong with the policy as a whole.
func (c *compiler) anywhere() hcl.Range {
	r := hcl.Range{}
	for name := range c.lines {
		if r.Filename == "" || name < r.Filename {
			r = hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		}
	}
	return r
}
