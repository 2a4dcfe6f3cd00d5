package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/views"
)

type queuesOptions struct {
	API  *apiOptions
	Name string
	JSON bool
	Out  io.Writer
}

func newQueues() *cobra.Command {
	opts := queuesOptions{API: &apiOptions{}}
	cmd := &cobra.Command{
		Use:   "queues",
		Short: "See the queues of a running router: who waits, for how long, who is next",
		Long: `See the queues of a running router.

OLDEST is how long the lead has waited that has waited longest, NEXT the lead that is offered first by the queue's
order. Where nothing stands under DRAINS TO, each lead is offered to the targets of its own rule. All figures are a
few seconds old.`,
		Example: "  leadroute queues\n  leadroute queues show backlog --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Out = cmd.OutOrStdout()
			return listQueues(cmd.Context(), opts)
		},
	}
	show := &cobra.Command{
		Use: "show NAME", Short: "Show one queue, with the leads that are offered first", Args: cobra.ExactArgs(1),
		Example: "  leadroute queues show backlog",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Name, opts.Out = args[0], cmd.OutOrStdout()
			return showQueue(cmd.Context(), opts)
		},
	}
	opts.API.bind(cmd)
	cmd.PersistentFlags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	cmd.AddCommand(show)
	return cmd
}

func listQueues(ctx context.Context, opts queuesOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var all views.Queues
	if err := api.Do(ctx, http.MethodGet, "/v1/queues", nil, &all); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, all)
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "QUEUE\tWAITING\tOLDEST\tNEXT\tORDER\tDRAINS TO\tALERT")
	for i := range all.Queues {
		q := &all.Queues[i]
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", queueName(q), q.Waiting, oldest(q), next(q), dash(string(q.Order)), dash(drains(q)), queueAlert(q))
	}
	return w.Flush()
}

func showQueue(ctx context.Context, opts queuesOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var q views.Queue
	if err := api.Do(ctx, http.MethodGet, "/v1/queues/"+url.PathEscape(opts.Name), nil, &q); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, q)
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "queue\t%s\n", queueName(&q))
	if q.Description != "" {
		fmt.Fprintf(w, "for\t%s\n", q.Description)
	}
	fmt.Fprintf(w, "waiting\t%d\n", q.Waiting)
	if q.Oldest != nil {
		fmt.Fprintf(w, "oldest\t%s, for %s\n", q.Oldest.Lead, oldest(&q))
	}
	if !q.Gone {
		fmt.Fprintf(w, "order\t%s\ndrains to\t%s\n", q.Order, cmp.Or(drains(&q), "the targets of each lead's rule"))
		if q.MaxWait != "" {
			then := "it stays"
			if q.Then != nil {
				then = dsl.TargetName(*q.Then)
			}
			fmt.Fprintf(w, "after\t%s: %s\n", q.MaxWait, then)
		}
		if q.CRMID != "" {
			fmt.Fprintf(w, "in the CRM\t%s\n", q.CRMID)
		}
		fmt.Fprintf(w, "alert\t%s\n", queueAlert(&q))
	}
	if err := w.Flush(); err != nil || len(q.Heads) == 0 {
		return err
	}
	fmt.Fprintln(w, "\nFIRST OF A PARTITION\tDEADLINE")
	for _, h := range q.Heads {
		fmt.Fprintf(w, "%s\t%s\n", h.Lead, instant(h.Deadline))
	}
	return w.Flush()
}

func queueName(q *views.Queue) string {
	if q.Gone {
		return string(q.Name) + " (of a policy before)"
	}
	return string(q.Name)
}

// oldest is how long the oldest lead has waited, in whole seconds.
func oldest(q *views.Queue) string {
	if q.Oldest == nil {
		return "-"
	}
	return max(0, time.Since(q.Oldest.Since.Time())).Truncate(time.Second).String()
}

func next(q *views.Queue) string {
	if q.Next == nil {
		return "-"
	}
	return string(q.Next.Lead)
}

func drains(q *views.Queue) string {
	names := make([]string, len(q.DrainTo))
	for i, p := range q.DrainTo {
		names[i] = string(p)
	}
	return strings.Join(names, ", ")
}

func queueAlert(q *views.Queue) string {
	switch {
	case q.Alert == nil:
		return "-"
	case q.Alert.Standing:
		return fmt.Sprintf("told %s at %s", strings.Join(q.Alert.Channels, ", "), instant(q.Alert.ToldAt))
	}
	return "after " + q.Alert.After
}
