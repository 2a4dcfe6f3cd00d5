package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/views"
)

type repsOptions struct {
	API      *apiOptions
	ID       string
	Status   string
	JSON     bool
	Out, Err io.Writer
}

func newReps() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reps",
		Short: "See and change the reps of a running router",
	}
	opts := repsOptions{API: &apiOptions{}}
	opts.API.bind(cmd)
	sub := func(c *cobra.Command, run func(context.Context, repsOptions) error) *cobra.Command {
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.ID = args[0]
			}
			opts.Out, opts.Err = c.OutOrStdout(), c.ErrOrStderr()
			return run(c.Context(), opts)
		}
		cmd.AddCommand(c)
		return c
	}

	cmd.AddCommand(newImport(opts.API, "/v1/reps", "rep", "profiles of reps",
		`Set the profiles of reps; one who is new takes leads at once. A profile is replaced as a whole, the status and
the leads on the desk stay.

Fields: id, email, crm_id (the owner's id in the CRM), name, team, region, timezone, hours, skills, languages,
weight, started_on (the day from which a pool's ramp counts), and the caps: open (leads at once), per_hour, per_day, per_week.`,
		"  leadroute reps import reps.csv\n  leadroute reps import --dry-run reps.json",
		func() *intake.Table[leadroute.Rep] { return intake.Reps(nil) }))

	list := sub(&cobra.Command{
		Use: "list", Short: "List the reps, with their status and what they hold", Args: cobra.NoArgs,
		Example: "  leadroute reps list",
	}, listReps)
	list.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")

	set := sub(&cobra.Command{
		Use: "set ID --status STATUS", Short: "Set the status of a rep: available, busy, away or off", Args: cobra.ExactArgs(1),
		Long:    "Set the status of a rep. Only one who is available is given leads; those on the desk stay there.",
		Example: "  leadroute reps set ana --status away",
	}, setRep)
	set.Flags().StringVar(&opts.Status, "status", "", "available, busy, away or off")
	_ = set.MarkFlagRequired("status") // it is there

	sub(&cobra.Command{
		Use: "remove ID", Short: "Take a rep off the floor; the leads on the desk move on", Args: cobra.ExactArgs(1),
		Example: "  leadroute reps remove ben",
	}, removeRep)
	return cmd
}

func listReps(ctx context.Context, opts repsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var board views.Board
	if err := api.Do(ctx, http.MethodGet, "/v1/reps", nil, &board); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, board)
	}
	if len(board.Reps) == 0 {
		fmt.Fprintln(opts.Err, "no reps: import some with `leadroute reps import FILE`")
		return nil
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tTEAM\tREGION\tSTATUS\tOPEN\tCAP\tHELD\tWEIGHT")
	for _, r := range board.Reps {
		status := string(r.Status)
		if r.Gone {
			status = "removed"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", r.ID, dash(r.Name), dash(r.Team), dash(r.Region), status,
			r.Open, r.Cap, r.Held, strconv.FormatFloat(r.Weight, 'g', -1, 64))
	}
	return w.Flush()
}

func setRep(ctx context.Context, opts repsOptions) error {
	if !slices.Contains(intake.Statuses, leadroute.RepStatus(opts.Status)) {
		return fmt.Errorf("there is no status %q: give --status available, busy, away or off", opts.Status)
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	err = api.Do(ctx, http.MethodPut, "/v1/reps/"+url.PathEscape(opts.ID)+"/status", map[string]string{"status": opts.Status}, nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s is %s\n", opts.ID, opts.Status)
	return err
}

func removeRep(ctx context.Context, opts repsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	if err := api.Do(ctx, http.MethodDelete, "/v1/reps/"+url.PathEscape(opts.ID), nil, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s is removed; the leads on the desk move on\n", opts.ID)
	return err
}
