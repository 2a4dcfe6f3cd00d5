package analyze

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Witness is a lead that shows what a finding says. It has been put to the real
// evaluator.
type Witness struct {
	Lead json.RawMessage `json:"lead"`
	At   time.Time       `json:"at"`
	// Free is how many members of pools must be free, where a condition asks that.
	Free map[leadroute.PoolID]int `json:"free,omitempty"`

	record  *plan.Record
	without []string // fields whose absence matters
	timed   bool     // a condition asks what the time is
	to      string   // the target at which it shows what it shows
}

// String is the witness in the words of a detail.
func (w *Witness) String() string {
	var b strings.Builder
	b.Write(w.Lead)
	if len(w.without) > 0 {
		b.WriteString(" without " + strings.Join(w.without, " and "))
	}
	for _, p := range slices.Sorted(maps.Keys(w.Free)) {
		fmt.Fprintf(&b, ", with %d free in pool.%s", w.Free[p], p)
	}
	if w.timed {
		b.WriteString(", at " + w.At.Format("Mon 15:04 MST"))
	}
	return b.String()
}

// Available makes the witness a plan.Live: what it does not say is free.
func (w *Witness) Available(p leadroute.PoolID) int {
	if n, ok := w.Free[p]; ok {
		return n
	}
	return 1
}

// live is nil where no live figure is asked for: then it is unknown.
func (w *Witness) live() plan.Live {
	if w.Free == nil {
		return nil
	}
	return w
}

// lead makes a lead of a point: a value for each dimension that the search has narrowed,
// and for each that the door wants. It is nil when no such lead is found.
//
// A whole lead also has what the search was content with as it was, where the door does
// not mind that it is missing: inside a box of leads with nothing missing that may matter.
func (a *analysis) lead(q *search, whole bool) *Witness {
	w := &Witness{At: a.at}
	lead := map[string]any{}
	cell := make([]int32, len(q.dom))
	narrowed := func(i int) bool {
		rest := a.dims[i].all.minus(q.dom[i])
		if !whole {
			rest = rest.minus(one(missing))
		}
		return len(rest) > 0
	}
	tags := map[int][]int{}
	for i := range a.dims {
		d := &a.dims[i]
		cell[i] = d.choose(q.dom[i], narrowed(i))
		if d.kind == tagKind && narrowed(i) {
			tags[d.on] = append(tags[d.on], i)
		}
	}
	for i := range a.dims {
		d := &a.dims[i]
		if !narrowed(i) && tags[i] == nil && (d.field == nil || !d.field.Required) {
			continue
		}
		if d.field != nil && cell[i] == missing && len(q.dom[i].minus(one(missing))) == 0 {
			w.without = append(w.without, d.name)
		}
		if d.kind == opaqueKind || d.kind == tagKind || cell[i] == missing {
			continue
		}
		v, ok := a.value(d, i, cell, tags[i])
		if !ok {
			return nil
		}
		switch {
		case d.name == plan.DecidedPriority, d.name == plan.DecidedTerritory:
		case d.field != nil:
			put(lead, d.name, v)
		case strings.HasPrefix(d.name, "pool.") && strings.HasSuffix(d.name, ".available"):
			if w.Free == nil {
				w.Free = map[leadroute.PoolID]int{}
			}
			n, _ := v.(float64)
			w.Free[leadroute.PoolID(strings.TrimSuffix(strings.TrimPrefix(d.name, "pool."), ".available"))] = int(n)
		default:
			a.guess(lead, d, v)
		}
	}
	a.require(lead)
	if !a.time(w, cell, narrowed) {
		return nil
	}
	raw, err := json.Marshal(lead)
	if err != nil {
		return nil
	}
	w.Lead = raw
	return w
}

// choose prefers what is listed, then anything present.
func (d *dimension) choose(dom cells, narrowed bool) int32 {
	if !narrowed && dom.has(missing) {
		return missing
	}
	switch d.kind {
	case opaqueKind, tagKind:
		if dom.has(no) {
			return no
		}
	case numberKind:
		// A round number between two cuts says more than the cut itself.
		for _, s := range slices.Backward(dom) {
			for c := s.hi; c >= s.lo && c > missing; c-- {
				if _, ok := d.number(c, true); ok && c%2 == 1 {
					return c
				}
			}
		}
	default:
	}
	for _, s := range dom {
		if s.hi > missing {
			return max(s.lo, yes)
		}
	}
	return missing
}

// value is something in the cell.
func (a *analysis) value(d *dimension, dim int, cell []int32, tags []int) (any, bool) {
	c := cell[dim]
	switch d.kind {
	case numberKind:
		return d.number(c, false)
	case truthKind:
		return c == yes, true
	case listKind:
		list := []string{}
		for _, t := range tags {
			if cell[t] == yes {
				list = append(list, a.dims[t].atom.Texts[0])
			}
		}
		return list, true
	default:
		if int(c) <= len(d.texts) {
			return d.texts[c-1], true
		}
		return a.other(d, cell, tags)
	}
}

// other is a text that is not listed and of which the tests say what they should.
func (a *analysis) other(d *dimension, cell []int32, tags []int) (string, bool) {
	begin, end := "", ""
	middle := plausible[d.name]
	middle = append(slices.Clone(middle), "other", "something else", "x", "1")
	for _, t := range tags {
		if cell[t] != yes {
			continue
		}
		switch at := a.dims[t].atom; at.Test {
		case "startswith":
			if len(at.Texts[0]) > len(begin) {
				begin = at.Texts[0]
			}
		case "endswith":
			if len(at.Texts[0]) > len(end) {
				end = at.Texts[0]
			}
		case "contains":
			middle = append(middle, at.Texts[0])
		case "matches":
			if re, err := syntax.Parse(at.Texts[0], syntax.Perl); err == nil {
				middle = append(middle, sample(re.Simplify()))
			}
		}
	}
	fits := func(s string) bool {
		if _, listed := d.index[s]; listed || s == "" {
			return false
		}
		return !slices.ContainsFunc(tags, func(t int) bool {
			test := textTest(a.dims[t].atom)
			return test == nil || test(s) != (cell[t] == yes)
		})
	}
	for _, m := range middle {
		for _, s := range []string{begin + m + end, begin + end, begin + " " + m + " " + end} {
			if s = plan.Normal(strings.TrimSpace(s)); fits(s) {
				return s, true
			}
		}
	}
	return "", false
}

// plausible are values of the envelope's fields as leads have them.
var plausible = map[string][]string{
	"country":      {"PT", "JP", "BR", "CA", "IN", "PL", "ZA"},
	"email":        {"lead@example.com"},
	"email_domain": {"example.com", "example.org", "example.net"},
	"phone":        {"+1 555 0100"},
	"title":        {"Manager", "Analyst"},
	"company":      {"Example"},
	"source":       {"web", "forms"},
	"region":       {"elsewhere"},
}

// sample is a short text that a regular expression matches, if it is a plain one.
func sample(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := max(re.Rune[i], ' '+1); r <= re.Rune[i+1] && r < 0x7f; r++ {
				return string(r)
			}
		}
		return ""
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpCapture, syntax.OpPlus:
		return sample(re.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(sample(re.Sub[0]), re.Min)
	case syntax.OpAlternate:
		return sample(re.Sub[0])
	case syntax.OpConcat:
		var b strings.Builder
		for _, s := range re.Sub {
			b.WriteString(sample(s))
		}
		return b.String()
	default:
		return ""
	}
}

// guess gives an expression its value by way of the fields that it is made of. A wrong
// guess is found out when the lead is put to the evaluator.
func (a *analysis) guess(lead map[string]any, d *dimension, v any) {
	for i := range a.plan.Fields {
		f := &a.plan.Fields[i]
		if !strings.Contains(d.name, "lead."+f.Name) {
			continue
		}
		_, isText := v.(string)
		if isText == (f.Type == plan.TypeString) && (f.Type == plan.TypeString || f.Type == plan.TypeNumber) {
			put(lead, f.Name, v)
		}
	}
}

// require gives a value to what the door wants and no condition reads.
func (a *analysis) require(lead map[string]any) {
	for i := range a.plan.Fields {
		f := &a.plan.Fields[i]
		if !f.Required || f.Default != nil || there(lead, f.Name) {
			continue
		}
		switch {
		case f.Type == plan.TypeNumber && f.Min != nil:
			put(lead, f.Name, *f.Min)
		case f.Type == plan.TypeNumber && f.Max != nil:
			put(lead, f.Name, min(*f.Max, 1))
		case f.Type == plan.TypeNumber:
			put(lead, f.Name, 1)
		case f.Type == plan.TypeBool:
			put(lead, f.Name, false)
		case f.Type == plan.TypeList:
			put(lead, f.Name, []string{})
		case len(f.Values) > 0:
			put(lead, f.Name, f.Values[0])
		default:
			put(lead, f.Name, append(plausible[f.Name], "other")[0])
		}
	}
}

// time finds a time at which the hours are open and closed as the point wants it, in the
// weeks behind the default one.
func (a *analysis) time(w *Witness, cell []int32, narrowed func(int) bool) bool {
	type want struct {
		hours *plan.Hours
		open  bool
	}
	var wants []want
	for i := range a.dims {
		d := &a.dims[i]
		if d.kind != opaqueKind || d.atom.Test != "during" || !narrowed(i) {
			continue
		}
		if h := a.plan.Hours[strings.TrimPrefix(d.atom.Subject, "hours.")]; h != nil {
			wants = append(wants, want{h, cell[i] == yes})
		}
	}
	const step = 15 * time.Minute
	for at := a.at; at.Before(a.at.Add(8 * 24 * time.Hour)); at = at.Add(step) {
		if !slices.ContainsFunc(wants, func(x want) bool { return x.hours.Open(at) != x.open }) {
			w.At, w.timed = at, len(wants) > 0
			return true
		}
	}
	return false
}

// put stores a dotted name in nested objects.
func put(lead map[string]any, name string, v any) {
	head, tail, nested := strings.Cut(name, ".")
	if !nested {
		lead[name] = v
		return
	}
	inner, ok := lead[head].(map[string]any)
	if !ok {
		inner = map[string]any{}
		lead[head] = inner
	}
	put(inner, tail, v)
}

func there(lead map[string]any, name string) bool {
	head, tail, nested := strings.Cut(name, ".")
	if !nested {
		_, ok := lead[name]
		return ok
	}
	inner, ok := lead[head].(map[string]any)
	return ok && there(inner, tail)
}

// replay puts the lead to the door and to the plan; ok is false when the door refuses it.
func (a *analysis) replay(w *Witness) (plan.Decision, bool) {
	fields, problems, err := a.plan.Check(w.Lead)
	if err != nil || len(problems) > 0 {
		return plan.Decision{}, false
	}
	w.record, err = a.plan.Record(&leadroute.Lead{Fields: fields}, nil)
	if err != nil {
		return plan.Decision{}, false
	}
	return a.plan.Decide(w.record, w.live(), w.At), true
}
