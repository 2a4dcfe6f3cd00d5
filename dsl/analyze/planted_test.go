package analyze

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// planted is a policy of which it is known what is wrong with it.
type planted struct {
	source     string
	shadowed   map[string]bool // by one rule, or by two together
	impossible map[string]bool
	conditions map[string][]atom // of each rule
}

// atom is a comparison, and how to draw a value for which it holds.
type atom struct {
	source, field string
	draw          func(*rand.Rand) any
}

// plant draws n rules: like those of a large company, a fifth of them with nothing but a
// few fields, and one in twenty broken. The hole says whether one kind of lead is left out.
func plant(seed uint64, n int, hole bool) planted {
	r := rand.New(rand.NewPCG(seed, 1))
	p := planted{shadowed: map[string]bool{}, impossible: map[string]bool{}, conditions: map[string][]atom{}}
	var b strings.Builder
	b.WriteString(`
schema "lead" {
  field "size" {
    type = number
    min  = 1
    max  = 1000000
  }
  field "arr" { type = number }
  field "industry" { type = string }
  field "product" {
    type   = string
    values = ["p0", "p1", "p2", "p3", "p4"]
  }
  field "state" { type = string }
  field "vip" { type = bool }
}
priority "P0" {}
`)
	var bases [][]atom
	rule := func(name string, atoms []atom) {
		words := make([]string, len(atoms))
		for i, a := range atoms {
			words[i] = a.source
		}
		p.conditions[name] = atoms
		fmt.Fprintf(&b, "rule %q {\n  when = %s\n  to   = queue.unassigned\n}\n", name, strings.Join(words, " && "))
	}
	for i := 0; i < n; {
		name := fmt.Sprintf("r%d", i)
		switch kind := r.IntN(40); {
		case kind == 0 && len(bases) > 0: // a special case of one earlier rule
			base := bases[r.IntN(len(bases))]
			rule(name, append(slices.Clip(base), text("source", fmt.Sprintf("s%d", r.IntN(9)))))
			p.shadowed[name] = true
			i++
		case kind == 1 && i+3 <= n: // two halves, and what lies across both
			base := drawRule(r, i)
			cut := float64(r.IntN(900) + 50)
			rule(name, append(slices.Clip(base), number("score", "<", cut)))
			rule(fmt.Sprintf("r%d", i+1), append(slices.Clip(base), number("score", ">=", cut)))
			across := fmt.Sprintf("r%d", i+2)
			rule(across, append(slices.Clip(base), atom{
				fmt.Sprintf("between(lead.score, %v, %v)", cut-20, cut+20), "score",
				func(r *rand.Rand) any { return cut - 20 + float64(r.IntN(41)) },
			}))
			p.shadowed[across] = true
			i += 3
		case kind == 2:
			rule(name, append(drawRule(r, i), atom{source: "lead.size > 1000000"}))
			p.impossible[name] = true
			i++
		default:
			base := drawRule(r, i)
			bases = append(bases, base)
			rule(name, base)
			i++
		}
	}
	last := ""
	if hole {
		last = `  when = !(coalesce(lead.title, "none") == "none") || !has(lead.product) || lead.product != "p3" || !has(lead.company) || lead.company != "Hole"`
	}
	fmt.Fprintf(&b, "rule \"rest\" {\n%s\n  to = queue.unassigned\n}\n", last)
	p.source = b.String()
	return p
}

func text(field, v string) atom {
	return atom{fmt.Sprintf("lead.%s == %q", field, v), field, func(*rand.Rand) any { return v }}
}

func number(field, op string, n float64) atom {
	return atom{fmt.Sprintf("lead.%s %s %v", field, op, n), field, func(r *rand.Rand) any {
		switch op {
		case "<":
			return n - 1 - float64(r.IntN(20))
		default:
			return n + float64(r.IntN(200))
		}
	}}
}

// drawRule draws a condition over fields of which no two are the same.
func drawRule(r *rand.Rand, i int) []atom {
	atoms := []atom{text("country", fmt.Sprintf("c%d", r.IntN(150))), text("industry", fmt.Sprintf("i%d", r.IntN(40)))}
	if r.IntN(5) > 0 {
		lo := float64(r.IntN(5000) + 1)
		hi := lo + float64(r.IntN(3000))
		atoms = append(atoms, atom{fmt.Sprintf("between(lead.size, %v, %v)", lo, hi), "size", func(r *rand.Rand) any { return lo + float64(r.IntN(int(hi-lo)+1)) }})
	}
	if r.IntN(3) == 0 {
		atoms = append(atoms, text("product", fmt.Sprintf("p%d", r.IntN(5))))
	}
	if r.IntN(3) == 0 {
		atoms = append(atoms, number("arr", ">=", float64(r.IntN(100)*1000)))
	}
	if r.IntN(4) == 0 {
		tag := fmt.Sprintf("t%d", r.IntN(20))
		atoms = append(atoms, atom{fmt.Sprintf("contains(lead.tags, %q)", tag), "tags", func(*rand.Rand) any { return []string{tag} }})
	}
	if r.IntN(3) == 0 {
		atoms = append(atoms, text("state", fmt.Sprintf("z%d", i%500)))
	}
	return atoms
}

var plantedSizes = []int{100, 1_000, 10_000}

// Every planted defect is found. What is found besides is not refuted by leads of the
// rule's own kind, and each rule that is said to be reached is, by a lead that the plan
// decides.
func TestPlantedDefects(t *testing.T) {
	for _, n := range plantedSizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if n > 1000 && testing.Short() {
				t.Skip("takes a while")
			}
			seed := uint64(n) + 7
			p := plant(seed, n, true)
			policy := policyOf(t, p.source)
			a := start(policy, Options{Year: 2026})
			from := time.Now()
			a.reach()
			reached := time.Since(from)
			a.gap()
			t.Logf("seed %d: %d shadowed, %d impossible planted; reach %v, gap %v", seed, len(p.shadowed), len(p.impossible), reached, time.Since(from)-reached)
			gap := 0
			for _, d := range a.out.Diagnostics {
				if d.ID == dsl.PossibleGap.ID {
					gap++
					if d.Lead == nil || !strings.Contains(string(d.Lead), `"Hole"`) {
						t.Errorf("gap: %s, want a lead of the company Hole", d.Detail)
					}
				}
			}
			if gap != 1 {
				t.Errorf("%d gaps said, want the one that was planted", gap)
			}
			r := rand.New(rand.NewPCG(seed, 2))
			natural, proved := 0, 0
			for i := range a.rules {
				rule := &a.rules[i]
				switch wrong := p.shadowed[rule.Name] || p.impossible[rule.Name]; {
				case wrong && !rule.covered:
					t.Errorf("seed %d: rule.%s is planted, and nobody says so: %s", seed, rule.Name, rule.When.Source)
				case !wrong && rule.covered:
					natural++
					for range 30_000 / n {
						if got := decideOne(t, a.plan, r, p.conditions[rule.Name]); got == rule.Name {
							t.Fatalf("seed %d: rule.%s is said to be unreachable, but takes a lead: %s", seed, rule.Name, rule.When.Source)
						}
					}
				case !rule.covered && (n <= 1000 || i%40 == 0):
					if w := a.witnessOf(rule); w == nil {
						t.Errorf("seed %d: no lead shows that rule.%s is reached: %s", seed, rule.Name, rule.When.Source)
					}
					proved++
				}
			}
			t.Logf("besides, %d are covered by chance, and %d of the others were shown to be reached", natural, proved)
		})
	}
}

func (a *analysis) witnessOf(r *rule) *Witness {
	for _, b := range r.list {
		w, _ := a.witness(a.search(), b, a.before(r, b), func(_ *Witness, d plan.Decision) bool { return d.Rule == r.Name })
		if w != nil {
			return w
		}
	}
	return nil
}

// decideOne draws a lead for which the atoms hold, and has the plan decide it.
func decideOne(t *testing.T, p *plan.Plan, r *rand.Rand, atoms []atom) string {
	t.Helper()
	lead := map[string]any{"score": float64(r.IntN(1000)), "vip": r.IntN(2) == 0, "product": fmt.Sprintf("p%d", r.IntN(5)), "arr": float64(r.IntN(100000))}
	for _, a := range atoms {
		lead[a.field] = a.draw(r)
	}
	w := &Witness{Lead: mustJSON(t, lead)}
	rec, err := p.Record(&leadroute.Lead{Fields: w.Lead}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Free()
	return p.Decide(rec, nil, time.Time{}).Rule
}

func BenchmarkAnalyze(b *testing.B) {
	for _, n := range plantedSizes {
		policy := policyOf(b, plant(1, n, true).source)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if out := Run(policy, Options{Year: 2026}); len(out.Diagnostics) == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
