package demo

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/internal/loadgen"
)

// everybody is free.
type everybody struct{}

func (everybody) Available(leadroute.PoolID) int { return 1 }

// The truth is written by hand, so that it can disagree with the product; with the
// demo's policy itself it must not.
func TestTruthIsTheDemoPolicysIntent(t *testing.T) {
	policy, diags := dsl.Load("../../examples/demo.hcl")
	if policy == nil || policy.Plan == nil {
		t.Fatalf("examples/demo.hcl: %v", diags)
	}
	p := policy.Plan
	reps := loadgen.Reps(1, 60, loadgen.ThreeRegions)
	judge := loadgen.NewJudge(reps)
	accounts := make(map[string]*leadroute.Account)
	list := loadgen.Accounts(1, 300, reps)
	for i := range list {
		accounts[list[i].Domain] = &list[i]
	}
	gen, err := loadgen.New(loadgen.Options{
		Seed: 5, Leads: 5000, DuplicateRate: 0.1, MalformedRate: 0.1, WrongTypeRate: 0.05,
		FreeMailRate: 0.2, KnownAccountRate: 0.3, Accounts: list,
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)
	rules := make(map[string]int)
	for it := range gen.All() {
		if it.Flaw == loadgen.FlawTruncated {
			if json.Valid(it.Body) {
				t.Errorf("lead %d is valid JSON, want it truncated: %s", it.Index, it.Body)
			}
			continue
		}
		fields, problems, err := p.Check(it.Body)
		if err != nil || (len(problems) > 0) != (it.Flaw != "") {
			t.Fatalf("lead %d (%s %s): the policy's schema says %v, %v: %s", it.Index, it.Label, it.Flaw, problems, err, it.Body)
		}
		if it.Flaw != "" {
			continue
		}
		lead := &leadroute.Lead{ID: "l", Fields: fields, ReceivedAt: leadroute.At(at)}
		rec, err := p.Record(lead, accounts[p.Company(lead).Domain])
		if err != nil {
			t.Fatal(err)
		}
		d := p.Decide(rec, everybody{}, at)
		rules[d.Rule]++
		truth := gen.Truth(it.Index)
		if d.Class != truth.Class {
			t.Errorf("lead %d: the policy says class %s, the truth %s: %s", it.Index, d.Class, truth.Class, it.Body)
		}
		var may, meant []leadroute.RepID
		for i := range reps {
			for _, target := range d.Targets {
				if target.Rep == reps[i].ID || target.Pool != "" && p.Pools[target.Pool].Where(&reps[i]) {
					may = append(may, reps[i].ID)
					break
				}
			}
			if judge.Allows(truth, reps[i].ID) {
				meant = append(meant, reps[i].ID)
			}
		}
		if !slices.Equal(may, meant) {
			t.Fatalf("lead %d (rule %s): the policy's targets are %v, the truth allows %v: %s", it.Index, d.Rule, may, meant, it.Body)
		}
	}
	for _, rule := range []string{"existing_account", "enterprise", "by_territory"} {
		if rules[rule] < 100 {
			t.Errorf("rule %s took %d of 5000 leads: too few to show anything", rule, rules[rule])
		}
	}
	t.Log(rules)
}
