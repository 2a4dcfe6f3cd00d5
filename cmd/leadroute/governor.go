package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/analyze"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/dsl/policytest"
	"github.com/leadroute/leadroute/internal/scenario"
	"github.com/leadroute/leadroute/processors"
	"github.com/leadroute/leadroute/processors/policies"
)

// governor has an instance route by what the log of policies says. A policy that it cannot
// run leaves the one that runs in force.
type governor struct {
	log      *policies.Log
	plans    *processors.Plans
	pipeline *processors.Pipeline
	// seed writes the rep blocks of a plan into the rep table.
	seed func(context.Context, *plan.Plan) error
	out  *slog.Logger

	mu      sync.Mutex
	running policies.Running
}

// loadTimeout bounds how long a stage waits for the policy of a lead.
const loadTimeout = 5 * time.Second

// loadPlanFrom returns how a plan is got that is not at hand: from the log, nil where that
// does not have it.
func loadPlanFrom(log *policies.Log, out *slog.Logger) func(leadroute.PlanID) *plan.Plan {
	return func(id leadroute.PlanID) *plan.Plan {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		r, err := log.Await(ctx, id)
		if err == nil && r == nil {
			return nil
		}
		var p *plan.Plan
		if err == nil {
			p, err = compiled(r)
		}
		if err != nil {
			out.Warn("the policy of a lead cannot be had, the one in force takes its place", "plan", id, "error", err)
		}
		return p
	}
}

// compiled is the plan of a published policy. It has the id under which it was published,
// which is that of its source.
func compiled(r *leadroute.PolicyRecord) (*plan.Plan, error) {
	p, found := dsl.CompileSource(r.Source)
	if err := found.Error(); err != nil {
		return nil, fmt.Errorf("the policy %s has errors for this version of leadroute: %w", r.ID, err)
	}
	return p, nil
}

// Run follows the log until ctx ends.
func (g *governor) Run(ctx context.Context) error {
	for {
		s, moved := g.log.Standing()
		if err := g.follow(ctx, s); err != nil && ctx.Err() == nil {
			g.out.Error("a policy cannot be put into force here, the one before goes on", "plan", s.Current, "candidate", s.Candidate, "error", err)
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil
		}
	}
}

func (g *governor) follow(ctx context.Context, s policies.Standing) error {
	now := g.Running()
	if s.Current == "" || now.Current == s.Current && now.Candidate == s.Candidate {
		return nil
	}
	err := g.change(ctx, s)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.running.Refused = err.Error()
		return err
	}
	g.running = policies.Running{Current: s.Current, Candidate: s.Candidate}
	return nil
}

func (g *governor) change(ctx context.Context, s policies.Standing) error {
	current, err := g.plan(ctx, s.Current)
	if err != nil {
		return err
	}
	var candidate *plan.Plan
	if s.Candidate != "" {
		if candidate, err = g.plan(ctx, s.Candidate); err != nil {
			return err
		}
	}
	before := g.plans.Current().ID
	if err := g.pipeline.Switch(ctx, current, candidate); err != nil {
		return err
	}
	if before == current.ID {
		return nil
	}
	g.out.Info("a policy came into force", "plan", current.ID, "by", s.By)
	return g.seed(ctx, current)
}

func (g *governor) plan(ctx context.Context, id leadroute.PlanID) (*plan.Plan, error) {
	if p := g.plans.Have(id); p != nil {
		return p, nil
	}
	r, err := g.log.Source(ctx, id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fmt.Errorf("the log has no policy %s", id)
	}
	return compiled(r)
}

// before are the plans of before, the newest first, as far as they can be had.
func (g *governor) before(ctx context.Context) iter.Seq[*plan.Plan] {
	s, _ := g.log.Standing()
	return func(yield func(*plan.Plan) bool) {
		for _, id := range slices.Backward(s.Published) {
			if p, err := g.plan(ctx, id); err == nil && !yield(p) {
				return
			}
		}
	}
}

// Running is what the instance routes by.
func (g *governor) Running() policies.Running {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running
}

// vet holds a policy against everything that is known before it routes: its text, the
// static analysis, its tests, scenarios and invariants, and what check says of the plan.
func vet(ctx context.Context, source map[string][]byte, check func(*plan.Plan) error, days calendars) (*plan.Plan, map[string][]byte, error) {
	policy, found := dsl.Parse(source)
	if policy.Plan == nil {
		return nil, nil, refusal("the policy has errors", found)
	}
	policy = days.with(ctx, policy)
	if proved := analyze.Run(policy, analyze.Options{}).Diagnostics; proved.HasErrors() {
		return nil, nil, refusal("the policy has errors", proved)
	}
	cover := plan.NewCoverage(policy.Plan)
	invariants := policytest.NewInvariants(policy.Plan, cover)
	results, err := policytest.Run(policy, nil, cover.Explain, invariants)
	if err != nil {
		return nil, nil, err
	}
	played, err := scenario.Run(policy, nil, cover.Explain, invariants)
	if err != nil {
		return nil, nil, err
	}
	var failed []policytest.Result
	var names []string
	for _, r := range append(append(results, played...), invariants.Results()...) {
		if r.Failed() {
			failed, names = append(failed, r), append(names, fmt.Sprintf("%s %q", r.Kind, r.Name))
		}
	}
	if len(failed) > 0 {
		return nil, nil, &policies.Refusal{Detail: "the policy does not pass its own tests (leadroute test shows them): " + strings.Join(names, ", "), Findings: failed}
	}
	if err := check(policy.Plan); err != nil {
		return nil, nil, &policies.Refusal{Detail: err.Error()}
	}
	return policy.Plan, policy.Source, nil
}

func refusal(detail string, found dsl.Diagnostics) error {
	var text bytes.Buffer
	if err := found.WriteText(&text); err != nil {
		return err
	}
	return &policies.Refusal{Detail: detail + ":\n" + text.String(), Findings: found}
}

// errOther is the error of a start with a policy other than the one that was applied.
var errOther = errors.New("another policy was applied since")

// enact puts the policy of the command line into force, unless another one was applied:
// then that one stays, and errOther is returned. With insist it takes its place.
func enact(ctx context.Context, log *policies.Log, policy *dsl.Policy, insist bool) error {
	s, _ := log.Standing()
	id := policy.Plan.ID
	if err := log.Publish(ctx, id, policy.Plan.Name, policy.Source); err != nil {
		return err
	}
	switch {
	case s.Current == id:
		return nil
	case s.Current != "" && s.By != "" && s.By != policies.ByRun && !insist:
		return errOther
	}
	err := log.Enforce(ctx, id, s.Current, policies.ByRun, "")
	if errors.Is(err, policies.ErrMoved) { // another instance started at the same moment
		if now, _ := log.Standing(); now.Current == id {
			return nil
		}
	}
	return err
}
