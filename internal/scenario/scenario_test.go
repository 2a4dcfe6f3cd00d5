package scenario

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/dsl/policytest"
)

func load(t *testing.T, source string) *dsl.Policy {
	t.Helper()
	p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(source)})
	if p.Plan == nil {
		t.Fatalf("Parse = %v", diags.Error())
	}
	return p
}

func TestEscalation(t *testing.T) {
	p, diags := dsl.Load("testdata/escalation.hcl")
	if p.Plan == nil {
		t.Fatalf("Load = %v", diags.Error())
	}
	results, err := Run(p, nil, nil, nil)
	if err != nil || len(results) != 3 {
		t.Fatalf("Run = %d results, %v, want 3", len(results), err)
	}
	for _, r := range results {
		if len(r.Wrong) > 0 || r.Kind != policytest.KindScenario {
			t.Errorf("%s %s: %+v\n%s", r.Kind, r.Name, r.Wrong, strings.Join(r.Timeline, "\n"))
		}
	}
	if results, err = Run(p, regexp.MustCompile("evening"), nil, nil); err != nil || len(results) != 1 {
		t.Errorf("Run(evening) = %d results, %v, want that one alone", len(results), err)
	}
}

// A story for each strategy, and for what goes with it; and for the account's owner.
func TestStories(t *testing.T) {
	for _, path := range []string{"testdata/strategies.hcl", "testdata/owner.hcl"} {
		p, diags := dsl.Load(path)
		if p.Plan == nil || diags.HasErrors() {
			t.Fatalf("Load = %v", diags)
		}
		results, err := Run(p, nil, nil, nil)
		if err != nil || len(results) != len(p.Scenarios) || len(results) < 7 {
			t.Fatalf("Run = %d results, %v, want %d", len(results), err, len(p.Scenarios))
		}
		for _, r := range results {
			if len(r.Wrong) > 0 {
				t.Errorf("%s: %+v\n%s", r.Name, r.Wrong, strings.Join(r.Timeline, "\n"))
			}
		}
	}
}

// A scenario that fails says when, what, and what happened until then.
func TestAFailureTellsTheStory(t *testing.T) {
	p := load(t, `
priority "P0" {
  deliver_within = "1m"
  step "hand_over" {
    after    = "1m"
    reassign = "next"
  }
}
rep "ana" { email = "ana@example.com" }
rep "ben" { email = "ben@example.com" }
pool "desk" {
  members = [rep.ana, rep.ben]
}
rule "all" { to = [pool.desk, queue.unassigned] }
destination "crm" {
  webhook { url = "https://crm.example.com" }
}
scenario "wrong" {
  arrive "it" {
    lead = { score = 1 }
  }
  expect {
    at     = "2m"
    owner  = rep.ana
    reason = "accept"
  }
  expect {
    at    = "30s"
    owner = null
  }
}
`)
	results, err := Run(p, nil, nil, nil)
	if err != nil || len(results) != 1 {
		t.Fatalf("Run = %d results, %v, want 1", len(results), err)
	}
	want := []policytest.Difference{
		{What: "owner at 30s", Got: "ana", Want: ""},
		{What: "owner at 2m", Got: "ben", Want: "ana"},
		{What: "reason at 2m", Got: "sla:P0/hand_over", Want: "accept"},
	}
	if diff := cmp.Diff(want, results[0].Wrong); diff != "" {
		t.Errorf("Wrong (-want +got):\n%s", diff)
	}
	story := []string{
		"      0s  decided: P0 by rule all",
		"      0s  offered to pool desk",
		"      0s  ana owns it",
		"      1m  taken from ana: sla:P0/hand_over",
		"      1m  offered to pool desk",
		"      1m  ben owns it",
	}
	if diff := cmp.Diff(story, results[0].Timeline); diff != "" {
		t.Errorf("Timeline (-want +got):\n%s", diff)
	}
}

// A watch sees each decision of a scenario, by the closures.
func TestScenariosAreCovered(t *testing.T) {
	p, diags := dsl.Load("testdata/escalation.hcl")
	if p.Plan == nil {
		t.Fatalf("Load = %v", diags.Error())
	}
	c := plan.NewCoverage(p.Plan)
	if _, err := Run(p, regexp.MustCompile("evening"), c.Explain, nil); err != nil {
		t.Fatal(err)
	}
	r := c.Report()
	if want := (plan.Tally{Covered: 1, Of: 2}); r.Rules != want {
		t.Errorf("rules covered = %+v, want %+v", r.Rules, want)
	}
}
