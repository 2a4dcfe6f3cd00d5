package plandiff_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/dsl/plandiff"
)

var when = time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)

func load(t *testing.T, rules string) *dsl.Policy {
	t.Helper()
	p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(`policy "p" {}
priority "P2" {}
schema "lead" {
  field "a" { type = number }
  field "b" {
    type   = string
    values = ["x", "y", "z"]
  }
}
queue "q0" {}
queue "q1" {}
queue "q2" {}
` + rules + "rule \"rest\" { to = queue.q0 }\n")})
	if p.Plan == nil {
		t.Fatalf("%v\n%s", diags, rules)
	}
	return p
}

func draw(rnd *rand.Rand) string {
	var b strings.Builder
	for i := range 1 + rnd.IntN(4) {
		conds := []string{
			fmt.Sprintf("lead.a %s %d", []string{"<", "<=", ">", ">=", "=="}[rnd.IntN(5)], rnd.IntN(5)),
			fmt.Sprintf("lead.b == %q", []string{"x", "y", "z"}[rnd.IntN(3)]),
			"!has(lead.a)", "contains(lead.tags, \"t\")",
		}
		when := conds[rnd.IntN(len(conds))]
		if rnd.IntN(2) == 0 {
			when += []string{" && ", " || "}[rnd.IntN(2)] + conds[rnd.IntN(len(conds))]
		}
		fmt.Fprintf(&b, "rule \"r%d\" {\n  when = %s\n  to   = queue.q%d\n}\n", i, when, rnd.IntN(3))
	}
	return b.String()
}

func target(t *testing.T, p *plan.Plan, lead string) string {
	t.Helper()
	r, err := p.Record(&leadroute.Lead{ID: "x", Fields: json.RawMessage(lead)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Free()
	return string(p.Decide(r, nil, when).Targets[0].Queue)
}

// Over policies small enough to try every kind of lead: what is shown really differs, and
// where some lead differs something is shown.
func TestSemanticsAgainstEveryLead(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 1))
	missed, changed := 0, 0
	for range 300 {
		a, b := draw(rnd), draw(rnd)
		before, after := load(t, a).Plan, load(t, b).Plan
		moved, err := plandiff.Semantics(before, after, when)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range moved {
			if was, now := target(t, before, string(m.Lead)), target(t, after, string(m.Lead)); was == now {
				t.Fatalf("seed %d: %s goes to %s under both:\n%s---\n%s", seed, m.Lead, was, a, b)
			}
		}
		differs := ""
		for _, x := range []string{"", `"a":-1`, `"a":0`, `"a":1`, `"a":2`, `"a":3`, `"a":4`, `"a":5`} {
			for _, y := range []string{"", `"b":"x"`, `"b":"y"`, `"b":"z"`} {
				for _, z := range []string{"", `"tags":[]`, `"tags":["t"]`} {
					lead := "{" + strings.Trim(strings.ReplaceAll(strings.Join([]string{x, y, z}, ","), ",,", ","), ",") + "}"
					if target(t, before, lead) != target(t, after, lead) {
						differs = lead
					}
				}
			}
		}
		if differs != "" {
			changed++
			if len(moved) == 0 {
				missed++
				t.Logf("seed %d: %s fares differently, and nothing is shown:\n%s---\n%s", seed, differs, a, b)
			}
		}
	}
	if changed < 100 || missed > 0 {
		t.Errorf("seed %d: %d of %d changes were missed", seed, missed, changed)
	}
}

func TestStructure(t *testing.T) {
	one, two := "rule \"one\" {\n  when = lead.a > 1\n  to   = queue.q1\n}\n", "rule \"two\" {\n  when = lead.a > 2\n  to   = queue.q2\n}\n"
	three := strings.Replace(two, `"two"`, `"three"`, 1)
	for _, c := range []struct{ a, b, want string }{
		{one, one, "[]"},
		{one, one + two, `[{rule "two" added []}]`},
		{one + two, one, `[{rule "two" removed []}]`},
		{one, strings.Replace(one, "> 1", ">  5", 1), `[{rule "one" changed [{when lead.a > 1 lead.a > 5}]}]`},
		{one + two + three, two + three + one, `[{rule "one" moved []}]`},
		{one, "# a comment changes nothing\n" + one, "[]"},
	} {
		if got := fmt.Sprint(plandiff.Structure(load(t, c.a), load(t, c.b))); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
