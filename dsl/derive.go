package dsl

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// blanks reads blank: the texts that senders write for nothing, besides "".
func (c *compiler) blanks(b body, f *plan.Field) {
	k, ok := c.value(b, "blank")
	if !ok {
		return
	}
	if f.Type != plan.TypeString {
		c.report(wrongType, k.rng, "blank is for texts; %s is a %s.", f.Name, f.Type)
		return
	}
	if s, one := k.v.(string); one {
		k.v = []constant{{v: s, rng: k.rng}}
	}
	f.Blank, ok = c.textList(k, "blank")
	for _, v := range f.Blank {
		if ok && slices.Contains(f.Values, v) {
			c.report(invalidValue, k.rng, "%q is one of the field's values, so that it cannot stand for nothing.", v)
		}
	}
}

// derives compiles the derive of each field, in an order in which each stands behind
// the fields that it reads.
func (c *compiler) derives() {
	c.plan.Derived = plan.NewLayout()
	fields := map[string]*block{}
	var names []string
	for _, s := range c.blocks["schema"] {
		for _, f := range s.blocks("field") {
			if f.attr("derive") != nil && fields[f.name] == nil && c.plan.Field(f.name) != nil {
				fields[f.name] = f
				names = append(names, f.name)
			}
		}
	}
	const under, done = 1, 2
	state := map[string]int{}
	var visit func(name string) bool
	visit = func(name string) bool {
		b := fields[name]
		if b == nil || state[name] == done {
			return true
		}
		if state[name] == under {
			return false
		}
		state[name] = under
		e := b.attr("derive").Expr
		for _, t := range e.Variables() {
			r, ok := c.traversal(t)
			if !ok || r.path[0] != "lead" {
				continue
			}
			if !visit(strings.Join(r.path[1:], ".")) {
				c.report(definitionCycle, r.rng, "lead.%s is derived from itself.", name)
			}
		}
		state[name] = done
		c.derive(b, c.plan.Field(name), e)
		return true
	}
	for _, name := range names {
		visit(name)
	}
}

func (c *compiler) derive(b *block, f *plan.Field, e hclsyntax.Expression) {
	if f.Type == "" {
		return
	}
	for _, t := range e.Variables() {
		r, ok := c.traversal(t)
		if !ok {
			return
		}
		name := strings.Join(r.path[1:], ".")
		known := name == "source" || name == "received_at" || c.plan.Accounts != nil && slices.Contains([]string{"account.owner", "account.name", "account.domain"}, name)
		if r.path[0] == "lead" && known {
			c.report(notAllowedHere, r.rng, "lead.%s is not known yet at the door, where fields are derived from what the sender said.", name)
			return
		}
	}
	s := &scope{c: c, layout: c.plan.Derived, root: "lead"}
	if d, ok := s.filled(f, c.plan.Derived, e); ok {
		f.Derived = true
		c.plan.Derives = append(c.plan.Derives, d)
	}
}

// filled compiles an expression that fills a field, as the field's type.
func (s *scope) filled(f *plan.Field, layout *plan.Layout, e hclsyntax.Expression) (plan.Derive, bool) {
	kinds := map[string]kind{plan.TypeString: text, plan.TypeNumber: number, plan.TypeBool: truth, plan.TypeList: list}
	want := kinds[f.Type]
	v := s.check(e)
	if v.kind == text && want == text {
		v = s.as(text, v)
	}
	if v.kind != open && v.kind != want && v.kind != bad {
		s.c.report(wrongType, v.rng, "lead.%s is a %s; this is %s.", f.Name, f.Type, v.kind)
		return plan.Derive{}, false
	}
	if v = s.as(want, v); v.kind == bad {
		return plan.Derive{}, false
	}
	slot := layout.Slot(f.Name, f.Type)
	switch want {
	case number:
		return plan.DeriveNumber(slot, v.num), true
	case truth:
		return plan.DeriveBool(slot, v.cond), true
	case list:
		return plan.DeriveList(slot, v.list), true
	default:
		s.valuesOf(f, v)
		return plan.DeriveText(slot, v.text), true
	}
}

// valuesOf reports what fills a field with a value that it never has.
func (s *scope) valuesOf(f *plan.Field, v typed) {
	if len(f.Values) == 0 {
		return
	}
	if v.text.Const {
		s.value(f, v.text.Value(), v.rng)
	}
	t := v.table
	if t == nil {
		return
	}
	column := slices.Index(t.columns, s.c.valueColumn(t))
	for i := range t.rows {
		if w := t.rows[i].cells[column]; w != "" {
			s.value(f, w, t.at(t.rows[i].line, column+1))
		}
	}
}
