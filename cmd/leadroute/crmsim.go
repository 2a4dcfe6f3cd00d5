package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/internal/crmsim"
)

// crmSimOptions are those of `leadroute crmsim`.
type crmSimOptions struct {
	Out    io.Writer
	Listen string
	Key    string // signing secret
	Seed   uint64
	Faults crmsim.Faults
	Desk   crmsim.DeskOptions // URL empty: nobody works on the leads
}

func newCRMSim() *cobra.Command {
	o := &crmSimOptions{}
	var latency, latencyMax, respondMin, respondMax, closeMin, closeMax time.Duration
	cmd := &cobra.Command{
		Use:   "crmsim",
		Short: "Run a CRM to deliver to, with reps who work",
		Long: `Run a simulated CRM that takes signed webhooks (Standard Webhooks) at /webhook.

It keeps a record per lead in memory and answers GET /records, /records/ID and /stats.
Given shares of the requests meet trouble; PUT /faults changes them while it runs.
With --api its reps respond to their leads and close them through that API.

The signing secret is taken from --key or from the environment, CRM_WEBHOOK_KEY; the
API key from --api-key or LEADROUTE_API_KEY.`,
		Example: `  CRM_WEBHOOK_KEY=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw leadroute crmsim --listen 127.0.0.1:8090 --fail 0.05 --drop 0.02`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			if o.Key == "" {
				o.Key = os.Getenv("CRM_WEBHOOK_KEY")
			}
			if o.Desk.Key == "" {
				o.Desk.Key = os.Getenv("LEADROUTE_API_KEY")
			}
			o.Faults.LatencyMS, o.Faults.LatencyMaxMS = latency.Seconds()*1000, latencyMax.Seconds()*1000
			o.Desk.Seed = o.Seed
			o.Desk.Respond = crmsim.Span{Min: respondMin, Max: respondMax}
			o.Desk.Close = crmsim.Span{Min: closeMin, Max: closeMax}
			return runCRMSim(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8090", "address to listen on; port 0 takes a free one")
	f.StringVar(&o.Key, "key", "", "signing secret, whsec_...")
	f.Uint64Var(&o.Seed, "seed", 1, "decides which requests meet trouble")
	f.Float64Var(&o.Faults.Throttle, "throttle", 0, "share of requests answered 429")
	f.Float64Var(&o.Faults.Fail, "fail", 0, "share of requests answered 500")
	f.Float64Var(&o.Faults.Hang, "hang", 0, "share of requests committed and then not answered")
	f.Float64Var(&o.Faults.Drop, "drop", 0, "share of requests committed and then disconnected")
	f.IntVar(&o.Faults.RetryAfter, "retry-after", 1, "seconds that a 429 asks to wait; 0: it does not say")
	f.DurationVar(&latency, "latency", 0, "least time that an answer takes")
	f.DurationVar(&latencyMax, "latency-max", 0, "most time that an answer takes")
	f.StringVar(&o.Desk.URL, "api", "", "URL of the leadroute whose leads the reps work on")
	f.StringVar(&o.Desk.Key, "api-key", "", "API key for --api")
	f.DurationVar(&respondMin, "respond-min", 500*time.Millisecond, "least time until a rep responds")
	f.DurationVar(&respondMax, "respond-max", 2*time.Second, "most time until a rep responds")
	f.DurationVar(&closeMin, "close-min", 500*time.Millisecond, "least time from the response until the lead is closed")
	f.DurationVar(&closeMax, "close-max", time.Second, "most time from the response until the lead is closed")
	return cmd
}

// runCRMSim serves until ctx ends. The first line on Out is the webhook's URL.
func runCRMSim(ctx context.Context, o *crmSimOptions) error {
	if o.Key == "" {
		return errors.New("no signing secret: set CRM_WEBHOOK_KEY or --key to whsec_ and 24 to 64 random bytes in base64")
	}
	sim, err := crmsim.New(crmsim.Options{Secret: o.Key, Seed: o.Seed, Faults: o.Faults})
	if err != nil {
		return err
	}
	run := []func(context.Context) error{}
	if o.Desk.URL != "" {
		desk, err := crmsim.NewDesk(sim, o.Desk)
		if err != nil {
			return err
		}
		run = append(run, desk.Run)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("crmsim: %w; choose another address with --listen", err)
	}
	run = append(run, func(ctx context.Context) error { return sim.Serve(ctx, ln) })
	if _, err := fmt.Fprintf(o.Out, "http://%s%s\n", reachable(ln.Addr().String()), crmsim.WebhookPath); err != nil {
		return errors.Join(err, ln.Close())
	}

	// The first that ends ends the others.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(run))
	for _, r := range run {
		go func() {
			defer cancel()
			ended <- r(ctx)
		}()
	}
	for range run {
		err = errors.Join(err, <-ended)
	}
	return err
}

// reachable is an address to connect to where addr listens on every interface.
func reachable(addr string) string {
	if port, ok := strings.CutPrefix(addr, "[::]:"); ok {
		return "127.0.0.1:" + port
	}
	return addr
}
