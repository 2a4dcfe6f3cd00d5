package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/internal/backtest"
)

type simulateOptions struct {
	Policy   string
	Rate     string
	For      span
	At       string
	Seed     uint64
	Reps     string
	Handle   span
	Respond  span
	Claim    span
	SVG      string
	JSON     bool
	In       io.Reader
	Out, Err io.Writer
	Now      time.Time
}

func newSimulate() *cobra.Command {
	opts := simulateOptions{Handle: span(2 * time.Hour), Claim: span(30 * time.Second)}
	cmd := &cobra.Command{
		Use:   "simulate POLICY --rate RATE --for SPAN",
		Short: "Say what a staffing bears: synthetic leads on a virtual clock",
		Long: `Let synthetic leads arrive at random, at a mean rate, and play them through the policy on a
virtual clock, by the decisions that run. The leads fill the fields of the policy's schema;
the same --seed makes the same leads. Told are waits, missed SLAs, and how busy the reps are.

The reps are the policy's own and those of --reps, a file as reps import takes it, all of
them there in their hours: change the file to see what another staffing would bear. A rep
keeps a lead for --handle, and responds after --respond; the CRM acknowledges at once.`,
		Example: "  leadroute simulate examples/simple-team.hcl --rate 30/h --for 7d\n" +
			"  leadroute simulate policy.hcl --rate 500/m --for 1d --reps reps.csv --svg floor.svg",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Policy, opts.In, opts.Now = args[0], cmd.InOrStdin(), time.Now()
			opts.Out, opts.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return simulate(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Rate, "rate", "", "how many leads arrive on average: 2/s, 500/m or 30/h")
	f.Var(&opts.For, "for", "how long leads arrive, such as 1d")
	f.StringVar(&opts.At, "at", "", "when the first may arrive, such as 2026-01-14T10:00:00Z; the coming midnight if left out")
	f.Uint64Var(&opts.Seed, "seed", 1, "decides the leads and when they arrive")
	f.StringVar(&opts.Reps, "reps", "", "file with the reps of the live table, as reps import takes it")
	f.Var(&opts.Handle, "handle", "how long a rep keeps a lead, in the rep's hours")
	f.Var(&opts.Respond, "respond", "how long a rep takes to respond, such as 10m")
	f.Var(&opts.Claim, "claim", "how long it takes on average until somebody claims a lead that is open to claim")
	f.StringVar(&opts.SVG, "svg", "", "draw who waits and who is busy over the time into this file")
	f.BoolVar(&opts.JSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagRequired("rate") // they are there
	_ = cmd.MarkFlagRequired("for")
	return cmd
}

func simulate(ctx context.Context, opts simulateOptions) error {
	a := backtest.Arrivals{For: time.Duration(opts.For), Seed: opts.Seed}
	var err error
	if a.Rate, err = dsl.ParseRate(opts.Rate); err != nil {
		return errors.New("--rate: write leads per second, minute or hour: 2/s, 500/m, 30/h")
	}
	o, err := played(opts.Policy, opts.Reps, opts.In, opts.Err)
	if err != nil {
		return err
	}
	y, m, d := opts.Now.In(o.Plan.Zone).Date()
	a.Start = time.Date(y, m, d+1, 0, 0, 0, 0, o.Plan.Zone)
	if opts.At != "" {
		if a.Start, err = time.Parse(time.RFC3339, opts.At); err != nil {
			return fmt.Errorf("--at: write a time such as 2026-01-14T10:00:00Z: %w", err)
		}
	}
	o.Handle, o.Respond, o.Claim = time.Duration(opts.Handle), time.Duration(opts.Respond), time.Duration(opts.Claim)
	bar := newLeadBar(opts.Err, "playing", int(a.Rate*a.For.Seconds()))
	o.Progress = func(done int) { _ = bar.Set(done) } // a bar that cannot be drawn stops nothing
	report, err := backtest.Simulate(ctx, o, a)
	_ = bar.Finish()
	if err != nil {
		return err
	}
	if opts.SVG != "" {
		if err := writeFile(opts.SVG, report.Chart); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
	}
	if opts.JSON {
		return printJSON(opts.Out, report)
	}
	fmt.Fprintf(opts.Out, "%s from %s to %s, seed %d\n", plural(report.Leads, "lead"), when(report.From), when(report.Until), opts.Seed)
	if err := writeReport(opts.Out, report); err != nil {
		return err
	}
	return writeHours(opts.Out, report)
}

// writeHours tells how the floor looked over the time, in some 24 rows at most.
func writeHours(out io.Writer, r *backtest.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nTIME\tWAITING\tREPS BUSY\tON SHIFT")
	step := rowEvery(r.Samples)
	var next time.Time
	for _, s := range r.Samples {
		if s.At.Before(next) {
			continue
		}
		next = s.At.Truncate(step).Add(step)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", when(s.At), s.Waiting, s.Busy, s.OnShift)
	}
	return w.Flush()
}

// rowEvery is a span that people think in.
func rowEvery(samples []backtest.Sample) time.Duration {
	const day = 24 * time.Hour
	if len(samples) == 0 {
		return day
	}
	total := samples[len(samples)-1].At.Sub(samples[0].At)
	for _, d := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day} {
		if total <= 24*d {
			return d
		}
	}
	return (total/24 + day).Truncate(day)
}

// span is a duration on the command line: Go's, and days and weeks.
type span time.Duration

func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

func (*span) Type() string { return "span" }

func (s *span) Set(text string) error {
	d, err := dsl.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("write a span such as 90s, 2h, 30d or 1w")
	}
	*s = span(d)
	return nil
}
