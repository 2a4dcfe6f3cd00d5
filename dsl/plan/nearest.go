package plan

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Nearest is the smallest change of a lead's fields that a rule which passed it over would
// have taken.
type Nearest struct {
	Rule    string   `json:"rule"`
	Changes []Change `json:"changes"`
	// Targets are where the lead would go then.
	Targets []Target `json:"targets"`
}

// Change is one field's new value.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"` // in the words of an explanation; empty: missing
	To    string `json:"to,omitempty"`   // likewise
}

// Nearest says, for each rule before the one that the decision took (or for every rule,
// if none did), with how few changed fields the lead would have gone there. Each answer was
// decided again before it is given. A rule that no such change reaches, because its
// condition turns on what is opaque (a pattern, arithmetic, hours) or on what the plan
// decides itself, is left out. The record is as the decision left it.
func (p *Plan) Nearest(r *Record, live Live, at time.Time) []Nearest {
	taken := p.Decide(r, live, at).Rule
	var out []Nearest
	for i := range p.Rules {
		rule := &p.Rules[i]
		if rule.Name == taken {
			break
		}
		if rule.Disabled {
			continue
		}
		if n, ok := p.reach(rule, r, live, at); ok {
			out = append(out, n)
		}
	}
	return out
}

// maxWays bounds the ways of satisfying a condition that are tried.
const maxWays = 64

// reach looks for the way with the fewest changes; the author's order breaks ties.
func (p *Plan) reach(rule *Rule, r *Record, live Live, at time.Time) (Nearest, bool) {
	w := ways{plan: p, record: r}
	found := w.of(rule.When, true)
	slices.SortStableFunc(found, func(a, b []edit) int { return cmp.Compare(len(a), len(b)) })
	for _, edits := range found {
		changed := r.copy()
		n := Nearest{Rule: rule.Name}
		for _, e := range edits {
			n.Changes = append(n.Changes, Change{Field: e.slot.Name, From: r.show(e.slot), To: showValue(e.value)})
			changed.unset(e.slot)
			changed.set(e.slot, e.value)
		}
		d := p.Decide(changed, live, at)
		changed.Free()
		if d.Rule == rule.Name && len(edits) > 0 {
			n.Targets = d.Targets
			return n, true
		}
	}
	return Nearest{}, false
}

// edit gives a field another value; nil makes it missing.
type edit struct {
	slot  Slot
	value any
}

type ways struct {
	plan   *Plan
	record *Record
}

// of lists sets of edits that make the condition definitely true (or false): none at all
// where it is so already.
func (w ways) of(c Cond, want bool) [][]edit {
	if want && c.Holds(w.record) || !want && c.Fails(w.record) {
		return [][]edit{nil}
	}
	switch {
	case c.Op == OpNot:
		return w.of(c.Args[0], !want)
	case c.Op == OpAnd && want, c.Op == OpOr && !want:
		all := [][]edit{nil}
		for _, a := range c.Args {
			all = combine(all, w.of(a, want))
		}
		return all
	case c.Op == OpAnd, c.Op == OpOr:
		var any [][]edit
		for _, a := range c.Args {
			any = append(any, w.of(a, want)...)
		}
		return any[:min(len(any), maxWays)]
	case c.Op == OpAtom:
		return w.atom(c.Atom, want)
	default:
		return nil
	}
}

// combine joins each way of a with each of b, unless they give one field two values.
func combine(a, b [][]edit) [][]edit {
	var out [][]edit
	for _, x := range a {
		for _, y := range b {
			if len(out) == maxWays {
				return out
			}
			if joined, ok := join(x, y); ok {
				out = append(out, joined)
			}
		}
	}
	return out
}

func join(a, b []edit) ([]edit, bool) {
	out := slices.Clone(a)
	for _, e := range b {
		i := slices.IndexFunc(out, func(o edit) bool { return o.slot.Name == e.slot.Name })
		switch {
		case i < 0:
			out = append(out, e)
		case showValue(out[i].value) != showValue(e.value):
			return nil, false
		}
	}
	return out, true
}

// atom lists the edits that turn one atom.
func (w ways) atom(a *Atom, want bool) [][]edit {
	slot, ok := w.record.layout.slots[a.Field]
	if !ok || a.Field == DecidedPriority || a.Field == DecidedTerritory {
		return nil
	}
	var out [][]edit
	for _, v := range w.values(a, slot, want) {
		out = append(out, []edit{{slot, v}})
	}
	return out
}

// values are candidates for the field's new value, the nearest first. Which of them really
// turn the atom is left to the decision that follows.
func (w ways) values(a *Atom, slot Slot, want bool) []any {
	f := w.plan.Field(slot.Name)
	if f == nil {
		f = &Field{}
	}
	if a.Test == "has" {
		if !want {
			return []any{nil}
		}
		return f.examples(slot.Type)
	}
	switch slot.Type {
	case TypeNumber:
		return f.allowed(numbersFor(a, w.record.nums[slot.index], want))
	case TypeBool:
		return []any{want}
	case TypeList:
		return w.lists(a, slot, want)
	default:
		return f.textsFor(a, want)
	}
}

// numbersFor are numbers on the wanted side of the atom's bounds.
func numbersFor(a *Atom, now float64, want bool) []any {
	var out []any
	for _, n := range a.Numbers {
		step := 1.0
		if n != math.Trunc(n) {
			step = 0.01
		}
		switch a.Test {
		case "<", "<=", ">", ">=":
			// The bound itself, and a step to either side: the decision tells which of them do.
			out = append(out, n, n+step, n-step)
		case "between":
			if want {
				out = append(out, n)
			} else {
				out = append(out, n+step, n-step)
			}
		default: // == and one_of; != is their opposite
			if want == (a.Test != "!=") {
				out = append(out, n)
			} else {
				out = append(out, n+step)
			}
		}
	}
	if now == now { // the nearest to what the lead has
		slices.SortStableFunc(out, func(x, y any) int {
			return cmp.Compare(math.Abs(x.(float64)-now), math.Abs(y.(float64)-now))
		})
	}
	return out
}

// allowed keeps the numbers that the door would let in.
func (f *Field) allowed(numbers []any) []any {
	return slices.DeleteFunc(numbers, func(v any) bool {
		n := v.(float64)
		return f.Min != nil && n < *f.Min || f.Max != nil && n > *f.Max
	})
}

// textsFor are texts that could turn the atom.
func (f *Field) textsFor(a *Atom, want bool) []any {
	var out []any
	positive := want
	if a.Test == "!=" {
		positive = !want
	}
	switch {
	case positive && a.Test != "matches":
		for _, t := range a.Texts[:min(len(a.Texts), 8)] {
			out = append(out, t)
		}
	case !positive && len(f.Values) > 0:
		for _, v := range f.Values {
			if !slices.Contains(a.Texts, v) {
				out = append(out, v)
			}
		}
	case !positive:
		out = append(out, "another")
	}
	return slices.DeleteFunc(out, func(v any) bool { return len(f.Values) > 0 && !slices.Contains(f.Values, v.(string)) })
}

func (w ways) lists(a *Atom, slot Slot, want bool) []any {
	if a.Test != "contains" || len(a.Texts) == 0 {
		return nil
	}
	tags := slices.Clone(w.record.lists[slot.index])
	if want {
		return []any{append(tags, a.Texts[0])}
	}
	return []any{slices.DeleteFunc(append([]string{}, tags...), func(t string) bool { return t == a.Texts[0] })}
}

// examples are values that the field may have.
func (f *Field) examples(typ string) []any {
	switch {
	case len(f.Values) > 0 && typ == TypeList:
		return []any{f.Values[:1]}
	case len(f.Values) > 0:
		return []any{f.Values[0]}
	case typ == TypeNumber && f.Min != nil:
		return []any{*f.Min}
	case typ == TypeNumber:
		return f.allowed([]any{1.0, 0.0})
	case typ == TypeBool:
		return []any{true}
	case typ == TypeList:
		return []any{[]string{"any"}}
	default:
		return []any{"any"}
	}
}

// copy is a record of its own with the same lead in it.
func (r *Record) copy() *Record {
	c := r.layout.New()
	copy(c.strs, r.strs)
	copy(c.nums, r.nums)
	copy(c.bools, r.bools)
	copy(c.lists, r.lists)
	return c
}

// show is a field's value in the words of an explanation, "" when it is missing.
func (r *Record) show(s Slot) string {
	switch s.Type {
	case TypeNumber:
		return FormatNumber(r.nums[s.index])
	case TypeBool:
		return r.bools[s.index].String()
	case TypeList:
		if r.lists[s.index] == nil {
			return ""
		}
		return showValue(r.lists[s.index])
	default:
		if r.strs[s.index] == "" {
			return ""
		}
		return strconv.Quote(r.strs[s.index])
	}
}

func showValue(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return FormatNumber(v)
	case []string:
		return "[" + quoteAll(v) + "]"
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
}
