package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
)

type holdOptions struct {
	API    *apiOptions
	ID     string
	Over   bool
	Until  string
	Reason string
	JSON   bool
	Out    io.Writer
	Now    func() time.Time
}

func newLeadsHold(api *apiOptions) *cobra.Command {
	opts := holdOptions{API: api, Now: time.Now}
	cmd := &cobra.Command{
		Use:   "hold ID --reason REASON",
		Short: "Let a lead rest: it is offered to nobody, and no clock moves it",
		Long: `Let a lead rest: it is offered to nobody, no SLA step fires and no wait ends, until it is released or the time
that --until names has come. An owner keeps the lead, and may respond to it or close it. The clocks go on with what was
left of them; deliver_within runs on. Who asked and why is an event of the lead.`,
		Example: "  leadroute leads hold L-4711 --reason 'legal looks at it' --until 2h\n  leadroute leads hold L-4711 --reason holidays --until 2026-12-27T09:00:00+01:00",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.ID, opts.Out = args[0], cmd.OutOrStdout()
			return holdLead(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Reason, "reason", "", "why, in a few words; they are kept with the lead")
	cmd.Flags().StringVar(&opts.Until, "until", "", "when the hold ends by itself: a time (2026-12-27T09:00:00Z) or a span from now (2h); left out, when it is released")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagRequired("reason") // it is there
	return cmd
}

func newLeadsRelease(api *apiOptions) *cobra.Command {
	opts := holdOptions{API: api, Over: true, Now: time.Now}
	cmd := &cobra.Command{
		Use:     "release ID",
		Short:   "Let a lead that is held go on where it was",
		Example: "  leadroute leads release L-4711 --reason 'legal agrees'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.ID, opts.Out = args[0], cmd.OutOrStdout()
			return holdLead(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Reason, "reason", "", "why, in a few words; they are kept with the lead")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

// held is what the door answers: accepted, where the ledger has not agreed yet.
type held struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

func holdLead(ctx context.Context, opts holdOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	ask := map[string]string{"reason": opts.Reason}
	if opts.Until != "" {
		until, err := until(opts.Until, opts.Now())
		if err != nil {
			return err
		}
		ask["until"] = until.UTC().Format(time.RFC3339)
	}
	what := "hold"
	if opts.Over {
		what = "release"
	}
	var done held
	if err := api.Do(ctx, http.MethodPost, "/v1/leads/"+url.PathEscape(opts.ID)+"/"+what, ask, &done); err != nil {
		return err
	}
	switch {
	case opts.JSON:
		return printJSON(opts.Out, done)
	case done.Status == "accepted":
		_, err = fmt.Fprintf(opts.Out, "asked to %s %s; the ledger has not answered yet\n", what, opts.ID)
	case ask["until"] != "":
		_, err = fmt.Fprintf(opts.Out, "%s is %s until %s\n", opts.ID, done.Status, ask["until"])
	default:
		_, err = fmt.Fprintf(opts.Out, "%s is %s\n", opts.ID, done.Status)
	}
	return err
}

// until reads a time, or a span from now.
func until(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if d, err := dsl.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, fmt.Errorf("--until %q is neither a time such as 2026-12-27T09:00:00Z nor a span such as 2h", s)
}
