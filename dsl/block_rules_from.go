package dsl

import (
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// rules_from "territories" { ... } makes a rule of each row of a table.
func rulesFromBlock() *blockSpec {
	return &blockSpec{
		name: "rules_from", labels: 1,
		attrs:  words("table to"),
		nested: []*blockSpec{assignBlock()}, required: words("table"),
		build: (*compiler).rulesFrom,
	}
}

// matchItem is one condition of a table's match: all must hold for a row to match.
type matchItem struct {
	expr    hclsyntax.Expression
	columns []int
	// bounds are the columns of the bounds of a between: a blank one is open.
	bounds []int
}

// matches reads match, set and blank, as far as they need no row.
func (c *compiler) matches(t *table) {
	b := t.block
	t.blank = c.word(b.body, "blank", "any") == "any"
	if a := b.attr("match"); a != nil {
		o, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
		if !ok || len(o.Items) == 0 {
			c.report(wrongType, a.Expr.Range(), "match names conditions, all of which must hold for a row: match = { country = lead.country == row.country }.")
			return
		}
		for _, it := range o.Items {
			if _, ok := c.key(it.KeyExpr); ok {
				t.match = append(t.match, c.matchItem(t, it.ValueExpr))
			}
		}
	}
	a := b.attr("set")
	if a == nil {
		return
	}
	o, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		c.report(wrongType, a.Expr.Range(), "set gives what a row decides: set = { territory = row.territory, pool = row.pool }.")
		return
	}
	t.set = &object{}
	c.row = &t.rows[0] // any row knows the columns
	defer func() { c.row = nil }()
	for _, it := range o.Items {
		name, ok := c.key(it.KeyExpr)
		if !ok {
			continue
		}
		if name != "territory" && name != "pool" {
			c.report(invalidValue, it.KeyExpr.Range(), "A row sets the territory and its pool; there is no %q to set.%s", name, nearHint(name, []string{"territory", "pool"}))
			continue
		}
		r, isRow := rowRef(it.ValueExpr)
		if !isRow {
			c.report(wrongType, it.ValueExpr.Range(), "Write a column of the table: %s = row.%s.", name, name)
			continue
		}
		if i, ok := c.column(t, r.path[1], r.rng); ok {
			t.set.items = append(t.set.items, item{key: name, constant: constant{v: float64(i), rng: r.rng}})
		}
	}
}

// rowRef is row.column and nothing else.
func rowRef(e hclsyntax.Expression) (ref, bool) {
	s, ok := e.(*hclsyntax.ScopeTraversalExpr)
	if !ok || s.Traversal.RootName() != "row" || len(s.Traversal) != 2 {
		return ref{}, false
	}
	a, ok := s.Traversal[1].(hcl.TraverseAttr)
	return ref{path: []string{"row", a.Name}, rng: s.Range()}, ok
}

func (c *compiler) matchItem(t *table, e hclsyntax.Expression) matchItem {
	m := matchItem{expr: e}
	columns := func(e hclsyntax.Expression) (found []int) {
		for _, v := range e.Variables() {
			if v.RootName() != "row" || len(v) != 2 {
				continue
			}
			if a, ok := v[1].(hcl.TraverseAttr); ok {
				if i := slices.Index(t.columns, a.Name); i >= 0 {
					found = append(found, i)
				}
			}
		}
		return found
	}
	m.columns = columns(e)
	if call, ok := e.(*hclsyntax.FunctionCallExpr); ok && call.Name == "between" && len(call.Args) == 3 {
		m.columns, m.bounds = columns(call.Args[0]), append(columns(call.Args[1]), columns(call.Args[2])...)
	}
	return m
}

// blankFor tells whether the row's cells leave the condition out: one of them is blank, or
// both bounds of a between are.
func (m *matchItem) blankFor(r *row) (column int, blank bool) {
	for _, i := range m.columns {
		if r.cells[i] == "" {
			return i, true
		}
	}
	open := 0
	for _, i := range m.bounds {
		if r.cells[i] == "" {
			open, column = open+1, i
		}
	}
	return column, open > 0 && open == len(m.bounds)
}

func (c *compiler) rulesFrom(b *block) {
	name := c.ref(b.body, "table", "table")
	to, assigns := b.attr("to"), b.blocks("assign")
	switch {
	case to != nil && len(assigns) > 0:
		c.report(invalidValue, to.NameRange, "Rules have to = [...] or assign blocks, not both.")
		return
	case to == nil && len(assigns) == 0:
		if !c.brokenWithin(b.full) {
			c.report(missingAttribute, b.rng, "Rules from a table need the attribute \"to\": to = [row.pool, queue.name].")
		}
		return
	}
	t := c.tables[name]
	if t == nil || t.faults > 0 || c.plan.Tables[name] == nil {
		return // told at the table
	}
	if len(t.match) == 0 {
		if t.block.attr("match") == nil {
			c.report(missingAttribute, t.block.rng, "Rules are made of this table: say which leads a row takes, match = { country = lead.country == row.country }.")
		}
		return
	}
	for _, o := range c.blocks["rules_from"] {
		if o == b {
			break
		}
		if other := c.tables[c.ref(o.body, "table", "table")]; other != nil && other.File == t.File {
			c.report(duplicateName, b.nameRange, "rules_from %q makes rules of %s already: their names would be the same.", o.name, t.File)
			return
		}
	}
	defer func() { c.row = nil }()
	before := len(c.diags)
	for i := range t.rows {
		c.row = &t.rows[i]
		c.rowRule(b, t, c.row)
		if len(c.diags) > before+maxTableFaults {
			return
		}
	}
}

// rowRule compiles one row, as if its rule stood in the policy with the cells written out.
func (c *compiler) rowRule(b *block, t *table, r *row) {
	s := c.leadScope(decided{priority: true, territory: true})
	rule := plan.Rule{Name: r.name(), File: t.path, Line: r.line}
	var parts []plan.Cond
	for i := range t.match {
		m := &t.match[i]
		if column, blank := m.blankFor(r); blank {
			if !t.blank && len(m.bounds) == 0 {
				c.report(blankCell, t.at(r.line, column+1), `The cell of the column %q is blank, so that no lead would match. If a blank stands for every value, write blank = "any" in the table.`, t.columns[column])
			}
			continue
		}
		part := s.truth(m.expr)
		if part.kind != truth {
			part.cond = plan.Constant(false, rule.Name) // told, and nothing more of it
		}
		parts = append(parts, part.cond)
	}
	switch len(parts) {
	case 0:
	case 1:
		rule.When = parts[0]
	default:
		sources := make([]string, len(parts))
		for i, p := range parts {
			sources[i] = p.Source
		}
		rule.When = plan.And(strings.Join(sources, " && "), parts...)
	}
	rule.Territory = c.rowTerritory(t, r)
	s.rowTerritory = rule.Territory
	if to := b.attr("to"); to != nil {
		rule.Targets = s.targets(to.Expr)
	}
	for _, a := range b.blocks("assign") {
		rule.Targets = append(rule.Targets, s.assign(a)...)
	}
	c.addRule(rule, b)
}

// rowTerritory is what the row sets; a blank territory leaves the one decided before.
func (c *compiler) rowTerritory(t *table, r *row) *plan.Territory {
	if t.set == nil {
		return nil
	}
	out := &plan.Territory{}
	if it := t.set.get("territory"); it != nil {
		out.Name = r.cells[int(it.v.(float64))]
	}
	if it := t.set.get("pool"); it != nil {
		if i := int(it.v.(float64)); r.cells[i] != "" && c.exists("pool", r.cells[i], t.at(r.line, i+1)) {
			out.Pool = leadroute.PoolID(r.cells[i])
		}
	}
	if out.Name == "" {
		return nil
	}
	if i := slices.IndexFunc(c.plan.Territories, func(p plan.Territory) bool { return p.Name == out.Name }); i >= 0 && out.Pool == "" {
		out.Pool = c.plan.Territories[i].Pool
	} else if i < 0 && len(c.plan.Territories) > 0 && t.set.get("pool") == nil {
		c.exists("territory", out.Name, t.at(r.line, int(t.set.get("territory").v.(float64))+1))
	}
	return out
}

// rowTarget is a cell that names where leads go: a pool, or what its column is called.
func (s *scope) rowTarget(r ref) (plan.RuleTarget, bool, bool) {
	k, ok := s.c.cell(r)
	if !ok {
		return plan.RuleTarget{}, false, false
	}
	name, there := k.v.(string)
	if !there {
		s.c.report(blankCell, k.rng, "The cell says where the leads go, and is blank.")
		return plan.RuleTarget{}, false, false
	}
	typ := "pool"
	if column := r.path[1]; column == "queue" || column == "rep" {
		typ = column
	}
	if !s.c.exists(typ, name, k.rng) {
		return plan.RuleTarget{}, false, false
	}
	var t plan.Target
	switch typ {
	case "queue":
		t.Queue = leadroute.QueueID(name)
	case "rep":
		t.Rep = leadroute.RepID(name)
	default:
		t.Pool = leadroute.PoolID(name)
	}
	return plan.Fixed(t, typ+"."+name), t.Queue != "", true
}

// addRule takes note of a rule and of the block that it comes from.
func (c *compiler) addRule(r plan.Rule, b *block) {
	c.plan.Rules = append(c.plan.Rules, r)
	c.ruleOf = append(c.ruleOf, b)
}

// orderRules puts the rules into the order of the source, in which they are tried.
func (c *compiler) orderRules() { sort.Stable(inSource{c}) }

type inSource struct{ *compiler }

func (s inSource) Len() int           { return len(s.ruleOf) }
func (s inSource) Less(i, j int) bool { return s.ruleOf[i].order < s.ruleOf[j].order }
func (s inSource) Swap(i, j int) {
	s.ruleOf[i], s.ruleOf[j] = s.ruleOf[j], s.ruleOf[i]
	s.plan.Rules[i], s.plan.Rules[j] = s.plan.Rules[j], s.plan.Rules[i]
}
