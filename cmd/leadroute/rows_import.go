package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/views"
)

// importOptions are those of `reps import` and `accounts import`.
type importOptions struct {
	API      *apiOptions
	File     string
	DryRun   bool
	In       io.Reader
	Out, Err io.Writer
}

// importForms is what the help of an import says of files.
const importForms = `A file is CSV with a header, a JSON array, or one JSON object a line (NDJSON); its ending says which, else its
first character. In a CSV an empty cell is left out, lists are separated by | and a column that is no field
becomes an attribute, which policies read by its name: a number, true or false as such, "007" in quotes of
its own (written """007""") as a text.

All is checked before anything is written. What is wrong is told with file, line and column, and nothing of
the file is imported. Importing the same again does no harm.`

// Bounds of one request.
const (
	maxImportFile  = 64 << 20
	maxImportRows  = 5000
	maxImportBytes = 4 << 20
	maxFaultsTold  = 50
)

// newImport makes the command that imports the rows of one table.
func newImport[T any](api *apiOptions, path, one, many, long, example string, table func() *intake.Table[T]) *cobra.Command {
	opts := importOptions{API: api}
	cmd := &cobra.Command{
		Use:     "import FILE|-",
		Short:   "Set " + many + " from a file, or from standard input",
		Long:    long + "\n\n" + importForms,
		Example: example,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.File, opts.In, opts.Out, opts.Err = args[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return importRows(cmd.Context(), opts, path, one, table())
		},
	}
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "check the file, here and against the policy that runs, and write nothing")
	return cmd
}

// importRows checks a file and sends it to path; one is what a row is called. The file is
// read twice, in parts, so that it may be long: nothing is written before all is checked.
func importRows[T any](ctx context.Context, opts importOptions, path, one string, table *intake.Table[T]) error {
	in, err := openTwice(opts)
	if err != nil {
		return err
	}
	defer in.close()
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	im := importing[T]{opts: opts, api: api, path: path, table: table, in: in}
	// The running policy may find more, such as hours that it does not declare: all parts
	// are shown to it before the first is written.
	rows, err := im.pass(ctx, true)
	if err != nil {
		return err
	}
	if opts.DryRun {
		_, err := fmt.Fprintf(opts.Out, "%s can be imported, nothing was written\n", plural(rows, one))
		return err
	}
	if _, err := im.pass(ctx, false); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s imported\n", plural(rows, one))
	return err
}

// importing is one import.
type importing[T any] struct {
	opts  importOptions
	api   *apiclient.Client
	path  string
	table *intake.Table[T]
	in    *twice
	warn  bool // what the API finds odd is told
}

// pass reads the whole file, and has its parts checked, or written. It returns how many rows there are.
func (im *importing[T]) pass(ctx context.Context, check bool) (rows int, err error) {
	doing := "importing"
	if check {
		doing = "checking"
	}
	in, bar, err := im.in.open(doing, im.opts.Err)
	if err != nil {
		return 0, err
	}
	defer func() { _ = bar.Clear() }()
	wrong := complaints{file: im.opts.File, w: im.opts.Err}
	cutter, err := im.table.Cut(inputName(im.opts.File), in)
	if err != nil {
		return 0, wrong.torn(err)
	}
	reading := im.table.Reading()
	var held *part // the last one: a part alone need not be checked before it is written
	parts := 0
	for ctx.Err() == nil {
		file, err := cutter.Next(maxImportRows)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if err := wrong.torn(err); wrong.n == 0 {
				return rows, err
			}
			if file == nil {
				break
			}
		}
		if check && rows == 0 {
			tellAttrs(im.opts.Err, file)
		}
		some, faults := reading.Read(file.Records)
		wrong.tell(file, faults)
		first := rows
		if rows += len(some); wrong.n > 0 {
			continue
		}
		cut, err := split(some)
		if err != nil {
			return rows, err
		}
		for i := range cut {
			cut[i].file, cut[i].before = file, first
			if held != nil {
				if err := im.send(ctx, held, check, &wrong); err != nil {
					return rows, err
				}
			}
			held = &cut[i]
			parts++
		}
	}
	if err := errors.Join(ctx.Err(), wrong.err()); err != nil {
		return rows, err
	}
	if held != nil && (!check || parts > 1 || im.opts.DryRun) {
		err = im.send(ctx, held, check, &wrong)
	}
	return rows, err
}

// send sends a part. Where the API finds faults, it tells them by their place in the file.
func (im *importing[T]) send(ctx context.Context, p *part, dry bool, wrong *complaints) error {
	var done views.Imported
	err := im.api.Do(ctx, http.MethodPost, im.path+"?dry_run="+strconv.FormatBool(dry), p.body, &done)
	var problem *apiclient.ProblemError
	if errors.As(err, &problem) && problem.Status == http.StatusUnprocessableEntity {
		if faults := faultsOf(problem, p.first); len(faults) > 0 {
			wrong.tell(p.file, faults)
			return wrong.err()
		}
	}
	if before := p.before + p.first; err != nil && before > 0 && !dry {
		return fmt.Errorf("%w; the first %d were imported: import the file again", err, before)
	}
	if im.warn && err == nil {
		for _, w := range done.Warnings {
			fmt.Fprintln(im.opts.Err, "warning:", w)
		}
	}
	return err
}

// tellAttrs names the columns that no field is named for: one may be misspelt.
func tellAttrs(w io.Writer, file *intake.File) {
	if len(file.Attrs) > 0 {
		fmt.Fprintf(w, "columns that become attributes: %s\n", strings.Join(file.Attrs, ", "))
	}
}

// complaints tells what is wrong with a file, as far as anybody reads it, and counts it.
type complaints struct {
	file string
	w    io.Writer
	n    int
}

func (c *complaints) tell(file *intake.File, faults []intake.Fault) {
	for _, f := range faults {
		c.line(file.Describe(f))
	}
}

func (c *complaints) line(text string) {
	switch c.n++; {
	case c.n <= maxFaultsTold:
		fmt.Fprintln(c.w, text)
	case c.n == maxFaultsTold+1:
		fmt.Fprintln(c.w, "...")
	}
}

// torn tells why a file cannot be cut into records; an error of another kind is returned.
func (c *complaints) torn(err error) error {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, one := range several.Unwrap() {
			c.line(one.Error())
		}
		return c.err()
	}
	return err
}

func (c *complaints) err() error {
	if c.n == 0 {
		return nil
	}
	return notImported(c.n, c.file)
}

// twice is an input that is read twice: a file, or what came from elsewhere, put aside.
type twice struct {
	f     *os.File
	size  int64
	aside bool
}

func openTwice(opts importOptions) (*twice, error) {
	in, size, err := openInput(opts.File, opts.In)
	if err != nil {
		return nil, err
	}
	if f, ok := in.(*os.File); ok && size >= 0 {
		return &twice{f: f, size: size}, nil
	}
	defer in.Close()
	f, err := os.CreateTemp("", "leadroute-import-*")
	if err != nil {
		return nil, fmt.Errorf("put %s aside: %w", inputName(opts.File), err)
	}
	t := &twice{f: f, aside: true}
	if t.size, err = io.Copy(f, in); err != nil {
		t.close()
		return nil, fmt.Errorf("read %s: %w", inputName(opts.File), err)
	}
	return t, nil
}

// open starts at the beginning.
func (t *twice) open(doing string, talk io.Writer) (io.Reader, *progressbar.ProgressBar, error) {
	if _, err := t.f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, fmt.Errorf("read the file again: %w", err)
	}
	bar := newBar(doing, talk, t.size)
	return io.TeeReader(t.f, bar), bar, nil
}

func (t *twice) close() {
	_ = t.f.Close() // it was read
	if t.aside {
		_ = os.Remove(t.f.Name())
	}
}

// readRows reads a file, or tells all that is wrong with it.
func readRows[T any](opts importOptions, table *intake.Table[T]) (*intake.File, []T, error) {
	in, _, err := openInput(opts.File, opts.In)
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(io.LimitReader(in, maxImportFile+1))
	err = errors.Join(err, in.Close())
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", inputName(opts.File), err)
	}
	return parseRows(opts, table, content)
}

// parseRows is readRows of what was read.
func parseRows[T any](opts importOptions, table *intake.Table[T], content []byte) (*intake.File, []T, error) {
	if len(content) > maxImportFile {
		return nil, nil, fmt.Errorf("%s is larger than %d MB: import it in parts", inputName(opts.File), maxImportFile>>20)
	}
	wrong := complaints{file: opts.File, w: opts.Err}
	file, err := table.Open(inputName(opts.File), content)
	if err != nil {
		return nil, nil, wrong.torn(err)
	}
	rows, faults := table.Read(file.Records)
	wrong.tell(file, faults)
	return file, rows, wrong.err()
}

func notImported(faults int, file string) error {
	return fmt.Errorf("%s in %s: nothing was imported", plural(faults, "fault"), inputName(file))
}

// part is what goes into one request.
type part struct {
	file   *intake.File // that its rows are of
	before int          // rows before the file's first
	first  int          // index of its first row in the file
	body   json.RawMessage
}

func split[T any](rows []T) ([]part, error) {
	var parts []part
	var body []byte
	first := 0
	for i := range rows {
		b, err := json.Marshal(&rows[i])
		if err != nil {
			return nil, fmt.Errorf("encode record %d: %w", i+1, err)
		}
		if i > first && (i-first == maxImportRows || len(body)+len(b) > maxImportBytes) {
			parts = append(parts, part{first: first, body: append(body, ']')})
			first, body = i, nil
		}
		if i == first {
			body = append(body, '[')
		} else {
			body = append(body, ',')
		}
		body = append(body, b...)
	}
	return append(parts, part{first: first, body: append(body, ']')}), nil
}

// faultsOf reads which records the API refused; first is the index of the request's first.
func faultsOf(p *apiclient.ProblemError, first int) []intake.Fault {
	var told struct {
		Errors []struct{ Pointer, Message, Remedy string }
	}
	if json.Unmarshal(p.Body, &told) != nil || len(told.Errors) == 0 {
		told.Errors = []struct{ Pointer, Message, Remedy string }{{p.Pointer, p.Detail, p.Remedy}}
	}
	var faults []intake.Fault
	for _, e := range told.Errors {
		index, rest, _ := strings.Cut(strings.TrimPrefix(e.Pointer, "/"), "/")
		i, err := strconv.Atoi(index)
		if err != nil {
			return nil
		}
		if rest != "" {
			rest = "/" + rest
		}
		faults = append(faults, intake.Fault{Record: first + i, Pointer: rest, Message: e.Message, Remedy: e.Remedy})
	}
	return faults
}
