package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

type runOptions struct {
	server  serverOptions
	verbose bool
	Out     io.Writer
	Err     io.Writer
}

func newRun() *cobra.Command {
	o := &runOptions{}
	var brokers string
	var redirect map[string]string
	c := &cobra.Command{
		Use:   "run POLICY...",
		Short: "Route leads by a policy, on embedded engines or on yours",
		Long: `Run takes leads over HTTP, routes them by the policy and delivers them, until it is told to stop.

Without --brokers the log is an embedded broker in the data folder; it survives a kill of the process, and
with --sync-writes a loss of power. Without --clickhouse the analytics are an embedded ClickHouse there.

POLICY comes into force, unless another one was applied to this log since (leadroute apply): that one stays,
and a warning says so. While it runs, it follows the log of policies.

Secrets come from the environment under the name that the policy gives them. API keys come from
LEADROUTE_KEYS ("source=key,source2=key2"), the key of lead ids from LEADROUTE_ID_KEY; where they are not
set, both are made at the first start and kept in the data folder.`,
		Example: `  CRM_WEBHOOK_URL=https://crm.example.com/leads CRM_WEBHOOK_KEY=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw \
    leadroute run examples/demo.hcl
  leadroute run policy.hcl --brokers kafka:9092 --clickhouse clickhouse://leadroute:secret@ch:9000/leadroute --instance router-0`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("which policy? Name its file or folder: leadroute run POLICY")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Out, o.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			o.server.Policy = args
			o.server.Brokers = splitList(brokers)
			var err error
			if o.server.Redirect, err = redirects(redirect); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return o.run(ctx)
		},
	}
	f := c.Flags()
	f.StringVar(&brokers, "brokers", os.Getenv("LEADROUTE_BROKERS"), "Kafka brokers, host:port,...; empty: embedded (env LEADROUTE_BROKERS)")
	f.StringVar(&o.server.ClickHouse, "clickhouse", os.Getenv("LEADROUTE_CLICKHOUSE"), "ClickHouse, clickhouse://USER:PASSWORD@HOST:PORT/DATABASE; empty: embedded (env LEADROUTE_CLICKHOUSE)")
	f.StringVar(&o.server.Listen, "listen", "127.0.0.1:8080", "address of the API")
	f.StringVar(&o.server.Data, "data", envOr("LEADROUTE_DATA", "leadroute-data"), "data folder (env LEADROUTE_DATA)")
	f.StringVar(&o.server.Namespace, "namespace", "leadroute", "prefix of topics, groups and tables")
	f.StringVar(&o.server.Instance, "instance", "", "name of this instance for static membership: unique, and the same after a restart")
	f.Int32Var(&o.server.Partitions, "partitions", 4, "partitions of every topic, a power of two; can never be changed")
	f.BoolVar(&o.server.Sync, "sync-writes", false, "the embedded broker syncs every write to disk: survives power loss, slower")
	f.BoolVar(&o.server.Enforce, "enforce", false, "put POLICY into force even where another one was applied since")
	f.IntVar(&o.server.InFlight, "in-flight", 0, "leads between the door and their owner at once; 0: the default")
	f.StringToStringVar(&redirect, "destination", nil, "NAME=URL: deliver there by a webhook instead; may be given again")
	f.StringVar(&o.server.Site, "public-url", os.Getenv("LEADROUTE_PUBLIC_URL"), "address of the API as people reach it, for decision.url (env LEADROUTE_PUBLIC_URL)")
	f.BoolVar(&o.verbose, "verbose", false, "log what is normal too")
	return c
}

func (o *runOptions) run(ctx context.Context) error {
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelInfo
	}
	o.server.Log = slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: level}))
	o.server.Secret, o.server.Progress = os.LookupEnv, o.Err
	s, err := newServer(ctx, o.server)
	if err != nil {
		return err
	}
	defer s.close()
	tellInactive(o.Err, s.policy.Plan)
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	go func() {
		if s.Ready(ready) == nil {
			fmt.Fprintf(o.Err, "leadroute routes by %s (plan %s) at %s\n", strings.Join(o.server.Policy, ", "), s.governor.Running().Current, s.URL())
		}
	}()
	return s.Run(ctx)
}

func splitList(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// tellInactive says plainly what the policy says and this version does not act on.
func tellInactive(w io.Writer, p *plan.Plan) {
	list := p.Inactive()
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, "This version does not act on these parts of the policy yet:")
	for _, i := range list {
		fmt.Fprintf(w, "  %s\n", i)
	}
}

// redirects checks the addresses of --destination.
func redirects(to map[string]string) (map[leadroute.DestinationID]string, error) {
	out := map[leadroute.DestinationID]string{}
	for name, address := range to {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("--destination %s: %q is no address; write --destination %s=https://crm.example.com/leads", name, address, name)
		}
		out[leadroute.DestinationID(name)] = address
	}
	return out, nil
}
