package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/graph"
)

type graphOptions struct {
	Policies  []string
	Format    string
	Topology  bool
	Namespace string
	JSON      bool
	File      string
	Out, Err  io.Writer
}

func newGraph() *cobra.Command {
	var opts graphOptions
	cmd := &cobra.Command{
		Use:   "graph POLICY",
		Short: "Draw a policy: rules, pools, queues and SLA steps",
		Long: `Draw a policy: the priorities and rules in the order in which they are asked, the pools,
reps and queues that each rule tries (the numbers on the arrows are their order), how
queues drain and what SLA steps do (dashed). The rows of a table are one box.

With --topology, draw what the policy compiles to: topics, processors and their tables.

svg is a picture for a browser, mermaid is for Markdown pages, dot is for Graphviz.`,
		Example: "  leadroute graph examples/demo.hcl --out policy.svg\n  leadroute graph examples/demo.hcl --format mermaid --topology",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Policies, opts.Out, opts.Err = args, cmd.OutOrStdout(), cmd.ErrOrStderr()
			return drawPolicy(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Format, "format", "svg", "svg, mermaid or dot")
	cmd.Flags().BoolVar(&opts.Topology, "topology", false, "draw the compiled topics and processors")
	cmd.Flags().StringVar(&opts.Namespace, "namespace", "", "prefix of the topics that --topology names (default leadroute)")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print the nodes and arrows as one JSON object")
	cmd.Flags().StringVarP(&opts.File, "out", "o", "", "write to this file instead of standard output")
	return cmd
}

func drawPolicy(ctx context.Context, opts graphOptions) (err error) {
	policy, err := loadPlan(opts.Err, opts.Policies...)
	if err != nil {
		return err
	}
	g := graph.Policy(policy.Plan)
	if opts.Topology {
		g = graph.Topology(policy.Plan, leadroute.Namespace(opts.Namespace))
	}
	out := opts.Out
	if opts.File != "" {
		f, err := os.Create(opts.File)
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		defer func() {
			if closed := f.Close(); err == nil {
				err = closed
			}
		}()
		out = f
	}
	switch {
	case opts.JSON:
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(g)
	case opts.Format == "svg":
		return g.WriteSVG(ctx, out)
	case opts.Format == "mermaid":
		return g.WriteMermaid(out)
	case opts.Format == "dot":
		return g.WriteDOT(out)
	default:
		return fmt.Errorf("--format %s: write svg, mermaid or dot", opts.Format)
	}
}
