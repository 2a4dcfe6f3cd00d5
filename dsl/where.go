package dsl

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute/dsl/plan"
)

// whereFile is the name of a condition that stands in no policy, in diagnostics.
const whereFile = "--where"

// Where compiles a condition over leads that are under way, by the fields, priorities,
// territories, pools and locals of a policy. Besides the lead it reads how that stands, as
// route.x (plan.RouteFacts). The policy itself has been compiled before; of its own findings
// nothing is said.
func Where(source map[string][]byte, expr string) (*plan.Where, Diagnostics) {
	c, files := fromSource(source)
	c.compile(files)
	if c.diags.HasErrors() {
		return nil, c.done()
	}
	c.diags = nil
	if strings.TrimSpace(expr) == "" {
		start := hcl.Pos{Line: 1, Column: 1}
		c.report(syntaxError, hcl.Range{Filename: whereFile, Start: start, End: start}, "Say which leads are meant: lead.region == \"EMEA\", or true for all.")
		return nil, c.done()
	}
	// In parentheses an expression may be many lines; they stand on lines of their own, so
	// that the expression's columns are those of the author.
	body := c.parse(file{name: whereFile, path: whereFile, src: []byte("where = (\n" + expr + "\n)\n")})
	c.lines[whereFile] = append([]string{""}, strings.Split(expr, "\n")...)
	var cond plan.Cond
	layout := plan.NewLayout()
	if body != nil && !c.diags.HasErrors() {
		if a := body.Attributes["where"]; a != nil {
			cond = c.whereScope(layout).condition(a.Expr)
		}
	}
	for i := range c.diags {
		d := &c.diags[i]
		d.Line, d.EndLine = max(d.Line-1, 1), max(d.EndLine-1, 1)
	}
	if c.diags.HasErrors() {
		return nil, c.done()
	}
	return plan.NewWhere(layout, cond), c.done()
}

// whereScope reads a lead and how it stands; pools, queues and reps are named by reference
// or, where the policy does not have them any more, by a text.
func (c *compiler) whereScope(layout *plan.Layout) *scope {
	named := func(s *scope, r ref) typed {
		t := typed{rng: r.rng}
		if len(r.path) != 2 {
			s.c.report(unknownReference, r.rng, "%s is no name: write %s.name.", r, r.path[0])
		} else if s.c.exists(r.path[0], r.path[1], r.rng) {
			t.kind, t.text = text, plan.Literal(r.path[1], r.String())
		}
		return t
	}
	return &scope{
		c: c, layout: layout, root: "lead", decided: decided{priority: true, territory: true},
		facts: facts{"route": (*scope).routeFact, "pool": named, "queue": named, "rep": named},
	}
}

func (s *scope) routeFact(r ref) typed {
	name := r.String()
	typ, ok := plan.RouteFacts[name]
	if !ok {
		var names []string
		for n := range plan.RouteFacts {
			names = append(names, n)
		}
		slices.Sort(names)
		s.c.report(unknownReference, r.rng, "Of a lead's way there is no %s; there is %s.%s", name, enumerate(names, "and"), nearHint(name, names))
		return typed{rng: r.rng}
	}
	t := s.fact(name, typ, r.rng)
	switch name {
	case "route.age", "route.waited":
		t.unit = seconds
	case "route.phase":
		t.field = &plan.Field{Name: name, Type: typ, Values: plan.RoutePhases}
	}
	return t
}
