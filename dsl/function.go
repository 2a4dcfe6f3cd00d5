package dsl

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// function is one function of conditions.
type function struct {
	name  string
	args  int // exactly; -1: one or more
	least int // of one or more: the fewest, 2 if zero
	usage string
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
		{name: "lookup", args: 3, usage: "lookup(table.name, lead.field, fallback)", call: callLookup},
		{name: "staffed_within", args: -1, least: 1, usage: `staffed_within(pool.name, "5m")`, call: callStaffed},
		{name: "split", args: 2, usage: `split("|", row.column)`, call: callSplit},
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
	case e.ExpandFinal:
		s.c.report(notAllowedHere, t.rng, "Write the arguments one by one; ... is not allowed.")
		return t
	case f.args >= 0 && len(e.Args) != f.args, f.args < 0 && len(e.Args) < cmp.Or(f.least, 2):
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
	if v.kind == number && s.c.row != nil {
		set = s.numbers(set)
	}
	if len(set) == 0 {
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

// numbers reads the parts of a cell as numbers, none if one is not.
func (s *scope) numbers(set []constant) []constant {
	out := slices.Clone(set)
	for i, k := range out {
		if v, isText := k.v.(string); isText {
			f, ok := s.c.cellNumber(v, k.rng)
			if !ok {
				return nil
			}
			out[i].v = f
		}
	}
	return out
}

// callSplit is split("|", row.countries), or of any text that is known at load.
func callSplit(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	if k, ok := s.c.constant(e); ok {
		return s.constant(k)
	}
	return t
}

// splitText is split in a value that is known at load; blank parts are left out.
func (c *compiler) splitText(e *hclsyntax.FunctionCallExpr) (constant, bool) {
	k := constant{rng: e.Range()}
	if len(e.Args) != 2 {
		c.report(wrongArguments, k.rng, `split takes the separator and a text: split("|", row.countries)`)
		return k, false
	}
	sep, ok1 := c.constant(e.Args[0])
	whole, ok2 := c.constant(e.Args[1])
	if !ok1 || !ok2 {
		return k, false
	}
	by, isText1 := sep.v.(string)
	v, isText2 := whole.v.(string)
	if !isText1 || !isText2 || by == "" {
		c.report(wrongArguments, k.rng, `split takes the separator and a text: split("|", row.countries)`)
		return k, false
	}
	list := []constant{}
	for part := range strings.SplitSeq(v, by) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, constant{v: part, rng: whole.rng})
		}
	}
	k.v = list
	return k, true
}

// callLookup reads the value column of a table by its key column.
func callLookup(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	k, ok := s.c.constant(e.Args[0])
	if !ok {
		return t
	}
	name, ok := s.c.blockNamed(k, "table")
	if !ok {
		return t
	}
	table, known := s.c.tables[name]
	key := s.check(e.Args[1])
	if key.kind == number {
		key = typed{kind: text, text: plan.Format(key.num), rng: key.rng}
	}
	key = s.as(text, key)
	fallback := s.check(e.Args[2])
	if !known || key.kind == bad || fallback.kind == bad {
		return t
	}
	if table.Values == nil {
		if table.block.attr("key") == nil {
			s.c.report(wrongArguments, k.rng, "The table %q has no key and value, by which it is looked up. Add key = \"column\" and value = \"column\" to it.", name)
		}
		return t
	}
	src := s.c.source(t.rng)
	t.kind = open
	t.use = func(want kind) typed { return s.lookupAs(want, table, key, fallback, src, t.rng) }
	if fallback.kind != null && fallback.kind != open {
		return t.use(fallback.kind)
	}
	return t
}

func (s *scope) lookupAs(want kind, table *table, key, fallback typed, src string, rng hcl.Range) typed {
	t := typed{rng: rng}
	if fallback.kind != null {
		if fallback = s.as(want, fallback); fallback.kind == bad {
			return t
		}
	}
	switch want {
	case text:
		t.kind, t.text, t.table = text, plan.Lookup(&table.Table, key.text, fallback.text, src), table
	case number:
		column := slices.Index(table.columns, s.c.valueColumn(table))
		values := make(map[string]float64, len(table.Values))
		for i := range table.rows {
			r := &table.rows[i]
			if v := r.cells[column]; v != "" {
				f, ok := s.c.cellNumber(v, table.at(r.line, column+1))
				if !ok {
					return t
				}
				values[r.cells[slices.Index(table.columns, s.c.keyColumn(table))]] = f
			}
		}
		t.kind, t.num = number, plan.LookupNumber(values, key.text, fallback.num, src)
	default:
		s.c.report(wrongType, rng, "A table gives a text or a number; this must be %s.", want)
	}
	return t
}

func (c *compiler) keyColumn(t *table) string   { s, _ := c.text(t.block.body, "key"); return s }
func (c *compiler) valueColumn(t *table) string { s, _ := c.text(t.block.body, "value"); return s }

// callStaffed is staffed_within(pool.x, "5m"), or staffed_within("1m") of where the lead
// is assigned.
func callStaffed(s *scope, e *hclsyntax.FunctionCallExpr, t typed) typed {
	last := len(e.Args) - 1
	k, ok := s.c.constant(e.Args[last])
	if !ok {
		return t
	}
	within, isText := k.v.(string)
	d, err := ParseDuration(within)
	if !isText || err != nil || d <= 0 {
		s.c.report(invalidDuration, k.rng, `How soon is a duration in quotes: staffed_within(pool.name, "5m").`)
		return t
	}
	pool := ""
	switch {
	case last > 1:
		s.c.report(wrongArguments, t.rng, `staffed_within takes a pool and a duration: staffed_within(pool.name, "5m").`)
		return t
	case last == 1:
		p, ok := s.c.constant(e.Args[0])
		if !ok {
			return t
		}
		if pool, ok = s.c.blockNamed(p, "pool"); !ok {
			return t
		}
	case !s.assigned:
		s.c.report(wrongArguments, t.rng, `Say of which pool: staffed_within(pool.name, %q). Without one it asks where the lead is assigned, which only the expect of an invariant knows.`, within)
		return t
	}
	if !s.assigned {
		s.c.report(liveRead, t.rng, "Who is there changes by the moment: the decision cannot be replayed from the lead alone. A list of targets says it better.")
	}
	t.kind, t.cond = truth, plan.StaffedWithin(leadroute.PoolID(pool), d)
	return t
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
	n := s.as(number, s.check(e.Args[0]))
	lo, openLo := s.bound(e.Args[1])
	hi, openHi := s.bound(e.Args[2])
	if n.kind == bad || lo.kind == bad || hi.kind == bad {
		return t
	}
	if lo.num.Const && hi.num.Const && lo.num.Value() > hi.num.Value() {
		rng := t.rng
		if s.c.row != nil {
			rng = lo.rng
		}
		s.c.report(wrongArguments, rng, "Nothing lies between %s and %s: the lower bound comes first.", lo.num.Source, hi.num.Source)
		return t
	}
	t.kind = truth
	switch {
	case openLo && openHi:
		s.c.report(wrongArguments, t.rng, "Both bounds are open: every number lies between them. Write has(...).")
		t.kind = bad
	case openLo:
		t.cond = plan.Compare("<=", n.num, hi.num)
	case openHi:
		t.cond = plan.Compare(">=", n.num, lo.num)
	default:
		t.cond = plan.Between(n.num, lo.num, hi.num)
	}
	return t
}

// bound is one side of between; null, a blank cell, is open.
func (s *scope) bound(e hclsyntax.Expression) (t typed, open bool) {
	if t = s.check(e); t.kind == null {
		return t, true
	}
	return s.as(number, t), false
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
