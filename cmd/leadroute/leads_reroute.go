package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/views"
)

type rerouteOptions struct {
	API      *apiOptions
	Where    string
	To       string
	Plan     string
	Reason   string
	Max      int
	DryRun   bool
	Yes      bool
	JSON     bool
	In       io.Reader
	Out, Err io.Writer
}

// rerouted is what a reroute did, for programs.
type rerouted struct {
	views.Moves
	Sent int `json:"sent"` // asked to move
}

func newLeadsReroute(api *apiOptions) *cobra.Command {
	opts := rerouteOptions{API: api}
	cmd := &cobra.Command{
		Use:   "reroute --where CONDITION",
		Short: "Move open leads: decided anew by the policy in force, or to a pool, queue or rep",
		Long: `Move open leads: decided anew by the policy in force, or to a pool, queue or rep.

CONDITION is one of the policy language. It reads the lead (lead.region, lead.priority, lead.territory) and how it
stands: route.rule, route.phase (asking, offering, waiting, confirming, owned), route.owner, route.pool, route.queue,
route.revision, route.age and route.waited (compared with "2h"), route.held, route.late. What is missing is undecided,
as in a rule.

First it shows what would move from where to where, the oldest leads first, and moves nothing; then it asks, or
moves at once with --yes. A lead that stays where it is by its rule, one that is held, and one that the policy in
force gives to nobody are left alone and counted. Each lead is moved as it was shown: one that has moved on since
stays, so that the same may be asked twice. Who asked and why is an event of each lead.`,
		Example: `  leadroute leads reroute --where 'route.queue == queue.backlog && lead.region == "EMEA"' --dry-run
  leadroute leads reroute --where 'route.owner == "ben" && route.age > "1h"' --to pool.emea --reason 'ben is ill' --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.In, opts.Out, opts.Err = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return reroute(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Where, "where", "", "which leads, a condition of the policy language")
	f.StringVar(&opts.To, "to", "", "where they go, `pool.x`, queue.x or rep.x; left out, as the policy in force decides")
	f.StringVar(&opts.Plan, "plan", "current", "which policy decides them: current, the one in force")
	f.StringVar(&opts.Reason, "reason", "reroute", "why, in a few words; they are kept with each lead")
	f.IntVar(&opts.Max, "max", 1000, "how many are moved at most, up to 10000; how many are left is told")
	f.BoolVar(&opts.DryRun, "dry-run", false, "only show what would move")
	f.BoolVar(&opts.Yes, "yes", false, "move them without asking")
	f.BoolVar(&opts.JSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagRequired("where") // it is there
	return cmd
}

func reroute(ctx context.Context, opts rerouteOptions) error {
	switch {
	case opts.Plan != "current":
		return fmt.Errorf("--plan %q: leads are decided by the policy in force, which is --plan current; to try another one, see leadroute plan and backtest", opts.Plan)
	case opts.Max < 1:
		return errors.New("--max is at least 1")
	case opts.DryRun && opts.Yes:
		return errors.New("--dry-run moves nothing and --yes moves at once: give one of them")
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var found views.Moves
	ask := views.Reroute{Where: opts.Where, To: opts.To, Max: opts.Max}
	if err := api.Do(ctx, http.MethodPost, "/v1/leads/reroute/preview", &ask, &found); err != nil {
		return whereIsWrong(err, opts.Err)
	}
	if !opts.JSON {
		if err := writeMoves(opts.Out, &found); err != nil {
			return err
		}
	}
	sent := 0
	switch {
	case len(found.Moves) == 0 || opts.DryRun:
	case opts.Yes || confirmed(opts, len(found.Moves)):
		if sent, err = move(ctx, api, opts, found.Moves); err != nil {
			return fmt.Errorf("%d of %d leads were sent on before: %w; send the same again, nothing moves twice", sent, len(found.Moves), err)
		}
	case !opts.JSON:
		fmt.Fprintln(opts.Err, "nothing was moved: give --yes to move them")
	}
	if opts.JSON {
		return printJSON(opts.Out, rerouted{found, sent})
	}
	if sent > 0 {
		_, err = fmt.Fprintf(opts.Out, "%s sent on; one that has moved since stays\n", many(sent, "lead was", "leads were"))
	}
	return err
}

// whereIsWrong shows what is wrong with the condition, with the caret under it.
func whereIsWrong(err error, out io.Writer) error {
	p, ok := errors.AsType[*apiclient.ProblemError](err)
	if !ok || p.Pointer != "/where" || !strings.Contains(p.Detail, "\n") {
		return err
	}
	fmt.Fprintln(out, strings.TrimRight(p.Detail, "\n"))
	return errors.New("the condition is wrong: nothing was moved")
}

func writeMoves(out io.Writer, found *views.Moves) error {
	if len(found.Moves) > 0 {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "LEAD\tREV\tCLASS\tFROM\tTO\tWHY")
		for _, m := range found.Moves {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", m.Lead, m.Rev, dash(string(m.Class)), m.From, dash(m.To), m.Why)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	said := []string{many(len(found.Moves), "lead would move", "leads would move")}
	for _, rest := range []struct {
		n    int
		what string
	}{
		{found.Left, "more are left beyond --max"},
		{found.Stay, "would stay where they are"},
		{found.Held, "are held"},
		{found.Nobody, "would be nobody's by the policy in force, and stay"},
	} {
		if rest.n > 0 {
			said = append(said, fmt.Sprintf("%d %s", rest.n, rest.what))
		}
	}
	_, err := fmt.Fprintln(out, strings.Join(said, "; "))
	return err
}

// confirmed asks on a terminal; elsewhere nobody has said yes.
func confirmed(opts rerouteOptions, n int) bool {
	f, ok := opts.In.(*os.File)
	if !ok || opts.JSON || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	fmt.Fprintf(opts.Err, "Move %s? [y/N] ", many(n, "lead", "leads"))
	line, _ := bufio.NewReader(opts.In).ReadString('\n')
	line = strings.ToLower(strings.TrimSpace(line))
	return line == "y" || line == "yes"
}

// move sends the leads on in parts, and says how far it is.
func move(ctx context.Context, api *apiclient.Client, opts rerouteOptions, all []views.Move) (sent int, err error) {
	const part = 200
	f, ok := opts.Err.(*os.File)
	bar := progressbar.NewOptions(len(all), progressbar.OptionSetWriter(opts.Err), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(ok && term.IsTerminal(int(f.Fd()))))
	for len(all) > 0 {
		now := all[:min(part, len(all))]
		ask := views.Moving{To: opts.To, Reason: cmp.Or(opts.Reason, "reroute"), Leads: make([]views.Moved, len(now))}
		for i, m := range now {
			ask.Leads[i] = views.Moved{Lead: m.Lead, Rev: m.Rev}
		}
		if err := api.Do(ctx, http.MethodPost, "/v1/leads/reroute", &ask, nil); err != nil {
			return sent, err
		}
		sent += len(now)
		_ = bar.Add(len(now)) // it is for the eye
		all = all[len(now):]
	}
	return sent, bar.Finish()
}

// many is "1 lead" or "3 leads".
func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
