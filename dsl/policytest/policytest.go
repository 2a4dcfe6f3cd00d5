// Package policytest runs a policy's test blocks through the decisions that run, too.
// Reading them is dsl's business, and printing the results the commands'.
package policytest

import (
	"cmp"
	"fmt"
	"regexp"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Kind is what a Result is of.
type Kind string

// The kinds of results.
const (
	KindTest      Kind = "test"
	KindScenario  Kind = "scenario"
	KindInvariant Kind = "invariant"
)

// Watch sees every decision, if it is not nil; coverage is one.
type Watch func(*plan.Plan, *plan.Record, plan.Live, time.Time) plan.Explanation

// Decide decides, seen by the watch.
func (w Watch) Decide(p *plan.Plan, r *plan.Record, live plan.Live, at time.Time) plan.Decision {
	if w == nil {
		return p.Decide(r, live, at)
	}
	return w(p, r, live, at).Decision
}

// Result is one test's outcome.
type Result struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Wrong lists what came out otherwise than expected; empty: the test passed.
	Wrong []Difference `json:"wrong,omitempty"`
	// Rule, Priority, Territory and AssignedTo are what came out.
	Rule       string `json:"rule"`
	Priority   string `json:"priority"`
	Territory  string `json:"territory,omitempty"`
	AssignedTo string `json:"assigned_to"`
	// Timeline is what happened in a scenario that failed, a line each.
	Timeline []string `json:"timeline,omitempty"`
	// Explanation is the way to a wrong decision.
	Explanation *plan.Explanation `json:"explanation,omitempty"`
}

// Difference is one expectation that was not met; "" stands for none.
type Difference struct {
	What string `json:"what"`
	Got  string `json:"got"`
	Want string `json:"want"`
}

// String is "owner at 31s is u-77, want u-80".
func (d Difference) String() string {
	return d.What + " is " + cmp.Or(d.Got, "none") + ", want " + cmp.Or(d.Want, "none")
}

// Run decides the lead of each test whose name the pattern matches (nil: all), and
// compares. The policy must have a plan.
func Run(p *dsl.Policy, pattern *regexp.Regexp, watch Watch) ([]Result, error) {
	results := []Result{}
	for _, t := range p.Tests {
		if pattern != nil && !pattern.MatchString(t.Name) {
			continue
		}
		r, err := run(p.Plan, t, watch)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

func run(p *plan.Plan, t dsl.Test, watch Watch) (Result, error) {
	lead := &leadroute.Lead{ID: "test", ReceivedAt: leadroute.At(t.At), Fields: t.Lead}
	record, err := p.Record(lead, nil)
	if err != nil {
		return Result{}, fmt.Errorf("test %q: %w", t.Name, err)
	}
	defer record.Free()
	live := Live(p, t.Live)
	if watch == nil {
		watch = (*plan.Plan).Explain
	}
	e := watch(p, record, live, t.At)
	d := e.Decision
	r := Result{
		Kind: KindTest, Name: t.Name, File: t.File, Line: t.Line,
		Rule: d.Rule, Priority: string(d.Class), Territory: d.Territory, AssignedTo: dsl.TargetName(live.First(d.Targets)),
	}
	r.compare("rule", r.Rule, t.Expect.Rule)
	r.compare("priority", r.Priority, t.Expect.Priority)
	r.compare("territory", r.Territory, t.Expect.Territory)
	r.compare("assigned_to", r.AssignedTo, t.Expect.AssignedTo)
	if len(r.Wrong) > 0 {
		r.Explanation = &e
	}
	return r, nil
}

func (r *Result) compare(what, got string, want *string) {
	if want != nil && *want != got {
		r.Wrong = append(r.Wrong, Difference{What: what, Got: got, Want: *want})
	}
}

// Staffing answers for the live tables of a test.
type Staffing struct {
	plan *plan.Plan
	said dsl.Situation
}

// Live is a situation over a plan: what it does not name is staffed and free.
func Live(p *plan.Plan, said dsl.Situation) *Staffing { return &Staffing{p, said} }

// manyFree is how many members of a pool are free when nothing is said and the members
// come from the live rep table.
const manyFree = 1000

// Available counts the members who are free in this situation.
func (s *Staffing) Available(pool leadroute.PoolID) int {
	if n, ok := s.said.Available[pool]; ok {
		return n
	}
	p := s.plan.Pools[pool]
	switch {
	case p == nil:
		return 0
	case p.Where != nil:
		return manyFree
	}
	n := 0
	for _, rep := range p.Members {
		if s.free(rep) {
			n++
		}
	}
	return n
}

func (s *Staffing) free(rep leadroute.RepID) bool {
	status, ok := s.said.Status[rep]
	return !ok || status == leadroute.StatusAvailable
}

// First is the first target with somebody free; a queue always takes the lead.
func (s *Staffing) First(targets []plan.Target) plan.Target {
	for _, t := range targets {
		switch {
		case t.Pool != "" && s.Available(t.Pool) > 0, t.Rep != "" && s.free(t.Rep), t.Queue != "":
			return t
		}
	}
	return plan.Target{}
}
