package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/processors/policies"
)

type policiesOptions struct {
	API    *apiOptions
	Plan   string
	Dir    string
	Reason string
	JSON   bool
	Out    io.Writer
}

func newPolicies() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policies",
		Short: "See which policy is in force, go back to another one, end a rollout",
	}
	opts := policiesOptions{API: &apiOptions{}}
	opts.API.bind(cmd)
	sub := func(c *cobra.Command, run func(context.Context, policiesOptions) error) *cobra.Command {
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.Plan = args[0]
			}
			opts.Out = c.OutOrStdout()
			return run(c.Context(), opts)
		}
		c.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
		cmd.AddCommand(c)
		return c
	}
	sub(&cobra.Command{
		Use: "list", Short: "List every change of the policy in force, the newest last", Args: cobra.NoArgs,
		Example: "  leadroute policies list",
	}, listPolicies)
	sub(&cobra.Command{
		Use: "show [PLAN]", Short: "Print a policy's files; of the one in force if none is named", Args: cobra.MaximumNArgs(1),
		Example: "  leadroute policies show\n  leadroute policies show 3f1c9a5e7b2d4c6f8a0b --to old-policy",
	}, showPolicy).Flags().StringVar(&opts.Dir, "to", "", "write the files into this new folder instead")
	reason := func(c *cobra.Command) {
		c.Flags().StringVar(&opts.Reason, "reason", "", "why, for the history")
	}
	reason(sub(&cobra.Command{
		Use: "rollback [PLAN]", Short: "Go back to the policy before, or to a named one, at once", Args: cobra.MaximumNArgs(1),
		Long:    "Go back to the policy that was in force before, or to a named one. It comes into force at once; a rollout ends.\nLeads that were decided meanwhile end under the policy that decided them.",
		Example: "  leadroute policies rollback --reason \"leads of the south went nowhere\"",
	}, func(ctx context.Context, o policiesOptions) error { return o.order(ctx, "rollback") }))
	reason(sub(&cobra.Command{
		Use: "promote", Short: "Put the policy that is being tried into force now", Args: cobra.NoArgs,
		Example: "  leadroute policies promote",
	}, func(ctx context.Context, o policiesOptions) error { return o.order(ctx, "promote") }))
	reason(sub(&cobra.Command{
		Use: "withdraw", Short: "Take the policy that is being tried back", Args: cobra.NoArgs,
		Example: "  leadroute policies withdraw --reason \"not before the fair\"",
	}, func(ctx context.Context, o policiesOptions) error { return o.order(ctx, "withdraw") }))
	return cmd
}

func listPolicies(ctx context.Context, opts policiesOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var v policies.View
	if err := api.Do(ctx, http.MethodGet, "/v1/policies", nil, &v); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, v)
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tPLAN\tPOLICY\tWHAT\tBY\tREASON")
	for _, c := range v.History {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", instant(c.At), c.Plan, dash(c.Name), c.What, dash(c.By), dash(c.Reason))
	}
	fmt.Fprintf(w, "\nin force\t%s\n", v.Current)
	if v.Candidate != "" {
		fmt.Fprintf(w, "tried\t%s since %s\n", v.Candidate, instant(v.Since))
	}
	if v.Running.Refused != "" {
		fmt.Fprintf(w, "this instance\tstays with %s: %s\n", v.Running.Current, v.Running.Refused)
	}
	return w.Flush()
}

// fetchPolicy gets a published policy from the router.
func fetchPolicy(ctx context.Context, api *apiclient.Client, id string) (*leadroute.PolicyRecord, error) {
	var r leadroute.PolicyRecord
	if err := api.Do(ctx, http.MethodGet, "/v1/policies/"+url.PathEscape(id), nil, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func showPolicy(ctx context.Context, opts policiesOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	if opts.Plan == "" {
		opts.Plan = leadroute.PolicyCurrent
	}
	r, err := fetchPolicy(ctx, api, opts.Plan)
	switch {
	case err != nil:
		return err
	case opts.JSON:
		return printJSON(opts.Out, r)
	case opts.Dir != "":
		return writePolicy(opts.Dir, r.Source)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Source)) {
		if len(r.Source) > 1 {
			fmt.Fprintf(opts.Out, "# ---- %s\n", name)
		}
		if _, err := opts.Out.Write(r.Source[name]); err != nil {
			return err
		}
	}
	return nil
}

// writePolicy writes a policy's files into a folder that is not there yet.
func writePolicy(dir string, source map[string][]byte) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("--to: name a folder that is not there yet (%w)", err)
	}
	root, err := os.OpenRoot(dir) // names come from the log: none leads out of the folder
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range slices.Sorted(maps.Keys(source)) {
		if dsl.IsAddress(name) {
			continue // a calendar as it was fetched; it is fetched again
		}
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(name, source[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// order has the router do something about what is in force or tried.
func (o policiesOptions) order(ctx context.Context, what string) error {
	api, err := o.API.client()
	if err != nil {
		return err
	}
	var done policies.Applied
	in := policies.Order{Plan: leadroute.PlanID(o.Plan), Reason: o.Reason}
	if err := api.Do(ctx, http.MethodPost, "/v1/policies/"+what, in, &done); err != nil {
		return err
	}
	return tellApplied(o.Out, o.JSON, done)
}

func tellApplied(w io.Writer, asJSON bool, done policies.Applied) error {
	if asJSON {
		return printJSON(w, done)
	}
	words := map[string]string{
		policies.Enforced: "plan %s is in force\n", policies.Tried: "plan %s is tried: leadroute policies list shows how that goes on\n", policies.Withdrawn: "plan %s is taken back\n",
	}
	if done.What == policies.Enforced && done.Plan == done.Before {
		_, err := fmt.Fprintf(w, "plan %s was in force already\n", done.Plan)
		return err
	}
	if _, err := fmt.Fprintf(w, words[done.What], done.Plan); err != nil || done.Running {
		return err
	}
	_, err := fmt.Fprintln(w, "the instance that was asked does not follow yet: leadroute policies list says why")
	return err
}
