package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/views"
)

// repsImportOptions are those of a feed from HR.
type repsImportOptions struct {
	importOptions
	Sync bool
	// RemoveAtMost bounds how many reps a Sync removes; below 0: a tenth of them, one at least.
	RemoveAtMost int
	Every        time.Duration
	// tick says when to look again; nil: every Every.
	tick <-chan time.Time
}

func newRepsImport(api *apiOptions) *cobra.Command {
	opts := repsImportOptions{importOptions: importOptions{API: api}}
	cmd := &cobra.Command{
		Use:   "import FILE|URL|-",
		Short: "Set profiles of reps from a file, an address or standard input",
		Long: `Set the profiles of reps; one who is new takes leads at once. A profile is replaced as a whole, the status and
the leads on the desk stay.

Fields: id, email, crm_id (the owner's id in the CRM), name, team, region, timezone, hours (of the policy), skills, languages, weight,
started_on (the day from which a pool's ramp counts); the caps open (leads at once), per_hour, per_day, per_week, and cost (places of open
that a lead takes, P0=3|P1=2); and when the rep is there, in the rep's own zone: shifts (mon-fri 09:00-12:00,13:00-17:30; sat 10:00-14:00),
holidays (calendars of the policy) and away (2026-12-24..2026-12-31 vacation; several separated by |).

With --sync the table becomes what the file says: reps who are not in it leave, and their leads move on. Those whom the policy's rep
blocks define stay as they are. A file that lacks more than a tenth of the reps is refused as torn, unless --remove-at-most allows it.
With --every the file or address is looked at again and again, and what changed is applied; while it is wrong or cannot be
had, that is told and all stays as it was.

` + importForms,
		Example: "  leadroute reps import reps.csv\n  leadroute reps import --dry-run --sync reps.json\n" +
			"  leadroute reps import --sync --every 5m https://hr.example.com/reps.csv",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.File, opts.In, opts.Out, opts.Err = args[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			if opts.RemoveAtMost < 0 && cmd.Flags().Changed("remove-at-most") {
				return errors.New("--remove-at-most is a number of reps, 0 at least")
			}
			return importReps(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&opts.DryRun, "dry-run", false, "say what would change, check it against the policy that runs, and write nothing")
	f.BoolVar(&opts.Sync, "sync", false, "reps who are not in the file leave")
	f.IntVar(&opts.RemoveAtMost, "remove-at-most", -1, "with --sync, how many reps may leave at once (default a tenth of them)")
	f.DurationVar(&opts.Every, "every", 0, "look again so often, such as 5m, and apply what changed, until Ctrl-C")
	return cmd
}

// importReps imports once or, with Every, whenever the content changes.
func importReps(ctx context.Context, opts repsImportOptions) error {
	switch {
	case opts.RemoveAtMost >= 0 && !opts.Sync:
		return errors.New("--remove-at-most goes with --sync")
	case opts.Every != 0 && (opts.File == "-" || opts.DryRun):
		return errors.New("--every goes with a file or an address, and not with --dry-run")
	case opts.Every != 0 && opts.Every < time.Second:
		return fmt.Errorf("--every %s is too often: give 1s or more", opts.Every)
	}
	feed := repsFeed{opts: opts}
	if err := feed.look(ctx); err != nil || opts.Every == 0 {
		return err
	}
	tick := opts.tick
	if tick == nil {
		t := time.NewTicker(opts.Every)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
		if err := feed.look(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintf(opts.Err, "%s  all stays as it was: %s\n", time.Now().UTC().Format(time.RFC3339), err)
		}
	}
}

// repsFeed is a source of reps, and what it said last.
type repsFeed struct {
	opts repsImportOptions
	etag string
	seen [sha256.Size]byte // of the content that was applied last
}

// look reads the source, and applies it if it has changed.
func (f *repsFeed) look(ctx context.Context) error {
	content, etag, err := f.read(ctx)
	if err != nil || content == nil {
		return err
	}
	sum := sha256.Sum256(content)
	if f.opts.Every > 0 && sum == f.seen {
		f.etag = etag
		return nil
	}
	if err := applyReps(ctx, &f.opts, content); err != nil {
		return err
	}
	f.seen, f.etag = sum, etag
	return nil
}

// read reads the source; nil content: it is as it was.
func (f *repsFeed) read(ctx context.Context) (content []byte, etag string, err error) {
	if dsl.IsAddress(f.opts.File) {
		return fetchRows(ctx, f.opts.File, f.etag)
	}
	in, _, err := openInput(f.opts.File, f.opts.In)
	if err != nil {
		return nil, "", err
	}
	content, err = io.ReadAll(io.LimitReader(in, maxImportFile+1))
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, "", fmt.Errorf("read %s: %w", inputName(f.opts.File), err)
	}
	return append([]byte{}, content...), "", nil
}

const fetchTimeout = 30 * time.Second

// fetchRows reads rows from an address; nil content: nothing has changed since etag.
func fetchRows(ctx context.Context, address, etag string) (content []byte, tag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Accept", "text/csv, application/json;q=0.9, application/x-ndjson;q=0.9")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusNotModified:
		return nil, etag, nil
	case http.StatusOK:
		content, err = io.ReadAll(io.LimitReader(res.Body, maxImportFile+1))
		if content == nil {
			content = []byte{}
		}
		return content, res.Header.Get("ETag"), err
	}
	return nil, "", fmt.Errorf("%s answered http %d", address, res.StatusCode)
}

// applyReps checks all that the content says, then applies it: as a whole or, where that is
// asked for, what differs from the table.
func applyReps(ctx context.Context, opts *repsImportOptions, content []byte) error {
	table := intake.Reps(nil)
	file, rows, err := parseRows(opts.importOptions, table, content)
	if err != nil {
		return err
	}
	tellAttrs(opts.Err, file)
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	im := importing[leadroute.Rep]{opts: opts.importOptions, api: api, path: "/v1/reps", warn: true}
	if err := im.sendAll(ctx, file, rows, true); err != nil {
		return err
	}
	im.warn = false // it was told
	if !opts.DryRun && !opts.Sync && opts.Every == 0 {
		if err := im.sendAll(ctx, file, rows, false); err != nil {
			return err
		}
		_, err := fmt.Fprintf(opts.Out, "%s imported\n", plural(len(rows), "rep"))
		return err
	}
	var board views.Board
	if err := api.Do(ctx, http.MethodGet, "/v1/reps?profiles=true", nil, &board); err != nil {
		return err
	}
	d := diffReps(rows, board.Reps, opts.Sync)
	for _, id := range d.policy {
		fmt.Fprintf(opts.Err, "warning: rep %q is defined by the policy: the file's line is not applied\n", id)
	}
	if err := d.bounded(opts.RemoveAtMost); err != nil {
		return err
	}
	if opts.DryRun {
		d.write(opts.Out)
		_, err := fmt.Fprintf(opts.Out, "%s can be imported, nothing was written\n", plural(len(rows), "rep"))
		return err
	}
	return d.apply(ctx, &im)
}

// sendAll has all rows checked, or written.
func (im *importing[T]) sendAll(ctx context.Context, file *intake.File, rows []T, check bool) error {
	parts, err := split(rows)
	if err != nil {
		return err
	}
	wrong := complaints{file: im.opts.File, w: im.opts.Err}
	for i := range parts {
		parts[i].file = file
		if err := im.send(ctx, &parts[i], check, &wrong); err != nil {
			return err
		}
	}
	return nil
}

// repsDiff is what a file says that the table does not.
type repsDiff struct {
	set      []leadroute.Rep // new or changed
	lines    []string        // what that is, a rep a line
	added    int
	same     int
	leave    []views.BoardRow
	of       int      // reps whom the file could remove
	policy   []string // whom the file names and the policy defines
	mayLeave bool
}

func diffReps(rows []leadroute.Rep, have []views.BoardRow, sync bool) *repsDiff {
	d := &repsDiff{mayLeave: sync}
	there := map[leadroute.RepID]*views.BoardRow{}
	for i := range have {
		if r := &have[i]; !r.Gone {
			there[r.ID] = r
		}
	}
	named := map[leadroute.RepID]bool{}
	for i := range rows {
		r := &rows[i]
		named[r.ID] = true
		b := there[r.ID]
		switch {
		case b == nil:
			d.added++
			d.set, d.lines = append(d.set, *r), append(d.lines, "+ "+string(r.ID))
		case b.Policy && sync:
			d.policy = append(d.policy, string(r.ID))
		default:
			if changes := changedMembers(b.Profile, r); len(changes) > 0 {
				d.set, d.lines = append(d.set, *r), append(d.lines, "~ "+string(r.ID)+": "+strings.Join(changes, ", "))
			} else {
				d.same++
			}
		}
	}
	for i := range have {
		if r := &have[i]; sync && !r.Gone && !r.Leaving && !r.Policy {
			if d.of++; !named[r.ID] {
				d.leave = append(d.leave, *r)
				words := "- " + string(r.ID)
				if r.Held > 0 {
					words += " (" + plural(r.Held, "lead") + " to move on)"
				}
				d.lines = append(d.lines, words)
			}
		}
	}
	return d
}

// changedMembers names the members that differ, and how.
func changedMembers(from, to *leadroute.Rep) []string {
	a, b := flat(from), flat(to)
	names := slices.Sorted(maps.Keys(a))
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var changes []string
	for _, name := range names {
		if a[name] != b[name] {
			changes = append(changes, fmt.Sprintf("%s %s -> %s", name, dash(a[name]), dash(b[name])))
		}
	}
	return changes
}

// flat are the members of a profile as text, nested ones by their path.
func flat(r *leadroute.Rep) map[string]string {
	out := map[string]string{}
	if r == nil {
		return out
	}
	raw, err := json.Marshal(r)
	var members map[string]any
	if err != nil || json.Unmarshal(raw, &members) != nil {
		return out
	}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		if m, ok := v.(map[string]any); ok {
			for name, v := range m {
				walk(prefix+"."+name, v)
			}
			return
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if e.Encode(v) == nil {
			out[strings.TrimPrefix(prefix, ".")] = strings.Trim(strings.TrimSpace(b.String()), `"`)
		}
	}
	delete(members, "shifts")
	walk("", members)
	if !r.Shifts.IsZero() {
		out["shifts"] = r.Shifts.String()
	}
	return out
}

// bounded refuses to remove more reps than is likely meant.
func (d *repsDiff) bounded(most int) error {
	n := len(d.leave)
	share := "more than a tenth of them"
	if most < 0 {
		most = max(1, d.of/10)
	} else {
		share = fmt.Sprintf("more than --remove-at-most %d", most)
	}
	if n <= most {
		return nil
	}
	const told = 5
	names := make([]string, 0, told)
	for i := range d.leave {
		if i == told {
			names = append(names, "...")
			break
		}
		names = append(names, string(d.leave[i].ID))
	}
	return fmt.Errorf("the file lacks %d of %s (%s), %s: is it whole? If they have left, give --remove-at-most %d", n, plural(d.of, "rep"), strings.Join(names, ", "), share, n)
}

// write tells the changes.
func (d *repsDiff) write(w io.Writer) {
	for _, line := range d.lines[:min(len(d.lines), maxFaultsTold)] {
		fmt.Fprintln(w, line)
	}
	if more := len(d.lines) - maxFaultsTold; more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
}

func (d *repsDiff) apply(ctx context.Context, im *importing[leadroute.Rep]) error {
	if len(d.set) > 0 {
		if err := im.sendAll(ctx, &intake.File{Name: inputName(im.opts.File)}, d.set, false); err != nil {
			return err
		}
	}
	for i := range d.leave {
		err := im.api.Do(ctx, http.MethodDelete, "/v1/reps/"+url.PathEscape(string(d.leave[i].ID))+"?leads=reassign", nil, nil)
		var problem *apiclient.ProblemError
		if errors.As(err, &problem) && problem.Status == http.StatusNotFound {
			continue // somebody was faster
		}
		if err != nil {
			return fmt.Errorf("%w; %d of %s were removed: import the file again", err, i, plural(len(d.leave), "rep"))
		}
	}
	d.write(im.opts.Out)
	left := ""
	if d.mayLeave {
		left = fmt.Sprintf(", %d removed", len(d.leave))
	}
	_, err := fmt.Fprintf(im.opts.Out, "%s: %d new, %d changed%s, %d as they were\n", inputName(im.opts.File), d.added, len(d.set)-d.added, left, d.same+len(d.policy))
	return err
}
