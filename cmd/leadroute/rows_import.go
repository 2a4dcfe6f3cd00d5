package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

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

// importRows checks a file and sends it to path; one is what a row is called.
func importRows[T any](ctx context.Context, opts importOptions, path, one string, table *intake.Table[T]) error {
	file, rows, err := readRows(opts, table)
	if err != nil {
		return err
	}
	if len(file.Attrs) > 0 {
		fmt.Fprintf(opts.Err, "columns that become attributes: %s\n", strings.Join(file.Attrs, ", "))
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	parts, err := split(rows)
	if err != nil {
		return err
	}
	// The running policy may find more, such as hours that it does not declare: all parts
	// are shown to it before the first is written.
	if opts.DryRun || len(parts) > 1 {
		if err := sendRows(ctx, api, path, parts, true, file, opts.Err); err != nil {
			return err
		}
	}
	if opts.DryRun {
		_, err := fmt.Fprintf(opts.Out, "%s can be imported, nothing was written\n", plural(len(rows), one))
		return err
	}
	if err := sendRows(ctx, api, path, parts, false, file, opts.Err); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Out, "%s imported\n", plural(len(rows), one))
	return err
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
	if len(content) > maxImportFile {
		return nil, nil, fmt.Errorf("%s is larger than %d MB: import it in parts", inputName(opts.File), maxImportFile>>20)
	}
	file, err := table.Open(inputName(opts.File), content)
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		fmt.Fprintln(opts.Err, err) // a line each
		return nil, nil, notImported(len(several.Unwrap()), opts.File)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, faults := table.Read(file.Records)
	return file, rows, tell(opts.Err, file, faults)
}

func notImported(faults int, file string) error {
	return fmt.Errorf("%s in %s: nothing was imported", plural(faults, "fault"), inputName(file))
}

// tell writes what is wrong with a file; the error says how much that is.
func tell(w io.Writer, file *intake.File, faults []intake.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	for _, f := range faults[:min(len(faults), maxFaultsTold)] {
		fmt.Fprintln(w, file.Describe(f))
	}
	if len(faults) > maxFaultsTold {
		fmt.Fprintln(w, "...")
	}
	return notImported(len(faults), file.Name)
}

// part is what goes into one request.
type part struct {
	first int // index of its first row
	body  json.RawMessage
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
			parts = append(parts, part{first, append(body, ']')})
			first, body = i, nil
		}
		if i == first {
			body = append(body, '[')
		} else {
			body = append(body, ',')
		}
		body = append(body, b...)
	}
	return append(parts, part{first, append(body, ']')}), nil
}

// sendRows sends all parts. Where the API finds faults, it tells them by their place in the file.
func sendRows(ctx context.Context, api *apiclient.Client, path string, parts []part, dry bool, file *intake.File, talk io.Writer) error {
	for _, p := range parts {
		var done views.Imported
		err := api.Do(ctx, http.MethodPost, path+"?dry_run="+strconv.FormatBool(dry), p.body, &done)
		var problem *apiclient.ProblemError
		if errors.As(err, &problem) && problem.Status == http.StatusUnprocessableEntity {
			if faults := faultsOf(problem, p.first); len(faults) > 0 {
				return tell(talk, file, faults)
			}
		}
		if err != nil && p.first > 0 && !dry {
			return fmt.Errorf("%w; the first %d were imported: import the file again", err, p.first)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
