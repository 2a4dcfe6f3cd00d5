package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/sink"
)

type slaOptions struct {
	ClickHouse string // address; empty: that of the process which runs on Data
	Data       string
	Since      time.Duration
	Bucket     time.Duration
	JSON       bool
	Out        io.Writer
	Now        func() time.Time
}

func newSLA() *cobra.Command {
	opts := slaOptions{Now: time.Now}
	cmd := &cobra.Command{
		Use:   "sla",
		Short: "Show how fast leads reach the CRM, and which came too late",
		Long: `Show, per class and hour of receipt, the latency from the sender's emit to the CRM's first
acknowledgement, and how many leads kept their SLA. A lead that was not acknowledged when its
SLA ran out is a breach, whether or not it was delivered later; one that may still make it is open.`,
		Example: "  leadroute sla --since 6h --bucket 15m\n  leadroute sla --json --clickhouse clickhouse://ana:PASSWORD@ch.example.com:9000/leadroute",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Out = cmd.OutOrStdout()
			return runSLA(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.ClickHouse, "clickhouse", "", "address of ClickHouse (default: that of the running leadroute)")
	f.StringVar(&opts.Data, "data", "", "data folder of the running leadroute (default $"+apiclient.DataEnv+", else "+apiclient.DefaultDataDir+")")
	f.DurationVar(&opts.Since, "since", 24*time.Hour, "leads received since so long ago")
	f.DurationVar(&opts.Bucket, "bucket", time.Hour, "width of a row in time, whole seconds")
	f.BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

// slaReport is what --json prints.
type slaReport struct {
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to"`
	BucketSeconds int64         `json:"bucket_s"`
	Classes       []sink.SLARow `json:"classes"` // over the whole span
	Buckets       []sink.SLARow `json:"buckets"`
}

func runSLA(ctx context.Context, opts slaOptions) error {
	if opts.Since <= 0 || opts.Bucket < time.Second || opts.Bucket%time.Second != 0 {
		return fmt.Errorf("--since %v and --bucket %v: write spans such as 24h, the bucket in whole seconds", opts.Since, opts.Bucket)
	}
	address, err := opts.address()
	if err != nil {
		return err
	}
	db, err := sink.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer db.Close()
	to := opts.Now().UTC()
	r := slaReport{From: to.Add(-opts.Since), To: to, BucketSeconds: int64(opts.Bucket / time.Second)}
	if r.Classes, err = db.SLA(ctx, r.From, r.To, 0); err != nil {
		return err
	}
	if r.Buckets, err = db.SLA(ctx, r.From, r.To, opts.Bucket); err != nil {
		return err
	}
	if opts.JSON {
		return json.NewEncoder(opts.Out).Encode(r)
	}
	return r.print(opts.Out)
}

// address is the one given, else that of the running process.
func (o *slaOptions) address() (sink.Address, error) {
	if o.ClickHouse != "" {
		return sink.ParseAddress(o.ClickHouse)
	}
	run, err := apiclient.ReadRun(apiclient.DataDir(o.Data))
	if err != nil {
		return sink.Address{}, err
	}
	if run.ClickHouse == "" {
		return sink.Address{}, errors.New("the running leadroute names no ClickHouse: name it with --clickhouse ADDRESS")
	}
	return sink.ParseAddress(run.ClickHouse)
}

// print writes the table: the classes over the whole span, then each bucket.
func (r *slaReport) print(out io.Writer) error {
	if len(r.Classes) == 0 {
		_, err := fmt.Fprintf(out, "no leads received since %s\n", r.From.Format(time.DateTime+" MST"))
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "CLASS\tRECEIVED (UTC)\tLEADS\tDELIVERED\tP50\tP95\tP99\tCOMPLIANCE\tBREACHES\tDEAD\tOPEN\t")
	for _, row := range r.Classes {
		printSLA(w, row, "all")
	}
	for _, row := range r.Buckets {
		printSLA(w, row, row.From.UTC().Format("2006-01-02 15:04:05"))
	}
	return w.Flush()
}

func printSLA(w io.Writer, r sink.SLARow, when string) {
	p50, p95, p99, compliance := "-", "-", "-", "-"
	if r.Delivered > 0 {
		p50, p95, p99 = latency(r.P50), latency(r.P95), latency(r.P99)
	}
	if r.Compliance != nil {
		compliance = strconv.FormatFloat(*r.Compliance, 'f', 2, 64) + " %"
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t\n",
		r.Class, when, r.Leads, r.Delivered, p50, p95, p99, compliance, r.Breaches, r.DeadLettered, r.Open)
}

// latency writes milliseconds for people.
func latency(ms float64) string {
	switch {
	case ms < 1000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	case ms < 120_000:
		return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
	}
	return strconv.FormatFloat(ms/60_000, 'f', 1, 64) + " min"
}
