package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/analyze"
	"github.com/leadroute/leadroute/dsl/plan"
)

type validateOptions struct {
	Paths  []string
	Strict bool
	JSON   bool
	SARIF  bool
	// Overlaps is how many pairs of rules that want the same lead are listed.
	Overlaps int
	Out      io.Writer
}

func newValidate() *cobra.Command {
	var opts validateOptions
	cmd := &cobra.Command{
		Use:   "validate POLICY...",
		Short: "Check a policy: syntax, references, types, and what rules leave out",
		Long: `Check a policy and say everything that is wrong with it, in one run, with the place
and what to write instead. POLICY is a file, or a folder of *.hcl files.

A finding that is meant so is silenced on its line, with a reason:
    # leadroute:ignore LR024 the field team asked for it

It says which rules no lead reaches, which lead no rule takes, which conditions cannot hold,
and when nobody is there in time. Where a lead shows it, the lead is shown; put it into
leadroute explain to see its way. --overlaps lists the rules that both want a lead, of
which the first one takes it; that is often meant so, and no warning.

Exit code: 0 if the policy can run, 1 if it has errors, 2 with --strict if it has warnings.`,
		Example: "  leadroute validate examples/demo.hcl\n  leadroute validate --strict --json examples/simple-team.hcl\n  leadroute validate --overlaps 10 examples/simple-team.hcl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Paths, opts.Out = args, cmd.OutOrStdout()
			return validate(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Strict, "strict", false, "exit with 2 if there are warnings")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object with the findings, and what is not acted on yet")
	cmd.Flags().BoolVar(&opts.SARIF, "sarif", false, "print a SARIF 2.1.0 log, for code hosts and editors")
	cmd.MarkFlagsMutuallyExclusive("json", "sarif")
	cmd.Flags().IntVar(&opts.Overlaps, "overlaps", 0, "list up to so many pairs of rules that want the same lead")
	return cmd
}

func validate(_ context.Context, opts validateOptions) error {
	policy, diags := dsl.Load(opts.Paths...)
	var inactive []plan.Inactive
	if policy.Plan != nil {
		inactive = policy.Plan.Inactive()
	}
	result := analyze.Run(policy, analyze.Options{Overlaps: opts.Overlaps})
	diags = append(diags, result.Diagnostics...)
	if policy.Plan != nil { // else not everybody has spoken
		diags = append(diags, policy.StaleIgnores()...)
	}
	diags.Sort()
	switch {
	case opts.SARIF:
		if err := diags.WriteSARIF(opts.Out); err != nil {
			return err
		}
	case opts.JSON:
		if err := writeFindings(opts, diags, inactive, result.Overlaps); err != nil {
			return err
		}
	default:
		if err := diags.WriteText(opts.Out); err != nil {
			return err
		}
		if len(diags) > 0 {
			fmt.Fprintln(opts.Out)
		}
		for _, o := range result.Overlaps {
			fmt.Fprintf(opts.Out, "rule.%s and rule.%s both want %s; rule.%s takes it\n", o.First, o.Second, &o.Lead, o.First)
		}
		fmt.Fprintln(opts.Out, summary(policy.Plan, diags))
		if n := len(inactive); n > 0 {
			fmt.Fprintf(opts.Out, "%s of it that this version does not act on yet; --json lists them, and leadroute run says them\n", plural(n, "part"))
		}
	}
	errs, warnings := diags.Count()
	switch {
	case errs > 0:
		return exit(1)
	case warnings > 0 && opts.Strict:
		return exit(2)
	default:
		return nil
	}
}

// writeFindings writes the one JSON object: the diagnostics, and the overlaps if they were
// asked for.
func writeFindings(opts validateOptions, diags dsl.Diagnostics, inactive []plan.Inactive, overlaps []analyze.Overlap) error {
	if opts.Overlaps == 0 {
		return diags.WriteJSON(opts.Out, inactive)
	}
	var b bytes.Buffer
	if err := diags.WriteJSON(&b, inactive); err != nil {
		return err
	}
	all := map[string]any{}
	if err := json.Unmarshal(b.Bytes(), &all); err != nil {
		return err
	}
	all["overlaps"] = append([]analyze.Overlap{}, overlaps...)
	e := json.NewEncoder(opts.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(all)
}

// summary is the last line for people.
func summary(p *plan.Plan, diags dsl.Diagnostics) string {
	errs, warnings := diags.Count()
	found := fmt.Sprintf("%s, %s", plural(errs, "error"), plural(warnings, "warning"))
	if p == nil {
		return found
	}
	return fmt.Sprintf("%s: %s, %s, %s, %s, plan %s; %s", p.Name, plural(len(p.Classes), "priority"), plural(len(p.Rules), "rule"),
		plural(len(p.Pools), "pool"), plural(len(p.Destinations), "destination"), p.ID, found)
}

func plural(n int, what string) string {
	switch {
	case n == 1:
	case what == "priority":
		what = "priorities"
	default:
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// loadPlan is for the commands that need a good policy: it tells the errors, on Err, and
// returns the exit code.
func loadPlan(errOut io.Writer, paths ...string) (*dsl.Policy, error) {
	policy, diags := dsl.Load(paths...)
	if policy.Plan == nil {
		return nil, tellErrors(errOut, diags)
	}
	return policy, nil
}

// tellErrors says why a policy cannot be used and returns the exit code.
func tellErrors(errOut io.Writer, diags dsl.Diagnostics) error {
	if err := diags.WriteText(errOut); err != nil {
		return err
	}
	fmt.Fprintf(errOut, "\n%s\n", summary(nil, diags))
	return exit(1)
}
