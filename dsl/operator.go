package dsl

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

var operators = map[*hclsyntax.Operation]string{
	hclsyntax.OpLogicalAnd: "&&", hclsyntax.OpLogicalOr: "||",
	hclsyntax.OpEqual: "==", hclsyntax.OpNotEqual: "!=",
	hclsyntax.OpLessThan: "<", hclsyntax.OpLessThanOrEqual: "<=",
	hclsyntax.OpGreaterThan: ">", hclsyntax.OpGreaterThanOrEqual: ">=",
	hclsyntax.OpAdd: "+", hclsyntax.OpSubtract: "-", hclsyntax.OpMultiply: "*", hclsyntax.OpDivide: "/",
}

func (s *scope) unary(e *hclsyntax.UnaryOpExpr) typed {
	t := typed{rng: e.Range()}
	if e.Op == hclsyntax.OpLogicalNot {
		v := s.truth(e.Val)
		if v.kind == truth {
			t.kind, t.cond = truth, plan.Not(s.c.source(t.rng), v.cond)
		}
		return t
	}
	v := s.as(number, s.check(e.Val))
	if v.kind != number {
		return t
	}
	t.kind = number
	if v.num.Const {
		n := -v.num.Value()
		t.num = plan.Literal(n, plan.FormatNumber(n))
	} else {
		t.num = plan.Arith('-', plan.Literal(0.0, "0"), v.num, s.c.source(t.rng))
	}
	return t
}

func (s *scope) binary(e *hclsyntax.BinaryOpExpr) typed {
	t := typed{rng: e.Range()}
	switch op := operators[e.Op]; op {
	case "&&", "||":
		return s.logic(e, op)
	case "==", "!=":
		return s.equal(e, op)
	case "<", "<=", ">", ">=":
		return s.order(e, op)
	case "+", "-", "*", "/":
		a, b := s.operand(e.LHS, op), typed{}
		if a.kind != bad {
			b = s.operand(e.RHS, op)
		}
		if a.kind == number && b.kind == number {
			t.kind, t.num = number, plan.Arith(op[0], a.num, b.num, s.c.source(t.rng))
		}
	default:
		s.c.report(notAllowedHere, t.rng, "This operator cannot stand in a condition. There are == != < <= > >= && || ! + - * and /.")
		s.check(e.LHS)
		s.check(e.RHS)
	}
	return t
}

// logic flattens a && b && c into one node.
func (s *scope) logic(e *hclsyntax.BinaryOpExpr, op string) typed {
	t := typed{rng: e.Range()}
	var parts []plan.Cond
	good := true
	var gather func(x hclsyntax.Expression)
	gather = func(x hclsyntax.Expression) {
		if b, ok := x.(*hclsyntax.BinaryOpExpr); ok && operators[b.Op] == op {
			gather(b.LHS)
			gather(b.RHS)
			return
		}
		p := s.truth(x)
		good = good && p.kind == truth
		parts = append(parts, p.cond)
	}
	gather(e)
	if !good {
		return t
	}
	t.kind = truth
	if src := s.c.source(t.rng); op == "&&" {
		t.cond = plan.And(src, parts...)
	} else {
		t.cond = plan.Or(src, parts...)
	}
	return t
}

func (s *scope) operand(e hclsyntax.Expression, op string) typed {
	v := s.check(e)
	if v.kind == text && op == "+" {
		s.c.report(wrongType, v.rng, `Texts are joined by a template, not by +: "${lead.a} ${lead.b}".`)
		return typed{rng: v.rng}
	}
	return s.as(number, v)
}

func (s *scope) order(e *hclsyntax.BinaryOpExpr, op string) typed {
	t := typed{rng: e.Range()}
	a, b := s.check(e.LHS), s.check(e.RHS)
	if a.kind == open {
		a = s.resolve(a, number)
	}
	if b.kind == open {
		b = s.resolve(b, number)
	}
	a, b = s.inUnits(a, b)
	switch {
	case a.kind == bad || b.kind == bad:
	case a.kind == text && b.kind == text:
		s.c.report(wrongType, t.rng, "Texts have no order: %s compares numbers. Compare texts with == or one_of(...).", op)
	case a.kind != number || b.kind != number:
		s.mismatch(t.rng, a, b, op)
	case a.num.Const && !b.num.Const:
		t.kind, t.cond = truth, s.named(plan.Compare(mirror(op), b.num, a.num), t.rng)
	default:
		t.kind, t.cond = truth, s.named(plan.Compare(op, a.num, b.num), t.rng)
	}
	return t
}

func mirror(op string) string {
	return strings.NewReplacer("<", ">", ">", "<").Replace(op)
}

// named gives a condition the author's own words.
func (s *scope) named(c plan.Cond, rng hcl.Range) plan.Cond {
	c.Source = s.c.source(rng)
	return c
}

func (s *scope) equal(e *hclsyntax.BinaryOpExpr, op string) typed {
	t := typed{rng: e.Range()}
	a, b := s.check(e.LHS), s.check(e.RHS)
	if a.kind == bad || b.kind == bad {
		return t
	}
	if a.kind == null || b.kind == null {
		return s.equalNull(t, a, b, op)
	}
	if a.kind != b.kind && a.kind != open && b.kind != open {
		s.mismatch(t.rng, a, b, op)
		return t
	}
	a, b = s.alike(a, b)
	if a.kind == bad || b.kind == bad || !s.comparable(a, b) {
		return t
	}
	t.kind = truth
	switch a.kind {
	case text:
		if a.text.Const && !b.text.Const {
			a, b = b, a // the field is the subject, whichever side it stands on
		}
		s.values(a, b)
		t.cond = s.named(plan.Same(a.text, b.text, op == "!="), t.rng)
	case number:
		if a.num.Const && !b.num.Const {
			a, b = b, a
		}
		t.cond = s.named(plan.Compare(op, a.num, b.num), t.rng)
	case truth:
		t.cond = s.named(s.equalTruth(a.cond, b.cond, op), t.rng)
	default:
		s.c.report(wrongType, t.rng, "Lists are not compared with %s. Write contains(list, \"...\").", op)
		t.kind = bad
	}
	return t
}

// equalTruth keeps lead.x == true as the atom it is.
func (s *scope) equalTruth(a, b plan.Cond, op string) plan.Cond {
	if a.Op == plan.OpAlways || a.Op == plan.OpNever {
		a, b = b, a
	}
	switch {
	case b.Op == plan.OpAlways && op == "==", b.Op == plan.OpNever && op == "!=":
		return a
	case b.Op == plan.OpAlways, b.Op == plan.OpNever:
		return plan.Not("", a)
	default:
		return plan.SameBool(a, b, op == "!=")
	}
}

// equalNull is has and !has.
func (s *scope) equalNull(t, a, b typed, op string) typed {
	if a.kind == null {
		a, b = b, a
	}
	if b.kind != null || a.kind == null {
		s.c.report(wrongType, t.rng, "null == null says nothing about the lead.")
		return t
	}
	c, ok := s.has(a)
	if !ok {
		return t
	}
	if op == "==" {
		c = plan.Not("", c)
	}
	t.kind, t.cond = truth, s.named(c, t.rng)
	return t
}

// has asks whether an expression is there.
func (s *scope) has(t typed) (plan.Cond, bool) {
	switch t.kind {
	case open:
		// The type does not matter to the question, but the slot needs one.
		typ := text
		if use, ok := s.c.repFields[t.attr]; ok {
			typ = map[string]kind{plan.TypeNumber: number, plan.TypeBool: truth, plan.TypeList: list, plan.TypeString: text}[use.typ]
		}
		return s.has(s.resolve(t, typ))
	case text:
		if t.none != "" {
			return s.hasAssigned(t), true
		}
		return plan.Has(t.text), true
	case number:
		return plan.Has(t.num), true
	case list:
		return plan.Has(t.list), true
	case truth:
		return plan.HasBool(t.cond), true
	default:
		return plan.Cond{}, false
	}
}

// mismatch reports two sides of different kinds.
func (s *scope) mismatch(rng hcl.Range, a, b typed, op string) {
	hint := ""
	switch {
	case a.kind == list || b.kind == list:
		hint = ` Write contains(list, "...").`
	case a.kind == number && b.kind == text && b.text.Const && isNumber(b.text.Value()):
		hint = " Write " + b.text.Value() + " without quotes."
	case b.kind == number && a.kind == text && a.text.Const && isNumber(a.text.Value()):
		hint = " Write " + a.text.Value() + " without quotes."
	case a.kind == text && b.kind == number && b.num.Const:
		hint = " Write " + inQuotes(plan.FormatNumber(b.num.Value())) + " in quotes."
	}
	s.c.report(wrongType, rng, "%s and %s cannot be compared with %s.%s", capital(a.kind.String()), b.kind, op, hint)
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// comparable refuses lead.priority == "P0", where priority.P0 is checked for its name,
// and priority.P0 == territory.emea.
func (s *scope) comparable(a, b typed) bool {
	if a.block == b.block {
		return true
	}
	block := a.block + b.block
	if a.block != "" && b.block != "" {
		s.c.report(wrongType, hcl.RangeBetween(a.rng, b.rng), "A %s and a %s are never the same.", a.block, b.block)
		return false
	}
	plain := a
	if a.block != "" {
		plain = b
	}
	hint := ""
	if plain.text.Const && s.c.declared[block][plain.text.Value()] != nil {
		hint = " Write " + block + "." + plain.text.Value() + "."
	}
	s.c.report(wrongType, plain.rng, "A %s is compared with a reference such as %s.name.%s", block, block, hint)
	return false
}

// values reports a constant that the field never has.
func (s *scope) values(f, k typed) {
	if f.field == nil || len(f.field.Values) == 0 || !k.text.Const {
		return
	}
	s.value(f.field, k.text.Value(), k.rng)
}
