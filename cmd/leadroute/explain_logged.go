package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"text/tabwriter"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/views"
)

// logged is what is told of a decision that was taken.
type logged struct {
	explained
	Rev    int              `json:"rev"`
	Plan   leadroute.PlanID `json:"plan"`
	Policy string           `json:"policy"`
	// Same: the policy of then, with the lead and the tables of then, says today what it said.
	Same  bool                     `json:"same"`
	Trail []leadroute.LatencyEvent `json:"trail"`
}

// explainLogged takes the last decision about a lead again, by the logged policy with what
// it read then, and explains it.
func explainLogged(ctx context.Context, opts explainOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var ds views.Decisions
	if err := api.Do(ctx, http.MethodGet, "/v1/leads/"+url.PathEscape(opts.Policy)+"/decisions", nil, &ds); err != nil {
		return err
	}
	last := slices.MaxFunc(ds.Decisions, func(a, b leadroute.LatencyEvent) int { return a.Rev - b.Rev })
	policy, err := publishedPolicy(ctx, api, last.Plan)
	if err != nil {
		return err
	}
	out, err := again(policy.Plan, &last)
	if err != nil {
		return err
	}
	var l views.Lead
	if err := api.Do(ctx, http.MethodGet, "/v1/leads/"+url.PathEscape(opts.Policy), nil, &l); err != nil {
		return err
	}
	out.Trail = l.Trail
	if to := went(l.Trail, last.Rev); to != (plan.Target{}) {
		out.Target = dsl.TargetName(to)
	}
	if opts.JSON {
		err = printJSON(opts.Out, out)
	} else {
		err = out.write(opts.Out, policy.Plan)
	}
	if err == nil && !out.Same {
		return exit(1)
	}
	return err
}

// publishedPolicy gets a policy from the router's log and compiles it.
func publishedPolicy(ctx context.Context, api *apiclient.Client, id leadroute.PlanID) (*dsl.Policy, error) {
	r, err := fetchPolicy(ctx, api, string(id))
	if err != nil {
		return nil, err
	}
	policy, found := dsl.Parse(r.Source)
	if err := found.Error(); err != nil {
		return nil, fmt.Errorf("the policy %s, by which the lead was decided, has errors for this version of leadroute: %w", id, err)
	}
	return policy, nil
}

// again takes a logged decision again.
func again(p *plan.Plan, e *leadroute.LatencyEvent) (logged, error) {
	out := logged{Rev: e.Rev, Plan: e.Plan, Policy: p.Name}
	seen := &plan.Snapshot{}
	if len(e.Decision.Seen) > 0 {
		var err error
		if seen, err = leadroute.Decode[plan.Snapshot](e.Decision.Seen); err != nil {
			return out, fmt.Errorf("what the decision read cannot be read: %w", err)
		}
	}
	record, err := p.Record(&leadroute.Lead{
		ID: e.Lead, Source: e.Source, EmittedAt: e.EmittedAt, ReceivedAt: e.ReceivedAt, Fields: e.Decision.Fields,
	}, seen.Account)
	if err != nil {
		return out, err
	}
	defer record.Free()
	at := e.At.Time()
	out.ID, out.At = string(e.Lead), &at
	out.way = &way{Explanation: p.Explain(record, seen, at), Account: seen.Account, Found: seen.Found}
	d := out.Decision
	said, err := leadroute.Encode(&d)
	if err != nil {
		return out, err
	}
	out.Same = bytes.Equal(said, e.Decision.Said)
	if d.Rule != "" {
		out.Rule = &d.Rule
	}
	out.Priority, out.Territory = string(d.Class), d.Territory
	if len(d.Targets) > 0 {
		out.Target = dsl.TargetName(d.Targets[0])
	}
	out.Nearest = p.Nearest(record, seen, at)
	return out, nil
}

// went is where the lead came to be last in that revision.
func went(trail []leadroute.LatencyEvent, rev int) (to plan.Target) {
	for i := range trail {
		switch e := &trail[i]; {
		case e.Rev != rev:
		case e.Step == leadroute.StepAssigned && e.Pool != "":
			to = plan.Target{Pool: e.Pool}
		case e.Step == leadroute.StepAssigned:
			to = plan.Target{Rep: e.Rep}
		case e.Step == leadroute.StepQueued:
			to = plan.Target{Queue: e.Queue}
		}
	}
	return to
}

func (l *logged) write(out io.Writer, p *plan.Plan) error {
	same := "taken again, it is the same, byte for byte"
	if !l.Same {
		same = "TAKEN AGAIN, IT IS ANOTHER ONE: this version of leadroute decides otherwise than the one of then"
	}
	fmt.Fprintf(out, "Lead %s, revision %d, decided %s by plan %s of policy %s; %s.\n\n", l.ID, l.Rev, instant(leadroute.At(*l.At)), l.Plan, l.Policy, same)
	writeExplanation(out, p, l.explained)
	if len(l.Trail) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nWhat happened\nTIME\tSINCE\tREV\tSTEP\tREP\tPOOL\tDESTINATION\tATTEMPT\tOUTCOME\tREASON")
	for i := range l.Trail {
		writeStep(w, &l.Trail[i])
	}
	return w.Flush()
}
