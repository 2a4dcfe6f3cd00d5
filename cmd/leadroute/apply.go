package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plandiff"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/processors/policies"
)

type applyOptions struct {
	API      *apiOptions
	Policy   string
	Plan     string
	Now      bool
	JSON     bool
	Out, Err io.Writer
}

func newApply() *cobra.Command {
	opts := applyOptions{API: &apiOptions{}}
	cmd := &cobra.Command{
		Use:   "apply POLICY --plan HASH",
		Short: "Put a new version of the policy into force on a running router",
		Long: `Put a new version of the policy into force on a running router, without a stop. HASH is what
leadroute plan live POLICY printed: if the policy in force, or the file, has changed since,
nothing is done.

The router holds the policy against its own tests, scenarios and invariants first, and
refuses one that fails. With a rollout block the policy is tried first, on a share of the
leads (canary) or beside them (shadow); it is taken back by itself when its figures are bad,
and comes into force when it held. Leads on their way end under the policy that decided them.

Exit code: 0 if the policy is in force or tried, 1 if it was refused or something has moved.`,
		Example: "  leadroute plan live examples/demo.hcl   # prints the plan hash\n  leadroute apply examples/demo.hcl --plan 4f1d09aa",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Policy, opts.Out, opts.Err = args[0], cmd.OutOrStdout(), cmd.ErrOrStderr()
			return apply(cmd.Context(), opts)
		},
	}
	opts.API.bind(cmd)
	cmd.Flags().StringVar(&opts.Plan, "plan", "", "the hash that leadroute plan live POLICY printed")
	cmd.Flags().BoolVar(&opts.Now, "now", false, "for all leads at once, whatever the rollout block says")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

func apply(ctx context.Context, opts applyOptions) error {
	if opts.Plan == "" {
		return fmt.Errorf("--plan: see first what would change: leadroute plan live %s prints the hash", opts.Policy)
	}
	policy, err := loadPlan(opts.Err, opts.Policy)
	if err != nil {
		return err
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	live, err := current(ctx, api)
	if err != nil {
		return err
	}
	if plandiff.Hash(live, policy.Plan.ID) != opts.Plan {
		return fmt.Errorf("plan %s does not lead from the policy in force (%s) to %s: one of them has changed; see what would change now: leadroute plan live %s", opts.Plan, live, opts.Policy, opts.Policy)
	}
	var done policies.Applied
	err = api.Do(ctx, http.MethodPost, "/v1/policies/apply", policies.Application{Source: policy.Source, Expect: live, Now: opts.Now}, &done)
	if refused, ok := errors.AsType[*apiclient.ProblemError](err); ok && refused.Status == http.StatusUnprocessableEntity {
		fmt.Fprintln(opts.Err, refused.Detail) // it has lines
		return exit(1)
	}
	if err != nil {
		return err
	}
	return tellApplied(opts.Out, opts.JSON, done)
}

// current is the id of the plan in force.
func current(ctx context.Context, api *apiclient.Client) (leadroute.PlanID, error) {
	var v policies.View
	err := api.Do(ctx, http.MethodGet, "/v1/policies", nil, &v)
	return v.Current, err
}
