package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/internal/channelsim"
)

// channelsSimOptions are those of `leadroute channels sim`.
type channelsSimOptions struct {
	Listen, Mail string
	Sim          channelsim.Options
	Out          io.Writer
}

func newChannelsSim() *cobra.Command {
	o := &channelsSimOptions{}
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run the services by which people are told, to try channels on",
		Long: `Run stand-ins for Slack (an incoming webhook and chat.postMessage), Twilio, PagerDuty, a mail
server and a signed webhook. Each takes what its documentation says and refuses all else as
the service does; given shares of what is right meet trouble.

The first lines are the settings that lead there, for the environment of leadroute run and of
leadroute channels test. GET /got shows what was taken, /incidents what is open, /counts how
much came; PUT /faults changes the trouble.`,
		Example: "  leadroute channels sim --listen 127.0.0.1:8091 --mail 127.0.0.1:2525 --fail 0.1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			return runChannelsSim(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8091", "address to listen on for HTTP; port 0 takes a free one")
	f.StringVar(&o.Mail, "mail", "127.0.0.1:2525", "address to listen on for mail; port 0 takes a free one")
	f.Uint64Var(&o.Sim.Seed, "seed", 1, "decides which messages meet trouble")
	f.Float64Var(&o.Sim.Faults.Throttle, "throttle", 0, "share told to come again later (429, of mail 451)")
	f.Float64Var(&o.Sim.Faults.Fail, "fail", 0, "share answered 500 (of mail 421)")
	f.Float64Var(&o.Sim.Faults.Hang, "hang", 0, "share taken and then not answered")
	f.Float64Var(&o.Sim.Faults.Drop, "drop", 0, "share taken and then disconnected")
	f.IntVar(&o.Sim.Faults.RetryAfter, "retry-after", 1, "seconds that a 429 asks to wait, of the services that say it")
	return cmd
}

// runChannelsSim serves until ctx ends.
func runChannelsSim(ctx context.Context, o *channelsSimOptions) error {
	sim, err := channelsim.New(o.Sim)
	if err != nil {
		return err
	}
	listen := func(flag, address string) (net.Listener, error) {
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("channels sim: %w; choose another address with %s", err, flag)
		}
		return ln, nil
	}
	web, err := listen("--listen", o.Listen)
	if err != nil {
		return err
	}
	mail, err := listen("--mail", o.Mail)
	if err != nil {
		return errors.Join(err, web.Close())
	}
	url := "http://" + reachable(web.Addr().String())
	for _, s := range [][2]string{
		{"SLACK_URL", url + channelsim.SlackHook},
		{"SLACK_BOT_TOKEN", channelsim.SlackToken},
		{"SLACK_API_URL", url + channelsim.SlackMethod},
		{"TWILIO_ACCOUNT_SID", channelsim.TwilioSID},
		{"TWILIO_AUTH_TOKEN", channelsim.TwilioToken},
		{"TWILIO_FROM", channelsim.TwilioFrom},
		{"TWILIO_API_URL", url},
		{"PAGERDUTY_ROUTING_KEY", channelsim.RoutingKey},
		{"PAGER_URL", url + channelsim.PagerEnqueue},
		{"HOOK_URL", url + channelsim.WebhookPath},
		{"HOOK_KEY", channelsim.WebhookKey},
		{"SMTP_URL", "smtp://" + reachable(mail.Addr().String())},
		{"SMTP_FROM", "leadroute@example.com"},
	} {
		if _, err := fmt.Fprintf(o.Out, "export %s=%s\n", s[0], s[1]); err != nil {
			return errors.Join(err, web.Close(), mail.Close())
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	for _, serve := range []func() error{func() error { return sim.Serve(ctx, web) }, func() error { return sim.ServeMail(ctx, mail) }} {
		go func() {
			defer cancel() // the first that ends ends the other
			ended <- serve()
		}()
	}
	return errors.Join(<-ended, <-ended)
}
