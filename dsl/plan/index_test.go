package plan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// world draws rules and leads over a few fields, from few values, so that they meet.
type world struct {
	*rand.Rand
	layout *Layout
	slots  []Slot
}

func newWorld(rng *rand.Rand) *world {
	w := &world{Rand: rng, layout: NewLayout()}
	for i, typ := range []string{TypeString, TypeString, TypeNumber, TypeNumber, TypeBool, TypeList, TypeList} {
		w.slots = append(w.slots, w.layout.Slot(fmt.Sprintf("f%d", i), typ))
	}
	return w
}

var words = []string{"a", "ab", "b", "é", "日本", "A", "a b", "c", "d", "e", "f", "g", "zz"}

func (w *world) word() string {
	if w.IntN(4) == 0 {
		return fmt.Sprint("w", w.IntN(2000))
	}
	return words[w.IntN(len(words))]
}

func (w *world) float() float64 {
	if w.IntN(4) == 0 {
		return float64(w.IntN(2000)) / 2
	}
	return float64(w.IntN(7) - 2)
}

func (w *world) some() []string {
	s := make([]string, 1+w.IntN(12))
	for i := range s {
		s[i] = w.word()
	}
	return s
}

func (w *world) atom() Cond {
	s := w.slots[w.IntN(len(w.slots))]
	switch s.Type {
	case TypeBool:
		if b := BoolField(s, s.Name); w.IntN(3) > 0 {
			return b
		} else if w.IntN(2) == 0 {
			return HasBool(b)
		} else {
			return CoalesceBool("c", b, w.atom())
		}
	case TypeNumber:
		n := NumberField(s, s.Name)
		k := w.float()
		lit := Literal(k, FormatNumber(k))
		switch w.IntN(7) {
		case 0:
			return Has(n)
		case 1:
			k := w.float()
			return Between(n, lit, Literal(k, FormatNumber(k)))
		case 2:
			return OneOfNumbers(n, []float64{w.float(), w.float(), w.float()})
		case 3:
			return Compare("<", n, NumberField(w.slots[2], "f2"))
		default:
			return Compare([]string{"==", "!=", "<", "<=", ">", ">="}[w.IntN(6)], n, lit)
		}
	case TypeList:
		l := ListField(s, s.Name)
		switch w.IntN(5) {
		case 0:
			return Has(l)
		case 1:
			return Contains(l, TextField(w.slots[0], "f0"))
		default:
			return Contains(l, Literal(w.word(), "k"))
		}
	default:
		t := TextField(s, s.Name)
		switch w.IntN(7) {
		case 0:
			return Has(t)
		case 1:
			return OneOf(t, w.some())
		case 2:
			return StartsWith(t, Literal(w.word(), "k"))
		case 3:
			return HasBool(Same(t, TextField(w.slots[1], "f1"), false))
		default:
			return Same(t, Literal(w.word(), "k"), w.IntN(3) == 0)
		}
	}
}

func (w *world) cond(depth int) Cond {
	switch n := w.IntN(10); {
	case n == 0 && depth > 0:
		return Not("", w.cond(depth-1))
	case n < 6 && depth > 0:
		args := make([]Cond, 1+w.IntN(4))
		for i := range args {
			args[i] = w.cond(depth - 1)
		}
		if n < 4 {
			return And("", args...)
		}
		return Or("", args...)
	case n == 9 && w.IntN(8) == 0:
		return Constant(w.IntN(2) == 0, "")
	default:
		return w.atom()
	}
}

func (w *world) lead() *Record {
	r := w.layout.New()
	for _, s := range w.slots {
		if w.IntN(4) == 0 {
			continue
		}
		switch s.Type {
		case TypeBool:
			r.bools[s.index] = triOf(w.IntN(2) == 0)
		case TypeNumber:
			r.nums[s.index] = [...]float64{w.float(), w.float(), w.float(), w.float(), math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e300, -0.25}[w.IntN(10)]
		case TypeList:
			r.lists[s.index] = w.some()[:w.IntN(2)]
			if w.IntN(2) == 0 {
				r.lists[s.index] = w.some()
			}
		default:
			r.strs[s.index] = w.word()
		}
	}
	return r
}

// agree holds an indexed plan against the same one that was not sealed.
func agree(t *testing.T, seed uint64, rules int) {
	t.Helper()
	w := newWorld(rand.New(rand.NewPCG(seed, 1)))
	at := time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC)
	plain := &Plan{Layout: w.layout, Classes: []Class{{Name: "P0"}}}
	for i := range rules {
		rule := Rule{Name: fmt.Sprint("r", i), When: w.cond(3), Disabled: w.IntN(10) == 0}
		if rules > 100 || w.IntN(2) == 0 { // narrow, so that leads come to the later rules
			rule.When = And("", w.atom(), w.atom(), w.cond(2))
		}
		switch w.IntN(10) {
		case 0:
			rule.From = at.Add(time.Duration(w.IntN(3)-1) * time.Hour)
		case 1:
			rule.Until = at.Add(time.Duration(w.IntN(3)-1) * time.Hour)
		}
		plain.Rules = append(plain.Rules, rule)
		plain.Territories = append(plain.Territories, Territory{Name: rule.Name, When: w.cond(2)})
	}
	sealed := *plain
	most := usual
	if seed%3 == 0 { // tight, so that columns list their rows and leave out thresholds
		most = bounds{column: 4, listed: 40, thresholds: 3}
	}
	sealed.seal(most)
	for n := range 200 {
		r := w.lead()
		want := plain.Decide(r, nil, at)
		got := sealed.Decide(r, nil, at)
		if got.Rule != want.Rule || got.Territory != want.Territory {
			t.Fatalf("seed %d, %d rules, lead %d (%v %v %v %q): index says rule %q territory %q, closures %q and %q", seed, rules, n,
				r.strs, r.nums, r.bools, r.lists, got.Rule, got.Territory, want.Rule, want.Territory)
		}
		r.Free()
	}
}

func TestIndexDecidesAsTheClosures(t *testing.T) {
	for seed := range uint64(90) {
		agree(t, seed, 5+int(seed)*2)
	}
	agree(t, 1001, 6000)
}

func FuzzIndex(f *testing.F) {
	f.Add(uint64(1), uint16(20))
	f.Add(uint64(2), uint16(300))
	f.Fuzz(func(t *testing.T, seed uint64, rules uint16) { agree(t, seed, 1+int(rules%400)) })
}

func TestIndexDoesNotAllocate(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(7, 7)))
	p := &Plan{Layout: w.layout}
	for range 500 {
		p.Rules = append(p.Rules, Rule{When: And("", w.atom(), w.atom(), w.atom(), w.atom())})
	}
	p.Seal()
	if p.rules == nil {
		t.Fatal("500 rules were not indexed")
	}
	for range 50 {
		r := w.lead()
		if n := testing.AllocsPerRun(20, func() { p.rules.first(r) }); n != 0 {
			t.Errorf("a lookup allocates %v times", n)
		}
	}
}
