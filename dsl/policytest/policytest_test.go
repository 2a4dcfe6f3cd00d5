package policytest

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Every example is a good policy, and passes its own tests, of which there are some.
func TestExamples(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*.hcl")
	if err != nil || len(paths) < 2 {
		t.Fatalf("Glob = %q, %v, want the examples", paths, err)
	}
	for _, path := range paths {
		policy, diags := dsl.Load(path)
		if policy.Plan == nil {
			t.Errorf("Load(%s) = %v", path, diags.Error())
			continue
		}
		results, err := Run(policy, nil, nil)
		if err != nil || len(results) < 3 {
			t.Errorf("Run(%s) = %d tests, %v, want 3 at least", path, len(results), err)
		}
		for _, r := range results {
			if len(r.Wrong) > 0 {
				t.Errorf("Run(%s): %s: %+v", path, r.Name, r.Wrong)
			}
		}
	}
}

func TestWhatComesOutOtherwiseIsTold(t *testing.T) {
	policy, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(`
priority "P0" { when = lead.score > 50 }
priority "P1" {}
rep "ana" { email = "ana@example.com" }
pool "a" { members = [rep.ana] }
queue "q" { drain_to = pool.a }
territory "t" { when = lead.score > 90 }
rule "r" {
  when = lead.score > 10
  to   = [pool.a, queue.q]
}
# leadroute:ignore LR020 to have leads that no rule takes
rule "s" {
  when = lead.score == 3
  to   = queue.q
}
test "wrong" {
  lead = { score = 60 }
  live = { rep = { ana = { status = "away" } } }
  expect {
    rule        = rule.s
    priority    = priority.P1
    territory   = territory.t
    assigned_to = pool.a
  }
}
test "right" {
  case "none" {
    lead = { score = 1 }
  }
  case "also none" {
    lead = {}
  }
  expect {
    rule      = null
    territory = null
  }
}
`)})
	if policy.Plan == nil {
		t.Fatal(diags.Error())
	}
	results, err := Run(policy, nil, nil)
	if err != nil || len(results) != 3 {
		t.Fatalf("Run = %d results, %v, want 3", len(results), err)
	}
	want := []Difference{{"rule", "r", "s"}, {"priority", "P0", "P1"}, {"territory", "", "t"}, {"assigned_to", "queue.q", "pool.a"}}
	for i, d := range want {
		if i >= len(results[0].Wrong) || results[0].Wrong[i] != d {
			t.Errorf("Run: wrong = %v, want %v", results[0].Wrong, want)
			break
		}
	}
	if e := results[0].Explanation; e == nil || e.Decision.Rule != "r" {
		t.Errorf("Run: explanation = %v, want the way to rule r", e)
	}
	for _, r := range results[1:] {
		if len(r.Wrong) > 0 || r.Explanation != nil {
			t.Errorf("Run: %s = %v, want no difference", r.Name, r.Wrong)
		}
	}
	if results, err = Run(policy, regexp.MustCompile("also"), nil); err != nil || len(results) != 1 || results[0].Name != "right/also none" {
		t.Errorf("Run(also) = %v, %v, want that case alone", results, err)
	}
}

func TestWhatIsNotSaidIsStaffedAndFree(t *testing.T) {
	p := &plan.Plan{Pools: map[leadroute.PoolID]*plan.Pool{
		"named": {Members: []leadroute.RepID{"ana", "ben"}},
		"live":  {Where: func(*leadroute.Rep) bool { return false }},
	}}
	s := Live(p, dsl.Situation{
		Available: map[leadroute.PoolID]int{"busy": 0},
		Status:    map[leadroute.RepID]leadroute.RepStatus{"ben": leadroute.StatusAway, "ana": leadroute.StatusAvailable},
	})
	for pool, want := range map[leadroute.PoolID]int{"named": 1, "live": manyFree, "busy": 0, "unknown": 0} {
		if got := s.Available(pool); got != want {
			t.Errorf("Available(%s) = %d, want %d", pool, got, want)
		}
	}
	targets := []plan.Target{{Rep: "ben"}, {Pool: "busy"}, {Rep: "zoe"}, {Queue: "q"}}
	if got := s.First(targets); got.Rep != "zoe" {
		t.Errorf("First(%v) = %v, want rep zoe", targets, got)
	}
}
