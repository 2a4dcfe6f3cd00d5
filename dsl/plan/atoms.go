package plan

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leadroute/leadroute"
)

// Compare builds == != < <= > >= between numbers; with a missing operand it is undecided.
func Compare(test string, a, b Number) Cond {
	at := Atom{
		Test: test, Subject: a.Source, Field: a.Field, Needs: test + " " + b.Source,
		Actual: func(r *Record) string { return FormatNumber(a.Of(r)) },
	}
	if b.Const {
		at.Numbers, at.reads = []float64{b.Value()}, a.slot
	}
	x, y := a.Of, b.Of
	// NaN compares false with everything, so that "missing" needs no test of its own.
	lt := func(r *Record) bool { return x(r) < y(r) }
	le := func(r *Record) bool { return x(r) <= y(r) }
	gt := func(r *Record) bool { return x(r) > y(r) }
	ge := func(r *Record) bool { return x(r) >= y(r) }
	eq := func(r *Record) bool { return x(r) == y(r) }
	ne := func(r *Record) bool { return lt(r) || gt(r) }
	switch test {
	case "<":
		return atom(at, lt, ge)
	case "<=":
		return atom(at, le, gt)
	case ">":
		return atom(at, gt, le)
	case ">=":
		return atom(at, ge, lt)
	case "!=":
		return atom(at, ne, eq)
	default:
		return atom(at, eq, ne)
	}
}

// Same builds == (or, with negate, !=) between texts.
func Same(a, b Text, negate bool) Cond {
	at := Atom{Test: "==", Subject: a.Source, Field: a.Field, Needs: "== " + b.Source, Actual: quoted(a)}
	x, y := a.Of, b.Of
	eq := func(r *Record) bool { s := x(r); return s != "" && s == y(r) }
	ne := func(r *Record) bool { s, t := x(r), y(r); return s != "" && t != "" && s != t }
	if b.Const {
		v := b.Value()
		at.Texts, at.reads = []string{v}, a.slot
		eq = func(r *Record) bool { return x(r) == v }
		ne = func(r *Record) bool { s := x(r); return s != "" && s != v }
	}
	c := atom(at, eq, ne)
	if negate {
		return negated(c, "!=", "!= "+b.Source)
	}
	return c
}

// SameBool builds == (or, with negate, !=) between conditions.
func SameBool(a, b Cond, negate bool) Cond {
	at, af := sides(a)
	bt, bf := sides(b)
	c := atom(Atom{Test: "==", Subject: a.Source, Needs: "== " + b.Source, Actual: truth(a)},
		func(r *Record) bool { return at(r) && bt(r) || af(r) && bf(r) },
		func(r *Record) bool { return at(r) && bf(r) || af(r) && bt(r) })
	if negate {
		return negated(c, "!=", "!= "+b.Source)
	}
	return c
}

// ChooseBool is a condition chosen by a condition; undecided where c is.
func ChooseBool(source string, c, a, b Cond) Cond {
	ct, cf := sides(c)
	at, af := sides(a)
	bt, bf := sides(b)
	k := atom(Atom{Test: "?", Subject: source, Needs: "to be true"},
		func(r *Record) bool { return ct(r) && at(r) || cf(r) && bt(r) },
		func(r *Record) bool { return ct(r) && af(r) || cf(r) && bf(r) })
	k.Atom.Actual, k.Source = truth(k), source
	return k
}

// CoalesceBool is the first condition that is decided.
func CoalesceBool(source string, args ...Cond) Cond {
	ts, fs := trues(args), falses(args)
	first := func(r *Record) tri {
		for i := range ts {
			if ts[i](r) {
				return triTrue
			}
			if fs[i](r) {
				return triFalse
			}
		}
		return 0
	}
	c := atom(Atom{Test: "coalesce", Subject: source, Needs: "to be true", Actual: func(r *Record) string { return first(r).String() }},
		func(r *Record) bool { return first(r) == triTrue },
		func(r *Record) bool { return first(r) == triFalse })
	c.Source = source
	return c
}

// OneOf holds when the text is one of the set; it is undecided when the text is missing.
func OneOf(t Text, set []string) Cond {
	a := Atom{Test: "one_of", Subject: t.Source, Field: t.Field, Texts: set, Needs: "one of " + quoteAll(set), Actual: quoted(t), reads: t.slot}
	in := func(s string) bool { return slices.Contains(set, s) }
	if len(set) > 8 {
		m := make(map[string]struct{}, len(set))
		for _, s := range set {
			m[s] = struct{}{}
		}
		in = func(s string) bool { _, ok := m[s]; return ok }
	}
	of := t.Of
	return atom(a, func(r *Record) bool { s := of(r); return s != "" && in(s) },
		func(r *Record) bool { s := of(r); return s != "" && !in(s) })
}

// OneOfNumbers is OneOf for numbers.
func OneOfNumbers(n Number, set []float64) Cond {
	words := make([]string, len(set))
	for i, f := range set {
		words[i] = FormatNumber(f)
	}
	a := Atom{
		Test: "one_of", Subject: n.Source, Field: n.Field, Numbers: set, Needs: "one of " + strings.Join(words, ", "), reads: n.slot,
		Actual: func(r *Record) string { return FormatNumber(n.Of(r)) },
	}
	return atom(a, func(r *Record) bool { return slices.Contains(set, n.Of(r)) },
		func(r *Record) bool { f := n.Of(r); return !missingNumber(f) && !slices.Contains(set, f) })
}

// Contains holds when the list has the text among its elements.
func Contains(l List, t Text) Cond {
	a := Atom{Test: "contains", Subject: l.Source, Field: l.Field, Needs: "to contain " + t.Source, Actual: func(r *Record) string {
		v := l.Of(r)
		if v == nil {
			return ""
		}
		return "[" + quoteAll(v) + "]"
	}}
	if t.Const {
		a.Texts, a.reads = []string{t.Value()}, l.slot
	}
	x, y := l.Of, t.Of
	return atom(a, func(r *Record) bool { s := y(r); return s != "" && slices.Contains(x(r), s) },
		func(r *Record) bool { v, s := x(r), y(r); return v != nil && s != "" && !slices.Contains(v, s) })
}

// ContainsText tests for a part of a text.
func ContainsText(t, part Text) Cond {
	return textTest("contains", "to contain", t, part, strings.Contains)
}

// StartsWith tests a text's beginning.
func StartsWith(t, part Text) Cond {
	return textTest("startswith", "to start with", t, part, strings.HasPrefix)
}

// EndsWith tests a text's end.
func EndsWith(t, part Text) Cond {
	return textTest("endswith", "to end with", t, part, strings.HasSuffix)
}

func textTest(test, words string, t, part Text, f func(s, part string) bool) Cond {
	a := Atom{Test: test, Subject: t.Source, Field: t.Field, Needs: words + " " + part.Source, Actual: quoted(t)}
	if part.Const {
		a.Texts = []string{part.Value()}
	}
	x, y := t.Of, part.Of
	return atom(a, func(r *Record) bool { s, p := x(r), y(r); return s != "" && p != "" && f(s, p) },
		func(r *Record) bool { s, p := x(r), y(r); return s != "" && p != "" && !f(s, p) })
}

// Matches tests a text against a regular expression.
func Matches(t Text, re *regexp.Regexp) Cond {
	a := Atom{
		Test: "matches", Subject: t.Source, Field: t.Field, Texts: []string{re.String()},
		Needs: "to match " + strconv.Quote(re.String()), Actual: quoted(t),
	}
	of := t.Of
	return atom(a, func(r *Record) bool { s := of(r); return s != "" && re.MatchString(s) },
		func(r *Record) bool { s := of(r); return s != "" && !re.MatchString(s) })
}

// Between holds when lo <= n <= hi.
func Between(n, lo, hi Number) Cond {
	a := Atom{
		Test: "between", Subject: n.Source, Field: n.Field, Needs: "between " + lo.Source + " and " + hi.Source,
		Actual: func(r *Record) string { return FormatNumber(n.Of(r)) },
	}
	if lo.Const && hi.Const {
		a.Numbers, a.reads = []float64{lo.Value(), hi.Value()}, n.slot
	}
	return atom(a,
		func(r *Record) bool { f := n.Of(r); return lo.Of(r) <= f && f <= hi.Of(r) },
		func(r *Record) bool {
			f, l, h := n.Of(r), lo.Of(r), hi.Of(r)
			return f < l && !missingNumber(h) || f > h && !missingNumber(l)
		})
}

// Has holds when the expression is not missing, and fails when it is: it is never undecided.
func Has[T string | float64 | []string](e Expr[T]) Cond {
	gone, of := missing[T](), e.Of
	return has(e.Source, e.Field, e.slot, func(r *Record) bool { return !gone(of(r)) })
}

// HasBool holds when the condition is decided.
func HasBool(c Cond) Cond {
	t, f := sides(c)
	field, reads := "", Slot{}
	if c.Atom != nil {
		field = c.Atom.Field
		if c.Atom.reads.Type == TypeBool && c.Atom.Test == "==" {
			reads = c.Atom.reads
		}
	}
	return has(c.Source, field, reads, func(r *Record) bool { return t(r) || f(r) })
}

func has(source, field string, reads Slot, there func(*Record) bool) Cond {
	return atom(Atom{
		Test: "has", Subject: source, Field: field, Needs: "to be present", reads: reads,
		Actual: func(r *Record) string {
			if there(r) {
				return "present"
			}
			return "missing"
		},
	}, there, func(r *Record) bool { return !there(r) })
}

// During holds while the hours are open at the time of the decision.
func During(h *Hours) Cond {
	return atom(Atom{
		Test: "during", Subject: "hours." + h.Name, Needs: "to be within hours." + h.Name,
		Actual: func(r *Record) string { return r.at.In(h.Zone).Format("Mon 15:04 MST") },
	}, func(r *Record) bool { return h.Open(r.at) }, func(r *Record) bool { return !h.Open(r.at) })
}

// Available is how many of the pool's members are free, as far as the live view knows;
// missing where there is no view.
func Available(pool leadroute.PoolID) Number {
	return Number{Source: "pool." + string(pool) + ".available", Of: func(r *Record) float64 {
		if r.live == nil {
			return math.NaN()
		}
		return float64(r.live.Available(pool))
	}}
}

func quoted(t Text) func(*Record) string {
	return func(r *Record) string {
		if s := t.Of(r); s != "" {
			return strconv.Quote(s)
		}
		return ""
	}
}

func truth(c Cond) func(*Record) string {
	return func(r *Record) string {
		switch {
		case c.Holds(r):
			return "true"
		case c.Fails(r):
			return "false"
		default:
			return ""
		}
	}
}

func quoteAll(ss []string) string {
	const most = 12
	q := make([]string, 0, min(len(ss), most+1))
	for i, s := range ss {
		if i == most {
			q = append(q, "... "+strconv.Itoa(len(ss)-most)+" more")
			break
		}
		q = append(q, strconv.Quote(s))
	}
	return strings.Join(q, ", ")
}
