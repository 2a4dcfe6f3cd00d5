package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/views"
)

type repsOptions struct {
	API      *apiOptions
	ID       string
	JSON     bool
	Out, Err io.Writer
}

func newReps() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reps",
		Short: "See and change the reps of a running router",
	}
	api := &apiOptions{}
	api.bind(cmd)
	cmd.AddCommand(newRepsImport(api), newRepsList(api), newRepsBoard(api), newRepsSet(api), newRepsAway(api), newRepsBack(api), newRepsRemove(api))
	return cmd
}

// on fills in what every command of reps has.
func (o *repsOptions) on(api *apiOptions, cmd *cobra.Command, args []string) {
	o.API, o.Out, o.Err = api, cmd.OutOrStdout(), cmd.ErrOrStderr()
	if len(args) > 0 {
		o.ID = args[0]
	}
}

func (o *repsOptions) path() string { return "/v1/reps/" + url.PathEscape(o.ID) }

func newRepsList(api *apiOptions) *cobra.Command {
	var opts repsOptions
	cmd := &cobra.Command{
		Use: "list", Short: "List the reps, with their status and what they hold", Args: cobra.NoArgs,
		Example: "  leadroute reps list",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.on(api, cmd, args)
			return listReps(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

func listReps(ctx context.Context, opts repsOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	var board views.Board
	if err := api.Do(ctx, http.MethodGet, "/v1/reps", nil, &board); err != nil {
		return err
	}
	if opts.JSON {
		return printJSON(opts.Out, board)
	}
	if len(board.Reps) == 0 {
		fmt.Fprintln(opts.Err, "no reps: import some with `leadroute reps import FILE`")
		return nil
	}
	w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tTEAM\tREGION\tSTATUS\tOPEN\tCAP\tHELD\tWEIGHT")
	for i := range board.Reps {
		r := &board.Reps[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", r.ID, dash(r.Name), dash(r.Team), dash(r.Region), statusWord(r),
			r.Open, r.Cap, r.Held, strconv.FormatFloat(r.Weight, 'g', -1, 64))
	}
	return w.Flush()
}

func statusWord(r *views.BoardRow) string {
	switch {
	case r.Gone:
		return "removed"
	case r.Leaving:
		return "leaving"
	}
	return string(r.Status)
}

type repsSetOptions struct {
	repsOptions
	Status, Until string
	// Profile are the flags that were given, by the member of the profile that they set.
	Profile map[string]any
}

// profileFlag is a flag that sets a member of the profile.
type profileFlag struct {
	name, path, help string
	number           bool
}

// profileFlags lists them all. An empty value takes the member out.
var profileFlags = []profileFlag{
	{"name", "name", "the rep's name", false},
	{"email", "email", "the address", false},
	{"crm-id", "crm_id", "the owner's id in the CRM", false},
	{"team", "team", "the team", false},
	{"region", "region", "the region", false},
	{"timezone", "timezone", "the time zone, such as Europe/Berlin", false},
	{"hours", "hours", "named hours of the policy", false},
	{"shifts", "shifts", `own working hours, such as "mon-fri 09:00-17:30; sat 10:00-14:00"`, false},
	{"holidays", "holidays", "calendars of the policy, separated by commas", false},
	{"skills", "skills", "separated by commas", false},
	{"languages", "languages", "separated by commas", false},
	{"started-on", "started_on", "the day from which a pool's ramp counts", false},
	{"weight", "weight", "the share in weighted pools", true},
	{"open", "caps/open", "leads at once", true},
	{"per-hour", "caps/per_hour", "leads in any hour", true},
	{"per-day", "caps/per_day", "leads a day", true},
	{"per-week", "caps/per_week", "leads a week", true},
	{"cost", "cost", `places of --open that a lead takes, by class, such as "P0=3,P1=2"`, false},
}

func newRepsSet(api *apiOptions) *cobra.Command {
	opts := repsSetOptions{Profile: map[string]any{}}
	cmd := &cobra.Command{
		Use: "set ID", Short: "Set a rep's status, or parts of the profile", Args: cobra.ExactArgs(1),
		Long: `Set a rep's status: available, busy, away or off. Only one who is available is given leads; those on the
desk stay there. With --until the status ends by itself: at a time of today ("14:00") or after a day ("2026-12-24") in the
rep's own zone, or at an instant ("2026-12-24T12:00:00+01:00"). For more than some hours, see reps away.

The other flags change parts of the profile, and leave the rest as it is; an empty value takes one out. What the policy's rep
blocks say comes into force again when leadroute starts or the policy changes.`,
		Example: "  leadroute reps set ana --status away --until 14:00\n" +
			"  leadroute reps set ben --open 20 --per-day 8 --shifts \"mon-thu 09:00-17:30; fri 09:00-14:00\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.on(api, cmd, args)
			var bad error
			for _, f := range profileFlags {
				if value, err := cmd.Flags().GetString(f.name); err == nil && cmd.Flags().Changed(f.name) {
					bad = errors.Join(bad, f.put(opts.Profile, value))
				}
			}
			if bad != nil {
				return bad
			}
			return setRep(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Status, "status", "", "available, busy, away or off")
	cmd.Flags().StringVar(&opts.Until, "until", "", "when the status ends by itself")
	for _, f := range profileFlags {
		cmd.Flags().String(f.name, "", f.help)
	}
	return cmd
}

// put lays a flag's value into the members that change.
func (f *profileFlag) put(into map[string]any, value string) error {
	name := f.path
	if parent, child, nested := strings.Cut(f.path, "/"); nested {
		inner, ok := into[parent].(map[string]any)
		if !ok {
			inner = map[string]any{}
			into[parent] = inner
		}
		into, name = inner, child
	}
	switch {
	case value == "":
		into[name] = nil
	case f.number:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("--%s %s is no number: write it like --%s 20", f.name, value, f.name)
		}
		into[name] = n
	case name == "holidays" || name == "skills" || name == "languages":
		into[name] = splitList(value)
	case name == "cost":
		into[name] = strings.Join(splitList(value), "|")
	default:
		into[name] = value
	}
	return nil
}

func setRep(ctx context.Context, opts repsSetOptions) error {
	if opts.Until != "" && opts.Status == "" {
		return errors.New("--until goes with --status; when a rep is out of the office, reps away says")
	}
	if opts.Status == "" && len(opts.Profile) == 0 {
		return errors.New("nothing to set: give --status available, busy, away or off, or a part of the profile such as --open 20")
	}
	if opts.Status != "" {
		if _, fault := intake.Status(opts.Status); fault != nil {
			return fmt.Errorf("there is no status %q: give --status available, busy, away or off", opts.Status)
		}
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	if len(opts.Profile) > 0 {
		if err := api.Do(ctx, http.MethodPatch, opts.path(), opts.Profile, nil); err != nil {
			return err
		}
		fmt.Fprintf(opts.Out, "%s is changed\n", opts.ID)
	}
	if opts.Status == "" {
		return nil
	}
	body := map[string]string{"status": opts.Status}
	until := ""
	if opts.Until != "" {
		body["until"], until = opts.Until, " until "+opts.Until
	}
	if err := api.Do(ctx, http.MethodPut, opts.path()+"/status", body, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s is %s%s\n", opts.ID, opts.Status, until)
	return err
}

type repsRemoveOptions struct {
	repsOptions
	Reassign, Keep bool
}

func newRepsRemove(api *apiOptions) *cobra.Command {
	var opts repsRemoveOptions
	cmd := &cobra.Command{
		Use: "remove ID", Short: "Take a rep off the floor", Args: cobra.ExactArgs(1),
		Long: `Take a rep off the floor. While leads are on the rep's desk, say what becomes of them: with --reassign they move on at
once, each with an event that says so; with --keep the rep takes no new lead, finishes those, and goes when the desk is empty.
The removal is the event rep_removed.

A rep whom a rep block of the policy defines comes back when leadroute starts or the policy changes: take the block out first.`,
		Example: "  leadroute reps remove ben --reassign\n  leadroute reps remove ana --keep",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.on(api, cmd, args)
			return removeRep(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Reassign, "reassign", false, "the leads on the desk move on at once")
	cmd.Flags().BoolVar(&opts.Keep, "keep", false, "the leads on the desk stay until they are done")
	cmd.MarkFlagsMutuallyExclusive("reassign", "keep")
	return cmd
}

func removeRep(ctx context.Context, opts repsRemoveOptions) error {
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	leads, words := "", "is removed"
	switch {
	case opts.Reassign:
		leads, words = "?leads=reassign", "is removed; the leads on the desk move on"
	case opts.Keep:
		leads, words = "?leads=keep", "takes no new lead, and goes when the desk is empty"
	}
	if err := api.Do(ctx, http.MethodDelete, opts.path()+leads, nil, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s %s\n", opts.ID, words)
	return err
}
