package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/dsl/policytest"
	"github.com/leadroute/leadroute/internal/scenario"
)

type testOptions struct {
	Paths        []string
	Run          string
	Coverage     bool
	CoverageHTML string
	JUnit        string
	JSON         bool
	Out          io.Writer
	Err          io.Writer
}

func newTest() *cobra.Command {
	var opts testOptions
	cmd := &cobra.Command{
		Use:   "test POLICY...",
		Short: "Run the tests and scenarios of a policy",
		Long: `Run the test and scenario blocks of a policy, through the decisions that leadroute run makes.

Where a test does not say otherwise, it is 10:00 on Wednesday 2026-01-14 in the policy's
time zone, and everybody is staffed and free. A scenario plays on a virtual clock: its
reps work, its leads arrive, the CRM acknowledges at once, and the SLA's steps run. No
secret need be set, and nobody is told anything.

Coverage is which rules a test took, which conditions it saw both true and false, and
which targets it offered.

Exit code: 0 if all passed, 1 if one failed or the policy has errors.`,
		Example: `  leadroute test examples/demo.hcl
  leadroute test --run 'German|owner' --json examples/demo.hcl
  leadroute test --coverage --coverage-html coverage.html --junit report.xml examples/demo.hcl`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Paths, opts.Out, opts.Err = args, cmd.OutOrStdout(), cmd.ErrOrStderr()
			return runTests(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Run, "run", "", "run only what has a name that matches the regular expression")
	f.BoolVar(&opts.Coverage, "coverage", false, "say what the tests left out")
	f.StringVar(&opts.CoverageHTML, "coverage-html", "", "write the policy with what was left out marked, as an HTML page, to this file")
	f.StringVar(&opts.JUnit, "junit", "", "write the results as JUnit XML to this file")
	f.BoolVar(&opts.JSON, "json", false, "print one JSON object with the results")
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
	cover := plan.NewCoverage(policy.Plan)
	results, err := policytest.Run(policy, pattern, cover.Explain)
	if err != nil {
		return err
	}
	played, err := scenario.Run(policy, pattern, cover.Explain)
	if err != nil {
		return err
	}
	results = append(results, played...)
	var covered *plan.CoverageReport
	if opts.Coverage || opts.CoverageHTML != "" {
		covered = new(cover.Report())
	}
	if err := opts.writeFiles(policy, results, covered); err != nil {
		return err
	}
	if !opts.Coverage {
		covered = nil
	}
	return opts.print(results, covered)
}

// writeFiles writes the reports that were asked for.
func (o *testOptions) writeFiles(policy *dsl.Policy, results []policytest.Result, covered *plan.CoverageReport) error {
	if o.JUnit != "" {
		if err := writeFile(o.JUnit, func(w io.Writer) error { return policytest.WriteJUnit(w, results) }); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
	}
	if o.CoverageHTML != "" {
		if err := writeFile(o.CoverageHTML, func(w io.Writer) error { return policytest.WriteCoverageHTML(w, policy, covered) }); err != nil {
			return fmt.Errorf("--coverage-html: %w", err)
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close() // the error of the write says more
		return err
	}
	return f.Close()
}

// print prints the results and fails if one of them did.
func (o *testOptions) print(results []policytest.Result, covered *plan.CoverageReport) error {
	counts := map[policytest.Kind]int{}
	failed := 0
	for _, r := range results {
		counts[r.Kind]++
		if len(r.Wrong) > 0 {
			failed++
		}
	}
	var err error
	if o.JSON {
		e := json.NewEncoder(o.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(struct {
			Passed   int                  `json:"passed"`
			Failed   int                  `json:"failed"`
			Tests    []policytest.Result  `json:"tests"`
			Coverage *plan.CoverageReport `json:"coverage,omitempty"`
		}{len(results) - failed, failed, results, covered})
	} else {
		for _, r := range results {
			writeTest(o.Out, r)
		}
		var ran []string
		for _, kind := range []policytest.Kind{policytest.KindTest, policytest.KindScenario, policytest.KindInvariant} {
			if n := counts[kind]; n > 0 || kind == policytest.KindTest && len(results) == 0 {
				ran = append(ran, plural(n, string(kind)))
			}
		}
		_, err = fmt.Fprintf(o.Out, "\n%s: %d passed, %d failed\n", strings.Join(ran, ", "), len(results)-failed, failed)
		if err == nil && covered != nil {
			err = policytest.WriteCoverage(o.Out, covered)
		}
	}
	if err == nil && failed > 0 {
		err = exit(1)
	}
	return err
}

func writeTest(w io.Writer, r policytest.Result) {
	name := r.Name
	if r.Kind != policytest.KindTest {
		name = string(r.Kind) + " " + r.Name
	}
	if len(r.Wrong) == 0 {
		fmt.Fprintf(w, "ok    %s\n", name)
		return
	}
	fmt.Fprintf(w, "FAIL  %s   %s:%d\n", name, r.File, r.Line)
	for _, d := range r.Wrong {
		fmt.Fprintf(w, "      %s\n", d)
	}
	for _, line := range r.Timeline {
		fmt.Fprintf(w, "      %s\n", line)
	}
	if r.Explanation != nil {
		writeTraces(w, "      ", r.Explanation.Rules)
	}
}
