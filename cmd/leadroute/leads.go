package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/views"
)

func newLeads() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "leads",
		Short: "Send leads to a running router, see what became of one, claim, hold or move them",
	}
	api := &apiOptions{}
	api.bind(cmd)
	cmd.AddCommand(newLeadsPush(api), newLeadsShow(api), newLeadsClaim(api), newLeadsClaimable(api), newLeadsHold(api), newLeadsRelease(api), newLeadsReroute(api))
	return cmd
}

type leadsShowOptions struct {
	API    *apiOptions
	ID     string
	Fields bool
	JSON   bool
	Out    io.Writer
}

func newLeadsShow(api *apiOptions) *cobra.Command {
	opts := leadsShowOptions{API: api}
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show where a lead stands, and every step that it took, with time and reason",
		Long: `Show where a lead stands, and every step that it took.

SINCE is the time from the lead's emit (or, if the sender named none, our receipt) to the step.
What the lead says is withheld unless asked for, as it may be personal.`,
		Example: "  leadroute leads show L-4711\n  leadroute leads show L-4711 --json --fields",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.ID, opts.Out = args[0], cmd.OutOrStdout()
			return showLead(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Fields, "fields", false, "show what the lead says, personal data included")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

func showLead(ctx context.Context, opts leadsShowOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var l views.Lead
	if err := api.Do(ctx, http.MethodGet, "/v1/leads/"+url.PathEscape(opts.ID)+"?fields="+strconv.FormatBool(opts.Fields), nil, &l); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, l)
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "lead\t%s\n", l.ID)
	writeState(w, &l)
	if err := w.Flush(); err != nil {
		return err
	}
	if len(l.Trail) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nTIME\tSINCE\tREV\tSTEP\tREP\tPOOL\tDESTINATION\tATTEMPT\tOUTCOME\tREASON")
	for i := range l.Trail {
		writeStep(w, &l.Trail[i])
	}
	return w.Flush()
}

// writeState writes the lines about where the lead stands.
func writeState(w io.Writer, l *views.Lead) {
	s := l.State
	if s == nil {
		fmt.Fprintf(w, "state\tnot known: %s\n", l.StateNote)
	} else {
		fmt.Fprintf(w, "state\t%s\n", standing(s))
		if s.Class != "" {
			fmt.Fprintf(w, "class\t%s, from %s, by rule %s\n", s.Class, dash(string(s.Source)), dash(s.Rule))
		}
		if s.Deadline > 0 {
			missed := ""
			if s.Breached {
				missed = ", missed"
			}
			fmt.Fprintf(w, "due\t%s%s\n", instant(s.Deadline), missed)
		}
		for i := range s.Destinations {
			fmt.Fprintf(w, "%s\t%s\n", s.Destinations[i].Name, delivery(&s.Destinations[i]))
		}
		if len(s.Fields) > 0 {
			fmt.Fprintf(w, "says\t%s\n", s.Fields)
		}
	}
	if l.TrailNote != "" {
		fmt.Fprintf(w, "trail\tnot whole: %s\n", l.TrailNote)
	}
}

func standing(s *views.LeadState) string {
	var b strings.Builder
	b.WriteString(string(s.Phase))
	switch {
	case s.Owner != "":
		fmt.Fprintf(&b, " by %s", s.Owner)
		if s.Pool != "" {
			fmt.Fprintf(&b, " (pool %s)", s.Pool)
		}
		if s.Phase == ledger.Owned && s.Responded {
			b.WriteString(", who has responded")
		}
	case s.Queue != "":
		fmt.Fprintf(&b, " in queue %s since %s", s.Queue, instant(s.QueuedAt))
	}
	if s.OpenIn != "" {
		fmt.Fprintf(&b, ", open to claim in pool %s until %s", s.OpenIn, instant(s.OpenUntil))
	}
	if h := s.Held; h != nil {
		fmt.Fprintf(&b, ", held by %s since %s (%s)", h.By, instant(h.Since), h.Reason)
		if h.Until > 0 {
			fmt.Fprintf(&b, " until %s", instant(h.Until))
		}
	}
	fmt.Fprintf(&b, ", revision %d", s.Rev)
	if s.DoneAt > 0 {
		fmt.Fprintf(&b, ", since %s", instant(s.DoneAt))
	}
	return b.String()
}

func delivery(d *views.Destination) string {
	word := "nothing sent"
	switch {
	case d.Dead:
		word = "given up"
	case d.InFlight:
		word = "in flight"
	case d.RetryAt > 0:
		word = "failed, next one at " + instant(d.RetryAt)
	case d.Acknowledged >= d.Rev && d.Acknowledged > 0:
		word = "acknowledged"
	}
	if d.Attempt == 0 {
		return word
	}
	out := fmt.Sprintf("revision %d, attempt %d of %d %s", d.Rev, d.Attempt, d.Limit, word)
	if d.Acknowledged > 0 && d.Acknowledged < d.Rev {
		out += fmt.Sprintf("; has revision %d", d.Acknowledged)
	}
	return out
}

func writeStep(w io.Writer, e *leadroute.LatencyEvent) {
	pool, attempt := dash(string(e.Pool)), "-"
	if e.Pool == "" && e.Queue != "" {
		pool = "queue " + string(e.Queue)
	}
	if e.Attempt > 0 {
		attempt = strconv.Itoa(e.Attempt)
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", instant(e.At), time.Duration(e.SinceEmit)*time.Millisecond, e.Rev, e.Step,
		dash(string(e.Rep)), pool, dash(string(e.Destination)), attempt, dash(e.Outcome), dash(e.Reason))
}

// instant writes a time in UTC with its milliseconds.
func instant(m leadroute.Millis) string {
	if m == 0 {
		return "-"
	}
	return m.Time().Format("2006-01-02T15:04:05.000Z")
}
