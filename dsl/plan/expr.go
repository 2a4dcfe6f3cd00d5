package plan

import (
	"math"
	"strconv"
	"strings"
)

// Expr is a compiled expression that is no condition.
type Expr[T string | float64 | []string] struct {
	Of     func(*Record) T
	Source string // as the author wrote it
	Field  string // the field's dotted name when the expression is one field and nothing else
	Const  bool   // the same for every lead
	slot   Slot   // of Field
}

// The expressions. What is missing is "", NaN and nil.
type (
	Text   = Expr[string]
	Number = Expr[float64]
	List   = Expr[[]string]
)

// Value returns a constant's value.
func (e Expr[T]) Value() T { return e.Of(nil) }

// Literal returns a constant.
func Literal[T string | float64 | []string](v T, source string) Expr[T] {
	return Expr[T]{Of: func(*Record) T { return v }, Source: source, Const: true}
}

// TextField reads a text field; NumberField, BoolField and ListField do likewise.
func TextField(s Slot, source string) Text {
	i := s.index
	return Text{Of: func(r *Record) string { return r.strs[i] }, Source: source, Field: s.Name, slot: s}
}

// NumberField reads a number field.
func NumberField(s Slot, source string) Number {
	i := s.index
	return Number{Of: func(r *Record) float64 { return r.nums[i] }, Source: source, Field: s.Name, slot: s}
}

// ListField reads a list field.
func ListField(s Slot, source string) List {
	i := s.index
	return List{Of: func(r *Record) []string { return r.lists[i] }, Source: source, Field: s.Name, slot: s}
}

// BoolField is the condition that a bool field is true.
func BoolField(s Slot, source string) Cond {
	i := s.index
	c := atom(Atom{
		Test: "==", Subject: source, Field: s.Name, Needs: "== true", reads: s,
		Actual: func(r *Record) string { return r.bools[i].String() },
	}, func(r *Record) bool { return r.bools[i] == triTrue }, func(r *Record) bool { return r.bools[i] == triFalse })
	c.Source = source
	return c
}

func (t tri) String() string {
	switch t {
	case triTrue:
		return "true"
	case triFalse:
		return "false"
	default:
		return ""
	}
}

func missingText(s string) bool    { return s == "" }
func missingList(l []string) bool  { return l == nil }
func missingNumber(f float64) bool { return f != f }

// Missing returns the test for the missing value of a type.
func missing[T string | float64 | []string]() func(T) bool {
	var f any
	switch any(*new(T)).(type) {
	case string:
		f = missingText
	case float64:
		f = missingNumber
	default:
		f = missingList
	}
	return f.(func(T) bool)
}

// Coalesce is the first of the expressions that is not missing.
func Coalesce[T string | float64 | []string](source string, args ...Expr[T]) Expr[T] {
	gone := missing[T]()
	return Expr[T]{Source: source, Of: func(r *Record) T {
		var v T
		for _, a := range args {
			if v = a.Of(r); !gone(v) {
				break
			}
		}
		return v
	}}
}

// Choose is a where c holds, b where c fails, and missing where c is undecided.
func Choose[T string | float64 | []string](source string, c Cond, a, b Expr[T], none T) Expr[T] {
	t, f := sides(c)
	return Expr[T]{Source: source, Of: func(r *Record) T {
		switch {
		case t(r):
			return a.Of(r)
		case f(r):
			return b.Of(r)
		default:
			return none
		}
	}}
}

// Arith computes with + - * /; a missing operand or a division by zero is missing.
func Arith(op byte, a, b Number, source string) Number {
	x, y := a.Of, b.Of
	n := Number{Source: source, Const: a.Const && b.Const}
	switch op {
	case '+':
		n.Of = func(r *Record) float64 { return x(r) + y(r) }
	case '-':
		n.Of = func(r *Record) float64 { return x(r) - y(r) }
	case '*':
		n.Of = func(r *Record) float64 { return x(r) * y(r) }
	default:
		n.Of = func(r *Record) float64 {
			d := y(r)
			if d == 0 {
				return math.NaN()
			}
			return x(r) / d
		}
	}
	return n
}

// Lower is the text in lower case.
func Lower(t Text, source string) Text { return mapText(t, source, strings.ToLower) }

// Upper is the text in upper case.
func Upper(t Text, source string) Text { return mapText(t, source, strings.ToUpper) }

func mapText(t Text, source string, f func(string) string) Text {
	of := t.Of
	return Text{Source: source, Const: t.Const, Of: func(r *Record) string { return f(of(r)) }}
}

// Join is a template: its parts one after the other, missing if one of them is. It is
// the one expression that allocates when a lead is decided.
func Join(source string, parts ...Text) Text {
	t := Text{Source: source, Const: true}
	for _, p := range parts {
		t.Const = t.Const && p.Const
	}
	t.Of = func(r *Record) string {
		var b strings.Builder
		for _, p := range parts {
			s := p.Of(r)
			if s == "" {
				return ""
			}
			b.WriteString(s)
		}
		return b.String()
	}
	return t
}

// Format writes a number as a text, in the shortest form that reads back the same.
func Format(n Number) Text {
	return Text{Source: n.Source, Const: n.Const, Of: func(r *Record) string { return FormatNumber(n.Of(r)) }}
}

// FormatNumber is the shortest decimal form without an exponent, "" for a missing number.
func FormatNumber(f float64) string {
	if missingNumber(f) {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// ChooseNumber is Choose for numbers.
func ChooseNumber(source string, c Cond, a, b Number) Number {
	return Choose(source, c, a, b, math.NaN())
}
