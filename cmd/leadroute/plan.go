package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/analyze"
	"github.com/leadroute/leadroute/dsl/plandiff"
)

type planOptions struct {
	API      *apiOptions
	Old, New string
	Leads    string
	Since    span
	Log      slaOptions // where the decision log is
	At       string
	JSON     bool
	In       io.Reader
	Out, Err io.Writer
	Now      time.Time
}

func newPlan() *cobra.Command {
	opts := planOptions{API: &apiOptions{}}
	cmd := &cobra.Command{
		Use:   "plan OLD NEW",
		Short: "Say what a new version of a policy would change",
		Long: `Say what a new version of a policy would change: block by block in its text, and in what
becomes of leads. For each changed outcome a lead is shown, the smallest that was found; it
was decided by both versions, with everybody free. Leads are looked for at the bounds of both
versions' conditions: what turns on a pattern, arithmetic or the time of day may be missed,
so give it recorded leads, too.

OLD may be live: the policy in force on the running router. The hash that is printed then is
what apply asks for.

With --leads, a file of recorded leads (NDJSON or a JSON array), or --since, those of the
decision log, say how many of them would move, from which pool to which. Each is decided at
its own received_at.

Exit code: 0 if nothing changes for any lead that was tried, 2 if something does, 1 if a
version has errors.`,
		Example: "  leadroute plan policy.hcl new-policy.hcl --leads leads.ndjson\n  leadroute plan examples/demo.hcl examples/demo.hcl --json\n  leadroute plan live policy.hcl --since 30d",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Old, opts.New, opts.In = args[0], args[1], cmd.InOrStdin()
			opts.Out, opts.Err, opts.Now = cmd.OutOrStdout(), cmd.ErrOrStderr(), time.Now()
			return planChange(cmd.Context(), opts)
		},
	}
	opts.API.bind(cmd)
	cmd.Flags().StringVar(&opts.Leads, "leads", "", "file with recorded leads; - is standard input")
	cmd.Flags().Var(&opts.Since, "since", "the leads of the decision log that were received since so long, such as 30d")
	cmd.Flags().StringVar(&opts.Log.ClickHouse, "clickhouse", os.Getenv("LEADROUTE_CLICKHOUSE"), "with --since, clickhouse://USER:PASSWORD@HOST:PORT/DATABASE (env LEADROUTE_CLICKHOUSE)")
	cmd.MarkFlagsMutuallyExclusive("leads", "since")
	cmd.Flags().StringVar(&opts.At, "at", "", "decide as of this time, such as 2026-01-14T10:00:00Z")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

// change is what --json prints.
type change struct {
	Old      string            `json:"old"`
	New      string            `json:"new"`
	Hash     string            `json:"plan_hash"`
	Blocks   []plandiff.Change `json:"blocks"`
	Outcomes []plandiff.Moved  `json:"outcomes"`
	Recorded *plandiff.Matrix  `json:"recorded,omitempty"`
	// Findings are the warnings that only one of the versions has.
	NewFindings    dsl.Diagnostics `json:"new_findings"`
	ClosedFindings dsl.Diagnostics `json:"closed_findings"`
}

func planChange(ctx context.Context, opts planOptions) error {
	before, was, err := opts.load(ctx, opts.Old)
	if err != nil {
		return err
	}
	after, is, err := opts.load(ctx, opts.New)
	if err != nil {
		return err
	}
	when := opts.Now
	if opts.At != "" {
		if when, err = time.Parse(time.RFC3339, opts.At); err != nil {
			return fmt.Errorf("--at: write a time such as 2026-01-14T10:00:00Z: %w", err)
		}
	}
	c := change{
		Old: string(before.Plan.ID), New: string(after.Plan.ID), Hash: plandiff.Hash(before.Plan.ID, after.Plan.ID),
		Blocks: append([]plandiff.Change{}, plandiff.Structure(before, after)...),
	}
	if c.Outcomes, err = plandiff.Semantics(before.Plan, after.Plan, when); err != nil {
		return err
	}
	if opts.Leads != "" || opts.Since > 0 {
		next, closeLeads, err := opts.recorded(ctx)
		if err != nil {
			return err
		}
		defer closeLeads()
		m, err := plandiff.Recorded(before.Plan, after.Plan, when, next)
		if err != nil {
			return err
		}
		c.Recorded = &m
	}
	c.NewFindings, c.ClosedFindings = lacking(is, was), lacking(was, is)
	if opts.JSON {
		err = printJSON(opts.Out, c)
	} else {
		err = c.write(opts.Out, opts.New)
	}
	if err == nil && (len(c.Outcomes) > 0 || c.Recorded != nil && c.Recorded.Moved > 0) {
		return exit(2)
	}
	return err
}

// recorded are the recorded leads, one a call, as JSON objects.
func (o *planOptions) recorded(ctx context.Context) (func() (json.RawMessage, error), func(), error) {
	if o.Leads != "" {
		in, closeIn, err := openIn(o.Leads, o.In)
		if err != nil {
			return nil, nil, err
		}
		return newLeadReader(in, o.Leads).next, closeIn, nil
	}
	o.Log.Data = o.API.Data
	src, _, closeLog, err := decisionLog(ctx, &o.Log, o.Now.Add(-time.Duration(o.Since)), o.Now)
	if err != nil {
		return nil, nil, err
	}
	return func() (json.RawMessage, error) {
		l, err := src.Next()
		if err != nil {
			return nil, err
		}
		head := fmt.Appendf(nil, `{"id":%q,"received_at":%q`, l.ID, l.ReceivedAt.Time().Format(time.RFC3339Nano))
		if a := l.Account; a != nil { // as the decision saw it
			facts := maps.Clone(a.Attrs)
			if facts == nil {
				facts = map[string]any{}
			}
			facts["domain"], facts["name"], facts["owner"] = a.Domain, a.Name, a.Owner
			b, err := json.Marshal(facts)
			if err != nil {
				return nil, fmt.Errorf("write the account of lead %s: %w", l.ID, err)
			}
			head = append(append(head, `,"account":`...), b...)
		}
		if len(l.Fields) > 2 {
			head = append(head, ',')
		}
		return append(head, l.Fields[1:]...), nil
	}, closeLog, nil
}

// liveVersion is OLD where that is the policy in force.
const liveVersion = "live"

// load reads a version, and all warnings about it.
func (o *planOptions) load(ctx context.Context, name string) (*dsl.Policy, dsl.Diagnostics, error) {
	var policy *dsl.Policy
	var found dsl.Diagnostics
	if name == liveVersion {
		api, err := o.API.client()
		if err != nil {
			return nil, nil, err
		}
		r, err := fetchPolicy(ctx, api, leadroute.PolicyCurrent)
		if err != nil {
			return nil, nil, err
		}
		policy, found = dsl.Parse(r.Source)
	} else {
		policy, found = dsl.Load(name)
	}
	if policy.Plan == nil {
		return nil, nil, tellErrors(o.Err, found)
	}
	return policy, append(found, analyze.Run(policy, analyze.Options{}).Diagnostics...), nil
}

// lacking are the findings of a that b does not have, wherever they stand.
func lacking(a, b dsl.Diagnostics) dsl.Diagnostics {
	have := map[string]int{}
	for _, d := range b {
		have[d.ID+d.Detail]++
	}
	out := dsl.Diagnostics{}
	for _, d := range a {
		if have[d.ID+d.Detail]--; have[d.ID+d.Detail] < 0 {
			out = append(out, d)
		}
	}
	return out
}

func (c change) write(w io.Writer, policy string) error {
	if len(c.Blocks) == 0 {
		fmt.Fprintln(w, "The text says the same.")
	}
	for _, b := range c.Blocks {
		fmt.Fprintf(w, "%s %s\n", map[string]string{"added": "+", "removed": "-", "changed": "~", "moved": ">"}[b.Kind], b.Block)
		for _, p := range b.Parts {
			fmt.Fprintf(w, "    %s: %s -> %s\n", p.Name, orNothing(p.Old), orNothing(p.New))
		}
	}
	for title, list := range map[string]dsl.Diagnostics{"New": c.NewFindings, "Gone": c.ClosedFindings} {
		for _, d := range list {
			fmt.Fprintf(w, "%s finding %s: %s: %s\n", title, d.ID, d.Summary, d.Detail)
		}
	}
	fmt.Fprintln(w)
	if len(c.Outcomes) == 0 {
		fmt.Fprintln(w, "No lead was found that fares differently.")
	}
	for _, m := range c.Outcomes {
		fmt.Fprintf(w, "%s\n    was %s\n    now %s\n", m.Lead, outcomeWords(m.Old), outcomeWords(m.New))
	}
	if m := c.Recorded; m != nil {
		fmt.Fprintf(w, "\n%s of %s would fare differently\n", plural(m.Moved, "recorded lead"), plural(m.Leads, "lead"))
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(t, "FROM\tTO\tLEADS")
		for _, cell := range m.Cells {
			fmt.Fprintf(t, "%s\t%s\t%d\n", cell.From, cell.To, cell.Leads)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if m.Broken > 0 {
			fmt.Fprintf(w, "%s could not be read\n", plural(m.Broken, "line"))
		}
	}
	_, err := fmt.Fprintf(w, "\nplan hash %s: from %s to %s (%s)\n", c.Hash, c.Old, c.New, policy)
	return err
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

func outcomeWords(o plandiff.Outcome) string {
	switch {
	case o.Rejected:
		return "rejected at the door"
	case o.Rule == "":
		return "no rule: dead letters, priority " + o.Priority
	}
	parts := []string{o.Targets, "by " + o.Rule, "priority " + o.Priority}
	if o.Territory != "" {
		parts = append(parts, "territory "+o.Territory)
	}
	return strings.Join(parts, ", ")
}
