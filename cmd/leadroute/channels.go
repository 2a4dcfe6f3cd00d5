package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/processors/deliver/notify"
)

type channelsOptions struct {
	Policy, Channel string
	Rep, Reps       string
	JSON            bool
	In              io.Reader
	Out, Err        io.Writer
	Now             time.Time
}

func newChannels() *cobra.Command {
	cmd := &cobra.Command{Use: "channels", Short: "Try the channels by which people are told"}
	var opts channelsOptions
	test := &cobra.Command{
		Use:   "test POLICY channel.NAME",
		Short: "Send one test message by every way of a channel",
		Long: `Send one test message by every way of a channel, now and from here, with the secrets and
settings of this environment: those that the policy names, and of the services

  slack { to }   SLACK_BOT_TOKEN
  email          SMTP_URL (smtp://USER:PASSWORD@HOST:587), SMTP_FROM
  sms            TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM
  pager          PAGERDUTY_ROUTING_KEY

Exit code: 0 if every way took it, else 1.`,
		Example: "  leadroute channels test examples/simple-team.hcl channel.ops\n  leadroute channels test policy.hcl channel.owner --rep rep.ana",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Policy, opts.Channel, opts.Now = args[0], args[1], time.Now()
			opts.In, opts.Out, opts.Err = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return testChannel(cmd.Context(), opts)
		},
	}
	test.Flags().StringVar(&opts.Rep, "rep", "", "who is told by the ways that tell the rep: rep.NAME")
	test.Flags().StringVar(&opts.Reps, "reps", "", "file with the reps of the live table, as reps import takes it")
	test.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	cmd.AddCommand(test, newChannelsSim())
	return cmd
}

func testChannel(ctx context.Context, opts channelsOptions) error {
	policy, err := loadPlan(opts.Err, opts.Policy)
	if err != nil {
		return err
	}
	c := policy.Plan.Channel(strings.TrimPrefix(opts.Channel, "channel."))
	if c == nil {
		var names []string
		for i := range policy.Plan.Channels {
			names = append(names, "channel."+policy.Plan.Channels[i].Name)
		}
		if len(names) == 0 {
			return errors.New("the policy has no channel")
		}
		return fmt.Errorf("%s: the policy has no such channel; name one of %s", opts.Channel, strings.Join(names, ", "))
	}
	var to *leadroute.Rep
	if opts.Rep != "" {
		reps := policy.Plan.Reps
		if opts.Reps != "" {
			_, rows, err := readRows(importOptions{File: opts.Reps, In: opts.In, Err: opts.Err}, intake.Reps(intake.KnownOf(policy.Plan)))
			if err != nil {
				return fmt.Errorf("--reps: %w", err)
			}
			reps = append(slices.Clone(reps), rows...)
		}
		name := leadroute.RepID(strings.TrimPrefix(opts.Rep, "rep."))
		i := slices.IndexFunc(reps, func(r leadroute.Rep) bool { return r.ID == name })
		if i < 0 {
			return fmt.Errorf("--rep %s: neither the policy nor --reps has that rep", opts.Rep)
		}
		to = &reps[i]
	}
	tried := notify.Try(ctx, c, to, os.LookupEnv, opts.Now)
	failed := slices.ContainsFunc(tried, func(t notify.Tried) bool { return t.Result != leadroute.ResultDelivered })
	if opts.JSON {
		err = printJSON(opts.Out, map[string]any{"channel": c.Name, "ways": tried})
	} else {
		w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "WAY\tRESULT\tSTATUS\tREASON")
		for _, t := range tried {
			status := "-"
			if t.Status > 0 {
				status = fmt.Sprint(t.Status)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Way, t.Result, status, dash(t.Reason))
		}
		err = w.Flush()
	}
	if err == nil && failed {
		return exit(1)
	}
	return err
}
