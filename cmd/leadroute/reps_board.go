package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/views"
)

type repsBoardOptions struct {
	repsOptions
	Watch bool
	Every time.Duration
	Pool  string
	Team  string
	// Terminal: the table takes the place of the one before.
	Terminal bool
}

func newRepsBoard(api *apiOptions) *cobra.Command {
	var opts repsBoardOptions
	cmd := &cobra.Command{
		Use: "board", Short: "Show who is there, why not, and what they hold, as it changes", Args: cobra.NoArgs,
		Long: `Show each rep: the status, why the rep gets no lead now and until when, places taken of those there are, leads of the
hour, day and week against their caps, when the rep took the last lead, the pools, and until when the shift lasts or when the next
one begins, in the rep's own zone.

On a terminal the table is refreshed in place until Ctrl-C; else it is printed once, or with --watch again and again. --json
prints one object, with --watch one object a line.`,
		Example: "  leadroute reps board\n  leadroute reps board --pool emea --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.on(api, cmd, args)
			if f, ok := opts.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !opts.JSON {
				opts.Terminal = true
				opts.Watch = opts.Watch || !cmd.Flags().Changed("watch")
			}
			return repsBoard(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Watch, "watch", false, "go on until Ctrl-C (on a terminal the default)")
	cmd.Flags().DurationVar(&opts.Every, "every", time.Second, "how often, with --watch")
	cmd.Flags().StringVar(&opts.Pool, "pool", "", "the members of this pool alone")
	cmd.Flags().StringVar(&opts.Team, "team", "", "this team alone")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print JSON")
	return cmd
}

func repsBoard(ctx context.Context, opts repsBoardOptions) error {
	if opts.Every < 100*time.Millisecond {
		return fmt.Errorf("--every %s is too often: give 100ms or more", opts.Every)
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	tick := time.NewTicker(opts.Every)
	defer tick.Stop()
	for first := true; ; first = false {
		var b views.Board
		err := api.Do(ctx, http.MethodGet, "/v1/reps", nil, &b)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was told to stop
		case err != nil && (first || !opts.Watch):
			return err
		case err != nil: // the router may be on its way back
			fmt.Fprintln(opts.Err, err)
		default:
			if err := opts.show(&b, first); err != nil {
				return err
			}
		}
		if !opts.Watch {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (opts *repsBoardOptions) show(b *views.Board, first bool) error {
	b.Reps = slices.DeleteFunc(b.Reps, func(r views.BoardRow) bool {
		return opts.Pool != "" && !slices.Contains(r.Pools, leadroute.PoolID(opts.Pool)) || opts.Team != "" && r.Team != opts.Team
	})
	switch {
	case opts.JSON && opts.Watch:
		return json.NewEncoder(opts.Out).Encode(b)
	case opts.JSON:
		return printJSON(opts.Out, b)
	}
	var table bytes.Buffer
	if err := writeBoard(&table, b); err != nil {
		return err
	}
	if !opts.Terminal {
		_, err := opts.Out.Write(table.Bytes())
		return err
	}
	const clear, home, toLineEnd, toEnd = "\x1b[2J", "\x1b[H", "\x1b[K\n", "\x1b[J"
	start := home
	if first {
		start = clear + home
	}
	_, err := io.WriteString(opts.Out, start+strings.ReplaceAll(table.String(), "\n", toLineEnd)+toEnd)
	return err
}

func writeBoard(out io.Writer, b *views.Board) error {
	there, open, places := 0, 0, 0
	for i := range b.Reps {
		r := &b.Reps[i]
		open += r.Open
		if r.Absent == "" {
			there++
			places += max(r.Cap-r.Open, 0)
		}
	}
	fmt.Fprintf(out, "%s  %s, %d there, %s taken, %d free\n\n", b.At.Time().Format("2006-01-02 15:04:05 UTC"), plural(len(b.Reps), "rep"), there, plural(open, "place"), places)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REP\tSTATUS\tNOW\tOPEN\tHOUR\tDAY\tWEEK\tLAST LEAD\tPOOLS\tSHIFT")
	for i := range b.Reps {
		r := &b.Reps[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, statusWord(r), nowWords(r, b.At), r.Open, r.Cap,
			countWords(r.Hour), countWords(r.Day), countWords(r.Week), lastWords(r.Last, b.At), poolWords(r.Pools), shiftWords(r, b.At))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	head := "\n"
	for i := range b.Reps {
		for _, warning := range b.Reps[i].Warnings {
			fmt.Fprintf(out, "%s%s %s\n", head, b.Reps[i].ID, warning)
			head = ""
		}
	}
	return nil
}

// nowWords say why the rep gets no lead now, and until when.
func nowWords(r *views.BoardRow, now leadroute.Millis) string {
	until := func(at leadroute.Millis) string {
		if at == 0 {
			return ""
		}
		return " " + untilWords(at, now, r.Timezone)
	}
	switch r.Absent {
	case "":
		switch {
		case r.Open >= r.Cap:
			return "full"
		case full(r.Hour):
			return "the hour's cap is reached"
		case full(r.Day):
			return "the day's cap is reached"
		case full(r.Week):
			return "the week's cap is reached"
		}
		return "there"
	case "removed":
		return plural(r.Held, "lead") + " to move on"
	case "leaving":
		return plural(r.Held, "lead") + " to finish"
	case "out_of_office":
		words := "out of office" + until(r.AwayUntil)
		if r.Reason != "" {
			words += ", " + r.Reason
		}
		return words
	case "closed", "off_shift":
		return "off shift" + until(r.AbsentUntil)
	case string(r.Status):
		return cmp.Or(strings.TrimPrefix(until(r.StatusUntil), " "), "-")
	}
	return strings.ReplaceAll(r.Absent, "_", " ") + until(r.AbsentUntil)
}

func full(c *views.Counted) bool { return c != nil && c.Taken >= c.Cap }

func countWords(c *views.Counted) string {
	if c == nil {
		return "-"
	}
	return fmt.Sprintf("%d/%d", c.Taken, c.Cap)
}

func lastWords(last, now leadroute.Millis) string {
	if last == 0 {
		return "-"
	}
	return max(now.Sub(last), 0).Round(time.Second).String() + " ago"
}

func poolWords(pools []leadroute.PoolID) string {
	const most = 3
	names := make([]string, 0, most)
	for i, p := range pools {
		if i == most {
			names = append(names, fmt.Sprintf("+%d", len(pools)-most))
			break
		}
		names = append(names, string(p))
	}
	return dash(strings.Join(names, ","))
}

func shiftWords(r *views.BoardRow, now leadroute.Millis) string {
	switch {
	case r.ShiftEnds > 0:
		return untilWords(r.ShiftEnds, now, r.Timezone)
	case r.NextShift > 0:
		return "from " + wallClock(r.NextShift, now, r.Timezone)
	}
	return "-"
}

// untilWords say the end of a day by the day.
func untilWords(at, now leadroute.Millis, timezone string) string {
	if endsDay(at, timezone) {
		return "through " + wallDay(at-1, now, timezone)
	}
	return "until " + wallClock(at, now, timezone)
}

// wallClock is an instant in the rep's zone: the time alone if it is today, and no date that
// is clear from the day of the week.
func wallClock(at, now leadroute.Millis, timezone string) string {
	zone := zoneOf(timezone)
	if t := at.Time().In(zone); t.Format(time.DateOnly) == now.Time().In(zone).Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return wallDay(at, now, timezone) + at.Time().In(zone).Format(" 15:04")
}

func wallDay(at, now leadroute.Millis, timezone string) string {
	t, n := at.Time().In(zoneOf(timezone)), now.Time().In(zoneOf(timezone))
	const week = 6 * 24 * time.Hour
	switch {
	case t.Sub(n) < week && t.After(n):
		return t.Format("Mon")
	case t.Year() == n.Year():
		return t.Format("Mon 2 Jan")
	}
	return t.Format("Mon 2 Jan 2006")
}

// endsDay tells whether a day ends at the instant, so that people say it by the day.
func endsDay(at leadroute.Millis, timezone string) bool {
	y, m, d := at.Time().In(zoneOf(timezone)).Date()
	return leadroute.At(leadroute.DayStart(y, m, d, zoneOf(timezone))) == at
}

func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
