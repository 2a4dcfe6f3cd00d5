package plan

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxNear bounds the leads that NearLeads makes, and maxGrid those that are every
// combination of the values that the conditions tell apart.
const (
	maxNear = 50_000
	maxGrid = 20_000
)

// NearLeads makes leads that lie at the bounds of the plan's conditions: for each class,
// override, territory and rule those that just meet it, and those that meet two of them at
// once; of a small plan every combination of the values that its conditions tell apart. They are raw material: whether the door lets a lead in, and what becomes of it, is
// for the caller to ask. The same plan makes the same leads.
func (p *Plan) NearLeads() []json.RawMessage {
	if p.Layout == nil {
		return []json.RawMessage{json.RawMessage("{}")}
	}
	empty := p.Layout.New()
	defer empty.Free()
	w := ways{plan: p, record: empty}
	var sets [][]edit
	g := grid{ways: w, of: map[string]int{}}
	add := func(c Cond) {
		c.Atoms(func(a *Atom, _ bool) { g.add(a) })
		for _, edits := range w.of(c, true) {
			if len(edits) > 0 {
				sets = append(sets, edits)
			}
		}
	}
	for i := range p.Classes {
		add(p.Classes[i].When)
	}
	for i := range p.Overrides {
		add(p.Overrides[i].When)
	}
	for i := range p.Territories {
		add(p.Territories[i].When)
	}
	for i := range p.Rules {
		add(p.Rules[i].When)
		for _, t := range p.Rules[i].Targets {
			add(t.When)
		}
	}
	seen := map[string]bool{"{}": true}
	leads := []json.RawMessage{json.RawMessage("{}")}
	keep := func(edits []edit) {
		raw, err := json.Marshal(leadOf(edits))
		if err == nil && !seen[string(raw)] && len(leads) < maxNear {
			seen[string(raw)] = true
			leads = append(leads, raw)
		}
	}
	for _, s := range sets {
		keep(s)
		for i, e := range s { // the same, just on the other side of one bound
			if n, ok := e.value.(float64); ok {
				for _, step := range []float64{-1, 1} {
					beside := slices.Clone(s)
					beside[i].value = n + step
					keep(beside)
				}
			}
		}
	}
	g.walk(keep)
	for i, a := range sets {
		for _, b := range sets[i+1:] {
			if len(leads) >= maxNear {
				return leads
			}
			if both, ok := join(a, b); ok {
				keep(both)
			}
		}
	}
	return leads
}

// leadOf is the lead that has the edits' values and nothing else.
func leadOf(edits []edit) map[string]any {
	lead := map[string]any{}
	for _, e := range edits {
		if e.value == nil {
			continue
		}
		object, name := lead, e.slot.Name
		for {
			head, rest, nested := strings.Cut(name, ".")
			if !nested {
				object[name] = e.value
				break
			}
			inner, ok := object[head].(map[string]any)
			if !ok {
				inner = map[string]any{}
				object[head] = inner
			}
			object, name = inner, rest
		}
	}
	return lead
}

// grid is, for each field that conditions read, the values that they tell apart.
type grid struct {
	ways
	of   map[string]int // the axis of a field
	axes [][]edit
}

func (g *grid) add(a *Atom) {
	slot, ok := g.record.layout.slots[a.Field]
	if !ok || a.Field == DecidedPriority || a.Field == DecidedTerritory {
		return
	}
	i, ok := g.of[slot.Name]
	if !ok {
		i = len(g.axes)
		g.of[slot.Name] = i
		g.axes = append(g.axes, []edit{{slot, nil}}) // missing is a value, too
	}
	for _, want := range []bool{true, false} {
		for _, v := range g.values(a, slot, want) {
			g.put(i, edit{slot, v})
			if n, isNumber := v.(float64); isNumber {
				g.put(i, edit{slot, n - 1})
				g.put(i, edit{slot, n + 1})
			}
		}
	}
}

func (g *grid) put(axis int, e edit) {
	same := func(o edit) bool { return showValue(o.value) == showValue(e.value) }
	if !slices.ContainsFunc(g.axes[axis], same) {
		g.axes[axis] = append(g.axes[axis], e)
	}
}

// walk calls keep with every combination, unless there are too many.
func (g *grid) walk(keep func([]edit)) {
	n := 1
	for _, axis := range g.axes {
		if n *= len(axis); n > maxGrid {
			return
		}
	}
	edits := make([]edit, len(g.axes))
	var fill func(i int)
	fill = func(i int) {
		if i == len(g.axes) {
			keep(edits)
			return
		}
		for _, e := range g.axes[i] {
			edits[i] = e
			fill(i + 1)
		}
	}
	fill(0)
}
