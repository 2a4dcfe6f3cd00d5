package dsl

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// function is one function of conditions.
type function struct {
	name  string
	args  int // exactly; -1: one or more
	usage string
	later bool
	call  func(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed
}

// functions lists the functions that a condition can call.
func functions() []function {
	return []function{
		{name: "has", args: 1, usage: "has(lead.field)", call: callHas},
		{name: "coalesce", args: -1, usage: "coalesce(lead.field, fallback)", call: callCoalesce},
		{name: "one_of", args: 2, usage: `one_of(lead.field, ["a", "b"])`, call: callOneOf},
		{name: "contains", args: 2, usage: `contains(lead.tags, "a")`, call: callContains},
		{name: "between", args: 3, usage: "between(lead.field, low, high)", call: callBetween},
		{name: "startswith", args: 2, usage: `startswith(lead.field, "a")`, call: textTest(plan.StartsWith)},
		{name: "endswith", args: 2, usage: `endswith(lead.field, "a")`, call: textTest(plan.EndsWith)},
		{name: "matches", args: 2, usage: `matches(lead.field, "regular expression")`, call: callMatches},
		{name: "lower", args: 1, usage: "lower(lead.field)", call: textMap(plan.Lower)},
		{name: "upper", args: 1, usage: "upper(lead.field)", call: textMap(plan.Upper)},
		{name: "during", args: 1, usage: "during(hours.name)", call: callDuring},
		{name: "lookup", later: true},
		{name: "staffed_within", later: true},
		{name: "split", later: true},
	}
}

func (s *scope) call(e *hclsyntax.FunctionCallExpr) typed {
	t := typed{rng: e.Range()}
	all := functions()
	i := slices.IndexFunc(all, func(f function) bool { return f.name == e.Name })
	if i < 0 {
		s.unknownFunction(e, all)
		return t
	}
	f := all[i]
	switch {
	case f.later:
		s.c.report(notSupportedYet, e.NameRange, "The function %s is part of the language, but this version does not run it yet.", f.name)
		return t
	case e.ExpandFinal:
		s.c.report(notAllowedHere, t.rng, "Write the arguments one by one; ... is not allowed.")
		return t
	case f.args >= 0 && len(e.Args) != f.args, f.args < 0 && len(e.Args) < 2:
		s.c.report(wrongArguments, t.rng, "%s takes %s: %s", f.name, count(f.args, "argument"), f.usage)
		return t
	}
	t = f.call(s, e, t)
	if t.kind == truth {
		t.cond = s.named(t.cond, t.rng)
	}
	return t
}

func count(n int, what string) string {
	switch n {
	case -1:
		return "two " + what + "s or more"
	case 1:
		return "one " + what
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}

func (s *scope) unknownFunction(e *hclsyntax.FunctionCallExpr, all []function) {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	hint := map[string]string{
		"rep_by_id": " rep_by_id names a target: write it in to = ...",
		"secret":    " A secret cannot be read by a condition.",
		"in":        ` Write one_of(lead.field, ["a", "b"]).`,
		"exists":    " Write has(lead.field).",
		"defined":   " Write has(lead.field).",
		"isnull":    " Write !has(lead.field).",
		"regex":     ` Write matches(lead.field, "...").`,
		"len":       " There is no length of lists; write contains(...), or has(...).",
		"length":    " There is no length of lists; write contains(...), or has(...).",
	}[e.Name]
	if hint == "" {
		hint = didYouMean(e.Name, names, inQuotes)
	}
	s.c.report(unknownFunction, e.NameRange, "There is no function %q in conditions.%s", e.Name, hint)
}

func callHas(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	if c, ok := s.has(s.check(e.Args[0])); ok {
		t.kind, t.cond = truth, c
	}
	return t
}

func callCoalesce(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	args := make([]typed, len(e.Args))
	k := open
	for i, a := range e.Args {
		args[i] = s.check(a)
		if args[i].kind == bad {
			return t
		}
		if k == open {
			k = args[i].kind
		}
	}
	if k == open {
		k = text
	}
	for i := range args {
		if args[i] = s.as(k, args[i]); args[i].kind == bad {
			return t
		}
	}
	src := s.c.source(t.rng)
	t.kind = k
	switch k {
	case text:
		t.text = plan.Coalesce(src, each(args, func(a typed) plan.Text { return a.text })...)
	case number:
		t.num = plan.Coalesce(src, each(args, func(a typed) plan.Number { return a.num })...)
	case list:
		t.list = plan.Coalesce(src, each(args, func(a typed) plan.List { return a.list })...)
	case truth:
		t.cond = plan.CoalesceBool(src, each(args, func(a typed) plan.Cond { return a.cond })...)
	default:
		s.c.report(wrongArguments, t.rng, "coalesce(null, ...) is missing itself.")
		t.kind = bad
	}
	return t
}

func each[T any](args []typed, f func(typed) T) []T {
	out := make([]T, len(args))
	for i, a := range args {
		out[i] = f(a)
	}
	return out
}

// constants reads a list argument, which must be known at load.
func (s *scope) constants(e hclsyntax.Expression, usage string) ([]constant, bool) {
	k, ok := s.c.constant(e)
	if !ok {
		return nil, false
	}
	l, isList := k.v.([]constant)
	if !isList || len(l) == 0 {
		s.c.report(wrongArguments, k.rng, "This must be a list with something in it: %s", usage)
		return nil, false
	}
	return l, true
}

func callOneOf(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	v := s.check(e.Args[0])
	set, ok := s.oneOfSet(e.Args[1], v)
	if !ok || v.kind == bad {
		return t
	}
	if _, isNumber := set[0].v.(float64); isNumber {
		v = s.as(number, v)
	} else if v.kind == open {
		v = s.resolve(v, text)
	}
	switch v.kind {
	case text:
		texts := make([]string, 0, len(set))
		for _, k := range set {
			w, isText := k.v.(string)
			if !isText || w == "" {
				s.c.report(wrongType, k.rng, "%s is a text; this is %s.", v.text.Source, kindOf(k.v))
				return t
			}
			if v.field != nil && len(v.field.Values) > 0 {
				s.value(v.field, w, k.rng)
			}
			texts = append(texts, w)
		}
		t.kind, t.cond = truth, plan.OneOf(v.text, texts)
	case number:
		nums := make([]float64, 0, len(set))
		for _, k := range set {
			n, isNumber := k.v.(float64)
			if !isNumber {
				s.c.report(wrongType, k.rng, "%s is a number; this is %s.", v.num.Source, kindOf(k.v))
				return t
			}
			nums = append(nums, n)
		}
		t.kind, t.cond = truth, plan.OneOfNumbers(v.num, nums)
	case bad:
	default:
		s.c.report(wrongArguments, v.rng, "one_of takes a text or a number; this is %s.%s", v.kind, compareHint(v))
	}
	return t
}

// oneOfSet reads the list, in which the names of priorities and territories may stand
// where such a name is asked for.
func (s *scope) oneOfSet(e hclsyntax.Expression, v typed) ([]constant, bool) {
	set, ok := s.constants(e, `one_of(lead.field, ["a", "b"])`)
	if !ok || v.block == "" {
		return set, ok
	}
	for i, k := range set {
		name, ok := s.c.blockNamed(k, v.block)
		if !ok {
			return nil, false
		}
		set[i].v = name
	}
	return set, true
}

func callContains(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	l, v := s.check(e.Args[0]), s.check(e.Args[1])
	if l.kind == open {
		l = s.resolve(l, list)
	}
	v = s.as(text, v)
	switch {
	case v.kind == bad || l.kind == bad:
	case l.kind == list:
		s.values(l, v)
		t.kind, t.cond = truth, plan.Contains(l.list, v.text)
	case l.kind == text:
		t.kind, t.cond = truth, plan.ContainsText(l.text, v.text)
	default:
		s.c.report(wrongArguments, l.rng, "contains looks into a list or a text; this is %s.", l.kind)
	}
	return t
}

func callBetween(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	n, lo, hi := s.as(number, s.check(e.Args[0])), s.as(number, s.check(e.Args[1])), s.as(number, s.check(e.Args[2]))
	if n.kind == bad || lo.kind == bad || hi.kind == bad {
		return t
	}
	if lo.num.Const && hi.num.Const && lo.num.Value() > hi.num.Value() {
		s.c.report(wrongArguments, t.rng, "Nothing lies between %s and %s: the lower bound comes first.", lo.num.Source, hi.num.Source)
		return t
	}
	t.kind, t.cond = truth, plan.Between(n.num, lo.num, hi.num)
	return t
}

func textTest(f func(t, part plan.Text) plan.Cond) func(*scope, *hclsyntax.FunctionCallExpr, typed) typed {
	return func(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
		v, part := s.as(text, s.check(e.Args[0])), s.as(text, s.check(e.Args[1]))
		if v.kind == text && part.kind == text {
			t.kind, t.cond = truth, f(v.text, part.text)
		}
		return t
	}
}

func textMap(f func(plan.Text, string) plan.Text) func(*scope, *hclsyntax.FunctionCallExpr, typed) typed {
	return func(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
		if v := s.as(text, s.check(e.Args[0])); v.kind == text {
			t.kind, t.text = text, f(v.text, s.c.source(t.rng))
		}
		return t
	}
}

func callMatches(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	v := s.as(text, s.check(e.Args[0]))
	k, ok := s.c.constant(e.Args[1])
	if !ok || v.kind == bad {
		return t
	}
	pattern, isText := k.v.(string)
	if !isText {
		s.c.report(wrongType, k.rng, "A regular expression is a text.")
		return t
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		s.c.report(invalidRegexp, k.rng, "%s. Regular expressions are RE2's; in quotes a backslash is written twice.", capital(err.Error()))
		return t
	}
	t.kind, t.cond = truth, plan.Matches(v.text, re)
	return t
}

func callDuring(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	k, ok := s.c.constant(e.Args[0])
	if !ok {
		return t
	}
	name, ok := s.c.blockNamed(k, "hours")
	if !ok {
		return t
	}
	h := s.c.plan.Hours[name]
	if h == nil {
		return t // the hours block is wrong itself
	}
	t.kind, t.cond = truth, plan.During(h)
	return t
}
