package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/processors/deadletter"
)

type deadLettersOptions struct {
	API         apiOptions
	Kind        string
	Destination string
	Since       string
	Limit       int
	Replayed    bool
	Payload     bool
	All         bool
	JSON        bool
	IDs         []string
	Out, Err    io.Writer
	Now         func() time.Time
}

func newDeadLetters() *cobra.Command {
	opts := deadLettersOptions{Now: time.Now}
	cmd := &cobra.Command{
		Use:   "dead-letters",
		Short: "See what was given up, and why, and send it back",
		Long: `A lead, a delivery or a message that cannot be handled is given up with a reason and kept.
When the cause is gone, replay it: a delivery is tried again, a lead is decided again, a
message goes back to where it came from, and a channel is told by the way that failed. Replaying twice does no harm.`,
	}
	opts.API.bind(cmd)
	filter := func(c *cobra.Command) {
		c.Flags().StringVar(&opts.Kind, "kind", "", "only of this kind: delivery, lead, message or notification")
		c.Flags().StringVar(&opts.Destination, "destination", "", "only of this destination")
		c.Flags().StringVar(&opts.Since, "since", "", "only since then: a span such as 2h, or a time such as 2026-01-31T12:00:00Z")
	}
	sub := func(c *cobra.Command, run func(context.Context, deadLettersOptions) error) *cobra.Command {
		c.RunE = func(c *cobra.Command, args []string) error {
			opts.IDs, opts.Out, opts.Err = args, c.OutOrStdout(), c.ErrOrStderr()
			return run(c.Context(), opts)
		}
		cmd.AddCommand(c)
		return c
	}

	list := sub(&cobra.Command{
		Use: "list", Short: "List the dead letters, newest first", Args: cobra.NoArgs,
		Example: "  leadroute dead-letters list --destination crm --since 1h",
	}, listDeadLetters)
	filter(list)
	list.Flags().IntVar(&opts.Limit, "limit", deadletter.DefaultLimit, "at most so many")
	list.Flags().BoolVar(&opts.Replayed, "replayed", false, "also those that were replayed")
	list.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")

	show := sub(&cobra.Command{
		Use: "show ID", Short: "Show one dead letter; what the lead says is withheld unless asked for", Args: cobra.ExactArgs(1),
		Example: "  leadroute dead-letters show 4f1c/1/crm --payload",
	}, showDeadLetter)
	show.Flags().BoolVar(&opts.Payload, "payload", false, "show the payload itself, personal data included")

	replay := sub(&cobra.Command{
		Use: "replay [ID...]", Short: "Send dead letters back",
		Example: "  leadroute dead-letters replay 4f1c/1/crm\n  leadroute dead-letters replay --all --destination crm --since 1h",
	}, replayDeadLetters)
	filter(replay)
	replay.Flags().BoolVar(&opts.All, "all", false, "all that the filters choose, instead of IDs")
	return cmd
}

// query is the filter as the API takes it.
func (o *deadLettersOptions) query() (url.Values, error) {
	q := url.Values{}
	for name, v := range map[string]string{"kind": o.Kind, "destination": o.Destination} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if o.Since != "" {
		at, err := time.Parse(time.RFC3339, o.Since)
		if span, serr := time.ParseDuration(o.Since); serr == nil {
			at, err = o.Now().Add(-span), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--since %q is neither a span such as 2h nor a time such as 2026-01-31T12:00:00Z", o.Since)
		}
		q.Set("since", at.UTC().Format(time.RFC3339))
	}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Replayed {
		q.Set("replayed", "true")
	}
	return q, nil
}

func listDeadLetters(ctx context.Context, opts deadLettersOptions) error {
	q, err := opts.query()
	if err != nil {
		return err
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var page deadletter.Page
	if err := api.Do(ctx, http.MethodGet, "/v1/dead-letters?"+q.Encode(), nil, &page); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, page)
	}
	if len(page.DeadLetters) == 0 {
		fmt.Fprintln(opts.Err, "no dead letters")
		return nil
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tKIND\tDESTINATION\tCLASS\tATTEMPTS\tREASON\tID")
	for _, d := range page.DeadLetters {
		reason := d.Reason
		if d.ReplayedAt != nil {
			reason += " (replayed)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", d.At.Format(time.RFC3339), d.Kind, dash(string(d.Destination)), dash(string(d.Class)), d.Attempts, reason, d.ID)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if page.More {
		fmt.Fprintln(opts.Err, "there may be more: raise --limit, or narrow with --since, --kind or --destination")
	}
	return nil
}

func showDeadLetter(ctx context.Context, opts deadLettersOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var d deadletter.View
	if err := api.Do(ctx, http.MethodGet, deadLetterPath(opts.IDs[0])+"?payload="+strconv.FormatBool(opts.Payload), nil, &d); err != nil {
		return err
	}
	return printJSON(opts.Out, d)
}

func replayDeadLetters(ctx context.Context, opts deadLettersOptions) error {
	if opts.All == (len(opts.IDs) > 0) {
		return errors.New("say which to replay: their IDs, or --all with filters (see `leadroute dead-letters list`)")
	}
	q, err := opts.query()
	if err != nil {
		return err
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	if !opts.All {
		_, err := replayEach(ctx, api, opts, opts.IDs)
		return err
	}
	q.Set("limit", strconv.Itoa(deadletter.MaxLimit))
	for total := 0; ; {
		var page deadletter.Page
		if err := api.Do(ctx, http.MethodGet, "/v1/dead-letters?"+q.Encode(), nil, &page); err != nil {
			return err
		}
		ids := make([]string, len(page.DeadLetters))
		for i := range page.DeadLetters {
			ids[i] = page.DeadLetters[i].ID
		}
		n, err := replayEach(ctx, api, opts, ids)
		total += n
		if err != nil {
			return err
		}
		if !page.More || n == 0 { // what was replayed is not listed again
			fmt.Fprintf(opts.Err, "%d replayed\n", total)
			return nil
		}
	}
}

// replayEach replays the letters, says which cannot be, and goes on.
func replayEach(ctx context.Context, api *apiclient.Client, opts deadLettersOptions, ids []string) (replayed int, err error) {
	for _, id := range ids {
		err := api.Do(ctx, http.MethodPost, deadLetterPath(id)+"/replay", nil, nil)
		var p *apiclient.ProblemError
		switch {
		case err == nil:
			replayed++
			fmt.Fprintln(opts.Out, "replayed", id)
		case errors.As(err, &p) && (p.Status == http.StatusConflict || p.Status == http.StatusNotFound):
			fmt.Fprintf(opts.Err, "not replayed: %s\n", err)
		default:
			return replayed, err
		}
	}
	if replayed < len(ids) {
		return replayed, fmt.Errorf("%d of %d were not replayed", len(ids)-replayed, len(ids))
	}
	return replayed, nil
}

func deadLetterPath(id string) string { return "/v1/dead-letters/" + url.PathEscape(id) }

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
