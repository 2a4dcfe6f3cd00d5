package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl/policytest"
)

type testOptions struct {
	Paths []string
	Run   string
	JSON  bool
	Out   io.Writer
	Err   io.Writer
}

func newTest() *cobra.Command {
	var opts testOptions
	cmd := &cobra.Command{
		Use:   "test POLICY...",
		Short: "Run the test blocks of a policy",
		Long: `Run the test blocks of a policy, through the decisions that leadroute run makes.

Where a test does not say otherwise, it is 10:00 on Wednesday 2026-01-14 in the policy's
time zone, and everybody is staffed and free. No secret need be set.

Exit code: 0 if all passed, 1 if a test failed or the policy has errors.`,
		Example: "  leadroute test examples/demo.hcl\n  leadroute test --run 'German|owner' --json examples/demo.hcl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Paths, opts.Out, opts.Err = args, cmd.OutOrStdout(), cmd.ErrOrStderr()
			return runTests(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Run, "run", "", "run only the tests whose name matches the regular expression")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object with the results")
	return cmd
}

func runTests(_ context.Context, opts testOptions) error {
	var pattern *regexp.Regexp
	if opts.Run != "" {
		var err error
		if pattern, err = regexp.Compile(opts.Run); err != nil {
			return fmt.Errorf("--run: %w", err)
		}
	}
	policy, err := loadPlan(opts.Err, opts.Paths...)
	if err != nil {
		return err
	}
	results, err := policytest.Run(policy, pattern, nil)
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range results {
		if len(r.Wrong) > 0 {
			failed++
		}
	}
	if opts.JSON {
		e := json.NewEncoder(opts.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(struct {
			Passed int                 `json:"passed"`
			Failed int                 `json:"failed"`
			Tests  []policytest.Result `json:"tests"`
		}{len(results) - failed, failed, results})
	} else {
		for _, r := range results {
			writeTest(opts.Out, r)
		}
		_, err = fmt.Fprintf(opts.Out, "\n%s: %d passed, %d failed\n", plural(len(results), "test"), len(results)-failed, failed)
	}
	if err == nil && failed > 0 {
		err = exit(1)
	}
	return err
}

func writeTest(w io.Writer, r policytest.Result) {
	if len(r.Wrong) == 0 {
		fmt.Fprintf(w, "ok    %s\n", r.Name)
		return
	}
	fmt.Fprintf(w, "FAIL  %s   %s:%d\n", r.Name, r.File, r.Line)
	for _, d := range r.Wrong {
		fmt.Fprintf(w, "      %s is %s, want %s\n", d.What, orNone(d.Got), orNone(d.Want))
	}
	writeTraces(w, "      ", r.Explanation.Rules)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
