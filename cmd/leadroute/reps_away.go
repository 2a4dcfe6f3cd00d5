package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
)

type repsAwayOptions struct {
	repsOptions
	From, Until, Reason string
	Now                 time.Time
}

func newRepsAway(api *apiOptions) *cobra.Command {
	var opts repsAwayOptions
	cmd := &cobra.Command{
		Use: "away ID", Short: "Say when a rep is out of the office", Args: cobra.ExactArgs(1),
		Long: `Say when a rep is out of the office. Days are whole ones in the rep's own zone, the last one included; an instant
has its zone. Without --from it begins now, without --until it has no end until reps back says so. Several times stand side by
side, at most 16; one that begins when another one does takes its place. The leads on the desk stay there.`,
		Example: "  leadroute reps away ana --from 2026-12-24 --until 2026-12-31 --reason vacation\n" +
			"  leadroute reps away ben --until 2026-12-24T12:00:00+01:00",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.on(api, cmd, args)
			opts.Now = time.Now()
			return repAway(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.From, "from", "", "the first day, or an instant (default now)")
	cmd.Flags().StringVar(&opts.Until, "until", "", "the last day, or an instant (default until further notice)")
	cmd.Flags().StringVar(&opts.Reason, "reason", "", "one word, such as vacation; it is shown on the board alone")
	return cmd
}

func repAway(ctx context.Context, opts repsAwayOptions) error {
	a := leadroute.Away{From: leadroute.Moment{At: leadroute.At(opts.Now)}, Reason: opts.Reason}
	var err error
	for _, f := range []struct {
		name, value string
		to          *leadroute.Moment
	}{{"from", opts.From, &a.From}, {"until", opts.Until, &a.Until}} {
		if f.value == "" {
			continue
		}
		m, bad := leadroute.ParseMoment(f.value)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf(`--%s: %w: write a day, 2026-12-24, or an instant with its zone, 2026-12-24T12:00:00+01:00`, f.name, bad))
		}
		*f.to = m
	}
	switch {
	case err != nil:
		return err
	case a.Never():
		return fmt.Errorf("--until %s lies before --from %s: write them the other way round; the last day is a whole one", a.Until, a.From)
	case leadroute.BadReason(opts.Reason):
		return fmt.Errorf("--reason %q is not one short word, such as vacation", opts.Reason)
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	if err := api.Do(ctx, http.MethodPut, opts.path()+"/away", a, nil); err != nil {
		return err
	}
	from, until := "", "until further notice"
	if opts.From != "" {
		from = "from " + opts.From + " "
	}
	if opts.Until != "" {
		until = "until " + opts.Until
	}
	_, err = fmt.Fprintf(opts.Out, "%s is out of the office %s%s\n", opts.ID, from, until)
	return err
}

type repsBackOptions struct {
	repsOptions
	All bool
}

func newRepsBack(api *apiOptions) *cobra.Command {
	var opts repsBackOptions
	cmd := &cobra.Command{
		Use: "back ID", Short: "Say that a rep is back in the office", Args: cobra.ExactArgs(1),
		Long: `Say that a rep is back in the office: every time out of it that has begun is over, those that the profile says included.
With --all what comes later is taken back, too, as far as reps away said it. The status stays as it is.`,
		Example: "  leadroute reps back ana",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.on(api, cmd, args)
			return repBack(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.All, "all", false, "take back what comes later, too")
	return cmd
}

func repBack(ctx context.Context, opts repsBackOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	query := ""
	if opts.All {
		query = "?all=true"
	}
	if err := api.Do(ctx, http.MethodDelete, opts.path()+"/away"+query, nil, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s is back\n", opts.ID)
	return err
}
