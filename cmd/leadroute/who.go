package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/intake"
)

type whoOptions struct {
	Policy   string
	Rep      string
	Reps     string
	JSON     bool
	In       io.Reader
	Out, Err io.Writer
}

func newWho() *cobra.Command {
	var opts whoOptions
	cmd := &cobra.Command{
		Use:   "who POLICY rep.NAME",
		Short: "Say which leads can reach a rep",
		Long: `Say which leads can reach a rep: each rule, and each SLA step, that sends leads to the rep,
with the pool or queue through which they come and the rule's condition.

A rep of the live table is looked up in --reps, a file as reps import takes it; a rep of
the policy's own needs none.`,
		Example: "  leadroute who examples/simple-team.hcl rep.ana\n  leadroute who examples/demo.hcl rep.emea-07 --reps reps.csv --json",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Policy, opts.Rep, opts.In = args[0], args[1], cmd.InOrStdin()
			opts.Out, opts.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return who(opts)
		},
	}
	cmd.Flags().StringVar(&opts.Reps, "reps", "", "file with the reps of the live table, as reps import takes it; - is standard input")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

func who(opts whoOptions) error {
	name, ok := strings.CutPrefix(opts.Rep, "rep.")
	if !ok || name == "" {
		return fmt.Errorf("%s: write rep.NAME, such as rep.ana", opts.Rep)
	}
	policy, err := loadPlan(opts.Err, opts.Policy)
	if err != nil {
		return err
	}
	reps := policy.Plan.Reps
	if opts.Reps != "" {
		_, rows, err := readRows(importOptions{File: opts.Reps, In: opts.In, Err: opts.Err}, intake.Reps(intake.KnownOf(policy.Plan)))
		if err != nil {
			return fmt.Errorf("--reps: %w", err)
		}
		reps = append(slices.Clone(reps), rows...)
	}
	i := slices.IndexFunc(reps, func(r leadroute.Rep) bool { return string(r.ID) == name })
	if i < 0 {
		where := "the policy declares no such rep; name the live table's with --reps FILE"
		if opts.Reps != "" {
			where = "neither the policy nor " + inputName(opts.Reps) + " has that rep"
		}
		return fmt.Errorf("%s: %s", opts.Rep, where)
	}
	ways := policy.Plan.Reach(&reps[i])
	if opts.JSON {
		return printJSON(opts.Out, struct {
			Rep  string      `json:"rep"`
			Ways []plan.Path `json:"ways"`
		}{opts.Rep, append([]plan.Path{}, ways...)})
	}
	return writeWays(opts.Out, opts.Rep, ways)
}

func writeWays(w io.Writer, rep string, ways []plan.Path) error {
	if len(ways) == 0 {
		_, err := fmt.Fprintf(w, "No lead can reach %s: no rule and no step names a pool with that rep.\n", rep)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "FROM\tPLACE\tTHROUGH\tWHEN")
	for _, way := range ways {
		from, place := "rule."+way.Rule, fmt.Sprint(way.Place)
		if way.Step != "" {
			from, place = fmt.Sprintf("priority.%s, step %s", way.Class, way.Step), ""
		}
		if way.Disabled {
			from += " (disabled)"
		}
		when := way.When
		if when == "" {
			when = "every lead that gets so far"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", from, place, through(way), strings.Join(strings.Fields(when), " "))
	}
	return t.Flush()
}

func through(way plan.Path) string {
	if way.Named {
		return "the lead names the rep"
	}
	names := make([]string, len(way.Via))
	for i, v := range way.Via {
		names[i] = dsl.TargetName(v)
	}
	if len(names) == 0 {
		return "directly"
	}
	return strings.Join(names, ", ")
}
