package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/views"
)

type leadsClaimOptions struct {
	API  *apiOptions
	ID   string
	Rep  string
	JSON bool
	Out  io.Writer
}

func newLeadsClaim(api *apiOptions) *cobra.Command {
	opts := leadsClaimOptions{API: api}
	cmd := &cobra.Command{
		Use:   "claim ID --rep REP",
		Short: "Claim a lead that is open, for a rep",
		Long: `Claim a lead that is open, for a rep.

A pool with strategy = "claim" offers a lead to all of its reps at once. The first to claim it has
it; to the others the command says who that is, and fails.`,
		Example: "  leadroute leads claim L-4711 --rep ana",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.ID, opts.Out = args[0], cmd.OutOrStdout()
			return claimLead(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Rep, "rep", "", "the rep who claims it")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

func claimLead(ctx context.Context, opts leadsClaimOptions) error {
	if opts.Rep == "" {
		return errors.New("say who claims it: --rep ana")
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var said struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	body := struct {
		Rep string `json:"rep"`
	}{opts.Rep}
	if err := api.Do(ctx, http.MethodPost, "/v1/leads/"+url.PathEscape(opts.ID)+"/claim", body, &said); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, said)
	}
	if said.Status != "claimed" {
		fmt.Fprintf(opts.Out, "the router has the claim and has not answered it yet; see: leadroute leads show %s\n", opts.ID)
		return nil
	}
	fmt.Fprintf(opts.Out, "%s has lead %s\n", opts.Rep, opts.ID)
	return nil
}

type leadsClaimableOptions struct {
	API  *apiOptions
	Rep  string
	JSON bool
	Out  io.Writer
}

func newLeadsClaimable(api *apiOptions) *cobra.Command {
	opts := leadsClaimableOptions{API: api}
	cmd := &cobra.Command{
		Use:   "claimable",
		Short: "List the leads that are open to claim, the most urgent first",
		Long: `List the leads that are open to claim, the most urgent first.

With --rep those in pools of which the rep is a member. What a pool requires for one lead is looked
at when it is claimed.`,
		Example: "  leadroute leads claimable --rep ana\n  leadroute leads claimable --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Out = cmd.OutOrStdout()
			return listClaimable(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Rep, "rep", "", "those that this rep may claim")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

func listClaimable(ctx context.Context, opts leadsClaimableOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var list views.Claimables
	if err := api.Do(ctx, http.MethodGet, "/v1/claimable?rep="+url.QueryEscape(opts.Rep), nil, &list); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, list)
	}
	if len(list.Leads) == 0 {
		fmt.Fprintln(opts.Out, "no lead is open to claim")
		return nil
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LEAD\tPOOL\tOPEN UNTIL\tDUE")
	for _, l := range list.Leads {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.ID, l.Pool, instant(l.OpenUntil), instant(l.Deadline))
	}
	return w.Flush()
}
