package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/backtest"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/sink"
)

type backtestOptions struct {
	Policy   string
	Leads    string
	Against  string
	Reps     string
	Since    span
	Log      slaOptions // where the decision log is
	Handle   span
	Respond  span
	Claim    span
	JSON     bool
	In       io.Reader
	Out, Err io.Writer
	Now      time.Time
}

func newBacktest() *cobra.Command {
	opts := backtestOptions{Handle: span(2 * time.Hour), Claim: span(30 * time.Second)}
	cmd := &cobra.Command{
		Use:   "backtest POLICY --leads FILE | backtest POLICY --since 30d",
		Short: "Say what a policy would have made of the leads of before",
		Long: `Play recorded leads through a policy on a virtual clock, by the decisions that run: the plan's,
the ledger's, the pools' and the reps'. Nothing is written. Told are the leads that would
have gone elsewhere, ten of them explained; those that nobody would have taken, or too late;
the load of each rep, and how even it is.

The leads are those of the decision log (--since, of the running router or of --clickhouse),
or of a file: a JSON object a line, with received_at and, where they are known, the rule that
took the lead then, the rep it was assigned_to and when (assigned_at). What was before is that rule, or what the
policy --against decides.

The reps are the policy's own and those of --reps, a file as reps import takes it, all of
them there in their hours. A rep keeps a lead for --handle, and responds after --respond; the
CRM acknowledges at once. A lead that is open to claim is claimed by the rep it was assigned_to,
at the time of then where that is known; else by one of the pool that is drawn by the lead's
id, after --claim on average.`,
		Example: "  leadroute backtest examples/simple-team.hcl --leads leads.ndjson\n" +
			"  leadroute backtest new.hcl --since 30d --reps reps.csv\n" +
			"  leadroute backtest new.hcl --leads leads.ndjson --against old.hcl --json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Policy, opts.In, opts.Now = args[0], cmd.InOrStdin(), time.Now()
			opts.Out, opts.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return runBacktest(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Leads, "leads", "", "file with recorded leads; - is standard input")
	f.Var(&opts.Since, "since", "the leads of the decision log that were received since so long, such as 30d")
	f.StringVar(&opts.Log.ClickHouse, "clickhouse", os.Getenv("LEADROUTE_CLICKHOUSE"), "with --since, clickhouse://USER:PASSWORD@HOST:PORT/DATABASE (env LEADROUTE_CLICKHOUSE)")
	f.StringVar(&opts.Log.Data, "data", "", "with --since, data folder of the running leadroute")
	f.StringVar(&opts.Against, "against", "", "the policy of before, to compare with")
	f.StringVar(&opts.Reps, "reps", "", "file with the reps of the live table, as reps import takes it")
	f.Var(&opts.Handle, "handle", "how long a rep keeps a lead, in the rep's hours")
	f.Var(&opts.Respond, "respond", "how long a rep takes to respond, such as 10m")
	f.Var(&opts.Claim, "claim", "how long it takes on average until somebody claims a lead that is open to claim")
	f.BoolVar(&opts.JSON, "json", false, "print one JSON object")
	cmd.MarkFlagsMutuallyExclusive("leads", "since")
	cmd.MarkFlagsOneRequired("leads", "since")
	return cmd
}

func runBacktest(ctx context.Context, opts backtestOptions) error {
	o, err := played(opts.Policy, opts.Reps, opts.In, opts.Err)
	if err != nil {
		return err
	}
	o.Handle, o.Respond, o.Claim = time.Duration(opts.Handle), time.Duration(opts.Respond), time.Duration(opts.Claim)
	if opts.Against != "" {
		against, err := loadPlan(opts.Err, opts.Against)
		if err != nil {
			return err
		}
		o.Against = against.Plan
	}
	src, total, closeSrc, err := opts.source(ctx)
	if err != nil {
		return err
	}
	defer closeSrc()
	bar := newLeadBar(opts.Err, "playing", total)
	o.Progress = func(done int) { _ = bar.Set(done) } // a bar that cannot be drawn stops nothing
	report, err := backtest.Run(ctx, o, src)
	_ = bar.Finish()
	if err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, report)
	}
	return writeBacktest(opts.Out, o.Plan, report)
}

// source is where the leads come from, and how many there are: -1 where that is not known.
func (o *backtestOptions) source(ctx context.Context) (backtest.Source, int, func(), error) {
	if o.Leads != "" {
		in, closeIn, err := openIn(o.Leads, o.In)
		if err != nil {
			return nil, 0, nil, err
		}
		return backtest.Lines(newLeadReader(in, o.Leads).next), -1, closeIn, nil
	}
	return decisionLog(ctx, &o.Log, o.Now.Add(-time.Duration(o.Since)), o.Now)
}

// decisionLog reads the leads that were received in [from, to), and says how many there are.
func decisionLog(ctx context.Context, where *slaOptions, from, to time.Time) (backtest.Source, int, func(), error) {
	address, err := where.address()
	if err != nil {
		return nil, 0, nil, err
	}
	db, err := sink.Connect(ctx, address)
	if err != nil {
		return nil, 0, nil, err
	}
	n, err := db.CountRecorded(ctx, from, to)
	if err == nil && n == 0 {
		err = fmt.Errorf("the decision log holds no lead that was received since %s", from.UTC().Format(time.DateTime+" MST"))
	}
	if err != nil {
		return nil, 0, nil, errors.Join(err, db.Close())
	}
	next, stop := iter.Pull2(db.Recorded(ctx, from, to))
	return &logSource{next}, int(n), func() { stop(); _ = db.Close() }, nil //nolint:gosec // a count
}

// logSource reads the decision log.
type logSource struct {
	next func() (leadroute.LatencyEvent, error, bool)
}

func (s *logSource) Next() (backtest.Lead, error) {
	e, err, ok := s.next()
	switch {
	case !ok:
		return backtest.Lead{}, io.EOF
	case err != nil:
		return backtest.Lead{}, err
	}
	return backtest.Logged(&e)
}

// played is a policy with its reps and those of a file.
func played(policyFile, repsFile string, in io.Reader, errOut io.Writer) (backtest.Options, error) {
	policy, err := loadPlan(errOut, policyFile)
	if err != nil {
		return backtest.Options{}, err
	}
	o := backtest.Options{Plan: policy.Plan}
	if repsFile != "" {
		table := intake.Reps(intake.KnownOf(policy.Plan))
		if _, o.Reps, err = readRows(importOptions{File: repsFile, In: in, Err: errOut}, table); err != nil {
			return o, fmt.Errorf("--reps: %w", err)
		}
	}
	if len(policy.Plan.Reps)+len(o.Reps) == 0 {
		return o, errors.New("there is nobody to take a lead: the policy has no reps of its own, so give --reps FILE, as reps import takes it")
	}
	return o, nil
}

// newLeadBar shows progress in leads on a terminal, and nothing elsewhere. total is -1
// where it is not known.
func newLeadBar(out io.Writer, what string, total int) *progressbar.ProgressBar {
	f, ok := out.(*os.File)
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetVisibility(ok && term.IsTerminal(int(f.Fd()))),
		progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("leads"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

func writeBacktest(w io.Writer, p *plan.Plan, r *backtest.Report) error {
	fmt.Fprintf(w, "%s received from %s to %s\n", plural(r.Leads, "lead"), when(r.From), when(r.Until))
	if m := r.Moved; m != nil {
		fmt.Fprintf(w, "%d of %d would have gone elsewhere (%s)\n", m.Moved, m.Compared, percent(m.Moved, m.Compared))
		writeMovedWays(w, m.Ways)
	} else {
		fmt.Fprintln(w, "what became of them is not on record: give --against the policy of before, to see which leads move")
	}
	if err := writeReport(w, r); err != nil {
		return err
	}
	if r.Moved == nil {
		return nil
	}
	for _, e := range r.Moved.Examples {
		fmt.Fprintf(w, "\n---- lead %s: was %s, would be %s\n", e.ID, e.From, e.To)
		x := explained{way: &way{Explanation: e.Explanation, Nearest: e.Nearest}}
		if len(e.Decision.Targets) > 0 {
			x.Target = dsl.TargetName(e.Decision.Targets[0])
		}
		writeExplanation(w, p, x)
	}
	return nil
}

// mostWays is how many ways of moved leads are told to people.
const mostWays = 20

func writeMovedWays(w io.Writer, ways []backtest.Way) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, way := range ways[:min(len(ways), mostWays)] {
		fmt.Fprintf(t, "  %d\t%s\t-> %s\n", way.Leads, way.From, way.To)
	}
	_ = t.Flush()
	if more := len(ways) - mostWays; more > 0 {
		fmt.Fprintf(w, "  and %d more ways (--json lists all)\n", more)
	}
}

// writeReport tells how a run went.
func writeReport(out io.Writer, r *backtest.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w)
	line := func(n int, what, why string) {
		if n > 0 {
			fmt.Fprintf(w, "%s\t%d\t%s\n", what, n, why)
		}
	}
	fmt.Fprintf(w, "assigned at once\t%d\n", r.AtOnce)
	fmt.Fprintf(w, "assigned after a wait\t%d\n", r.Waited)
	fmt.Fprintf(w, "unassigned\t%d\n", r.Unassigned)
	line(r.NoRule, "no rule takes them", "")
	line(r.Reassigned, "taken from a rep who did not respond", "")
	fmt.Fprintf(w, "SLA missed\t%d\t%s\n", r.SLAMissed, percent(r.SLAMissed, r.AtOnce+r.Waited+r.Unassigned))
	line(r.Unreadable, "not read", r.UnreadableWhy)
	line(r.Refused, "refused at the door", r.RefusedWhy)
	line(r.Duplicates, "duplicates", "")
	line(r.Dropped, "dropped or merged", "of people who came before")
	fmt.Fprintln(w, "\nPRIORITY\tLEADS\tASSIGNED\tSLA\tMISSED\tWAIT P50\tP95\tP99")
	for _, c := range r.Classes {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%s\t%s\t%s\n", c.Class, c.Leads, c.Assigned, dash(spanOf(c.Within)), c.Missed, waited(c.P50), waited(c.P95), waited(c.P99))
	}
	fmt.Fprintln(w, "\nPOOL\tSTRATEGY\tREPS\tLEADS\tLEAST\tMOST\tSPREAD\tBUSY\tOPEN PER REP")
	for _, p := range r.Pools {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%.1f\n", p.Pool, p.Strategy, p.Members, p.Assigned, p.Least, p.Most,
			strconv.FormatFloat(p.Spread, 'f', 1, 64), share(p.Busy), p.Open)
	}
	fmt.Fprintln(w, "\nREP\tLEADS\tMOST AT ONCE\tBUSY")
	for _, rep := range r.Reps[:min(len(r.Reps), mostReps)] {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", rep.Rep, rep.Assigned, rep.Peak, share(rep.Busy))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if more := len(r.Reps) - mostReps; more > 0 {
		fmt.Fprintf(out, "and %d more (--json lists all)\n", more)
	}
	return nil
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return share(float64(part) / float64(whole))
}

func share(f float64) string { return strconv.FormatFloat(100*f, 'f', 1, 64) + " %" }

func spanOf(ms int64) string {
	if ms == 0 {
		return ""
	}
	return (time.Duration(ms) * time.Millisecond).String()
}

// waited writes a wait for people: at once, seconds, minutes or hours.
func waited(ms int64) string {
	switch d := time.Duration(ms) * time.Millisecond; {
	case ms == 0:
		return "0"
	case d < time.Hour:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Minute).String()
	}
}
