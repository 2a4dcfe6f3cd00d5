package dsl

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// kind is the type of an expression.
type kind uint8

const (
	bad    kind = iota // wrong, and told already
	open               // a rep attribute whose type only its use can tell
	null               // the literal null
	text               // texts, the names of priorities and territories included
	number             // numbers
	truth              // conditions
	list               // lists of texts
)

func (k kind) String() string {
	return [...]string{"nothing", "a field of unknown type", "null", "a text", "a number", "true or false", "a list"}[k]
}

// typed is an expression after checking: exactly the member that its kind names is set.
type typed struct {
	kind kind
	text plan.Text
	num  plan.Number
	cond plan.Cond
	list plan.List

	rng   hcl.Range
	field *plan.Field      // when it is one field of the lead and nothing else
	block string           // "priority", "territory", ... when the text is the name of such a block
	attr  string           // of an open one: the rep attribute's name
	none  string           // of an assigned one: the value that says none
	table *table           // of a text that is looked up: where
	use   func(kind) typed // of an open one that is a cell, a lookup or an answer: what it is as that kind
	unit  unit             // of a number
}

// scope is what an expression may read.
type scope struct {
	c      *compiler
	layout *plan.Layout
	root   string // lead or rep
	facts  facts  // what else it may read, by the reference's first name; nil: nothing
	decided
	rowTerritory *plan.Territory // what the table row at hand sets
	discreet     bool            // personal data must not be read
	answer       bool            // response.x, of an enrichment, can be read
}

// decided says which of the plan's own decisions have been made when the expression runs.
type decided struct{ priority, territory, assigned bool }

// condition compiles a when; anything but a condition is reported, and never holds.
func (s *scope) condition(e hclsyntax.Expression) plan.Cond {
	t := s.truth(e)
	if t.kind != truth {
		return plan.Constant(false, s.c.source(e.Range()))
	}
	s.c.lintCondition(t.cond, e)
	return t.cond
}

func (s *scope) truth(e hclsyntax.Expression) typed { return s.as(truth, s.check(e)) }

// as resolves an open expression to the kind wanted, and reports one of another kind.
func (s *scope) as(k kind, t typed) typed {
	if t.kind == open {
		t = s.resolve(t, k)
	}
	switch {
	case t.kind == k || t.kind == bad:
		return t
	case k == truth:
		s.c.report(wrongType, t.rng, "A condition is true or false; this is %s.%s", t.kind, compareHint(t))
	case t.kind == null:
		s.c.report(wrongType, t.rng, "null has no type here. To ask whether a field is there, write has(...) or compare with == null.")
	default:
		s.c.report(wrongType, t.rng, "This must be %s; it is %s.", k, t.kind)
	}
	return typed{rng: t.rng}
}

func compareHint(t typed) string {
	switch {
	case t.field == nil:
		return ""
	case t.kind == list:
		return ` Write contains(` + t.list.Source + `, "...").`
	default:
		return " Compare it with something, or write has(lead." + t.field.Name + ")."
	}
}

// resolve gives a rep attribute the type that its use says.
func (s *scope) resolve(t typed, k kind) typed {
	if t.use != nil {
		return t.use(k)
	}
	names := map[kind]string{text: plan.TypeString, number: plan.TypeNumber, truth: plan.TypeBool, list: plan.TypeList}
	typ, ok := names[k]
	if !ok {
		return t
	}
	if use, seen := s.c.repFields[t.attr]; seen && use.typ != typ {
		s.c.report(wrongType, t.rng, "rep.%s is used as a %s here, and as a %s at %s.", t.attr, typ, use.typ, at(use.where))
		return typed{rng: t.rng}
	} else if !seen {
		s.c.repFields[t.attr] = repUse{typ, t.rng}
	}
	return s.repSlot(t.attr, typ, t.rng)
}

// slot reads a field of the record.
func (s *scope) slot(slot plan.Slot, rng hcl.Range) typed {
	return s.read(slot, s.root+"."+slot.Name, rng)
}

func (s *scope) read(slot plan.Slot, source string, rng hcl.Range) typed {
	t := typed{rng: rng}
	switch slot.Type {
	case plan.TypeNumber:
		t.kind, t.num = number, plan.NumberField(slot, source)
	case plan.TypeBool:
		t.kind, t.cond = truth, plan.BoolField(slot, source)
	case plan.TypeList:
		t.kind, t.list = list, plan.ListField(slot, source)
	default:
		t.kind, t.text = text, plan.TextField(slot, source)
	}
	return t
}

// check types an expression and compiles it.
func (s *scope) check(e hclsyntax.Expression) typed {
	rng := e.Range()
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return s.literal(e)
	case *hclsyntax.TemplateExpr:
		return s.template(e)
	case *hclsyntax.TemplateWrapExpr:
		return s.check(e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return s.check(e.Expression)
	case *hclsyntax.ScopeTraversalExpr:
		return s.reference(e)
	case *hclsyntax.FunctionCallExpr:
		return s.call(e)
	case *hclsyntax.ConditionalExpr:
		return s.conditional(e)
	case *hclsyntax.UnaryOpExpr:
		return s.unary(e)
	case *hclsyntax.BinaryOpExpr:
		return s.binary(e)
	case *hclsyntax.TupleConsExpr:
		return s.tuple(e)
	case *hclsyntax.ExprSyntaxError:
		return typed{rng: rng}
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		s.c.report(notAllowedHere, rng, "A condition has no for-expressions and splats. Write contains(...) or one_of(...).")
	case *hclsyntax.IndexExpr, *hclsyntax.RelativeTraversalExpr:
		s.c.report(notAllowedHere, rng, "A condition has no indexing. Write contains(...) or one_of(...).")
	default:
		s.c.report(notAllowedHere, rng, "This cannot stand in a condition.")
	}
	return typed{rng: rng}
}

func (s *scope) literal(e *hclsyntax.LiteralValueExpr) typed {
	k, ok := s.c.literal(e)
	if !ok {
		return typed{rng: k.rng}
	}
	return s.constant(k)
}

// constant turns a load-time value into an expression.
func (s *scope) constant(k constant) typed {
	t := typed{rng: k.rng}
	switch v := k.v.(type) {
	case nil:
		t.kind = null
	case bool:
		t.kind, t.cond = truth, plan.Constant(v, s.c.source(k.rng))
	case float64:
		t.kind, t.num = number, plan.Literal(v, plan.FormatNumber(v))
	case string:
		if v == "" {
			s.c.report(emptyString, k.rng, `"" is missing, and no field ever equals it. Write !has(lead.field) for a field that is missing.`)
			return t
		}
		t.kind, t.text = text, plan.Literal(v, inQuotes(v))
	case []constant:
		texts, ok := s.c.textList(k, "A list in a condition")
		if ok {
			t.kind, t.list = list, plan.Literal(texts, s.c.source(k.rng))
		}
	default:
		s.c.report(notAllowedHere, k.rng, "This cannot stand in a condition: it is %s.", kindOf(v))
	}
	return t
}

func (s *scope) tuple(e *hclsyntax.TupleConsExpr) typed {
	k, ok := s.c.constant(e)
	if !ok {
		return typed{rng: e.Range()}
	}
	return s.constant(k)
}

// template compiles "a ${lead.x} b"; a plain quoted text has one literal part.
func (s *scope) template(e *hclsyntax.TemplateExpr) typed {
	t := typed{rng: e.Range()}
	if e.IsStringLiteral() || len(e.Parts) == 0 {
		if k, ok := s.c.constant(e); ok {
			return s.constant(k)
		}
		return t
	}
	var parts []plan.Text
	for _, p := range e.Parts {
		if lit, ok := p.(*hclsyntax.LiteralValueExpr); ok {
			k, _ := s.c.literal(lit)
			if v, isText := k.v.(string); isText {
				parts = append(parts, plan.Literal(v, inQuotes(v)))
				continue
			}
		}
		switch part := s.check(p); part.kind {
		case text:
			parts = append(parts, part.text)
		case number:
			parts = append(parts, plan.Format(part.num))
		case open:
			parts = append(parts, s.resolve(part, text).text)
		case bad:
			return t
		default:
			s.c.report(wrongType, part.rng, "Texts and numbers can be put into a text; this is %s.", part.kind)
			return t
		}
	}
	if slices.ContainsFunc(parts, func(p plan.Text) bool { return p.Of == nil }) {
		return t
	}
	t.kind, t.text = text, plan.Join(s.c.source(t.rng), parts...)
	return t
}

func (s *scope) conditional(e *hclsyntax.ConditionalExpr) typed {
	t := typed{rng: e.Range()}
	c, a, b := s.truth(e.Condition), s.check(e.TrueResult), s.check(e.FalseResult)
	a, b = s.alike(a, b)
	if c.kind == bad || a.kind == bad || b.kind == bad {
		return t
	}
	src := s.c.source(t.rng)
	t.kind = a.kind
	switch a.kind {
	case text:
		t.text = plan.Choose(src, c.cond, a.text, b.text, "")
	case number:
		t.num = plan.ChooseNumber(src, c.cond, a.num, b.num)
	case list:
		t.list = plan.Choose(src, c.cond, a.list, b.list, nil)
	case truth:
		t.cond = plan.ChooseBool(src, c.cond, a.cond, b.cond)
	default:
		s.c.report(notAllowedHere, t.rng, "Both sides of a conditional need a value.")
		t.kind = bad
	}
	return t
}

// alike makes two expressions the same kind: an open one takes the other's, and what
// differs is reported.
func (s *scope) alike(a, b typed) (typed, typed) {
	switch {
	case a.kind == open && b.kind == open:
		a, b = s.resolve(a, text), s.resolve(b, text)
	case a.kind == open:
		a = s.resolve(a, b.kind)
	case b.kind == open:
		b = s.resolve(b, a.kind)
	}
	if a.kind != b.kind && a.kind != bad && b.kind != bad {
		s.c.report(wrongType, hcl.RangeBetween(a.rng, b.rng), "%s and %s do not go together.", capital(a.kind.String()), b.kind)
		return typed{rng: a.rng}, typed{rng: b.rng}
	}
	return a, b
}
