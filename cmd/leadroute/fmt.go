package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
)

type fmtOptions struct {
	Paths            []string
	Check, Diff, Fix bool
	JSON             bool
	In               io.Reader
	Out, Err         io.Writer
}

func newFmt() *cobra.Command {
	var opts fmtOptions
	cmd := &cobra.Command{
		Use:   "fmt PATH...",
		Short: "Lay policies out as everybody's",
		Long: `Lay policy files out as everybody's: indented by two, equals signs in a column, one line
break at the end. Rules are never reordered and comments stay. PATH is a file, a folder of
*.hcl files, or - for standard input, which is written to standard output.

With --fix, what HCL does not know but people write is rewritten first, where only one thing
can be meant: and, or, not, in, =~, a single = in a condition, 100k, typographic quotes.

Exit code: 1 with --check if a file would change, or if a file's syntax is broken; such a
file is left as it is.`,
		Example: "  leadroute fmt --check --diff examples\n  printf 'policy \"p\" {timezone=\"UTC\"}' | leadroute fmt -",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Paths, opts.In, opts.Out, opts.Err = args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return format(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Check, "check", false, "write nothing; fail if a file would change")
	cmd.Flags().BoolVar(&opts.Diff, "diff", false, "write nothing; show what would change")
	cmd.Flags().BoolVar(&opts.Fix, "fix", false, "rewrite the habits of other languages, too")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

// formatted is what --json says of one file.
type formatted struct {
	File    string          `json:"file"`
	Changed bool            `json:"changed"`
	Fixed   []dsl.Fixed     `json:"fixed,omitempty"`
	Broken  dsl.Diagnostics `json:"broken,omitempty"`
}

func format(opts fmtOptions) error {
	files, err := policyFiles(opts.Paths)
	if err != nil {
		return err
	}
	list := []formatted{}
	failed := false
	for _, name := range files {
		f, err := opts.one(name)
		if err != nil {
			return err
		}
		list = append(list, f)
		failed = failed || len(f.Broken) > 0 || opts.Check && f.Changed
	}
	if opts.JSON {
		if err := printJSON(opts.Out, map[string]any{"files": list}); err != nil {
			return err
		}
	}
	if failed {
		return exit(1)
	}
	return nil
}

// policyFiles lists the files of paths; - is standard input.
func policyFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case path == "-":
			files = append(files, path)
			continue
		case errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("there is no file or folder %s", path)
		case err != nil:
			return nil, err
		case !info.IsDir():
			files = append(files, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.hcl"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("the folder %s holds no *.hcl file", path)
		}
		files = append(files, found...)
	}
	return files, nil
}

func (opts fmtOptions) one(name string) (formatted, error) {
	src, err := opts.read(name)
	if err != nil {
		return formatted{}, fmt.Errorf("read %s: %w", inputName(name), err)
	}
	f := formatted{File: inputName(name)}
	out := src
	if opts.Fix {
		out, f.Fixed = dsl.Fix(f.File, src)
	}
	out, f.Broken = dsl.Format(f.File, out)
	if len(f.Broken) > 0 && !opts.JSON {
		if err := f.Broken.WriteText(opts.Err); err != nil {
			return f, err
		}
	}
	f.Changed = !bytes.Equal(src, out)
	return f, opts.write(name, src, out, f)
}

func (opts fmtOptions) read(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(opts.In)
	}
	return os.ReadFile(name)
}

// write shows, says or does what changed. What was fixed is written even where something
// else in the file is still broken.
func (opts fmtOptions) write(name string, src, out []byte, f formatted) error {
	switch {
	case opts.Diff:
		if !opts.JSON && f.Changed {
			_, err := io.WriteString(opts.Out, udiff.Unified(f.File, f.File, string(src), string(out)))
			return err
		}
		return nil
	case name == "-" && !opts.Check && !opts.JSON:
		_, err := opts.Out.Write(out)
		return err
	case !f.Changed:
		return nil
	}
	if !opts.JSON {
		fmt.Fprintln(opts.Out, f.File)
		for _, x := range f.Fixed {
			fmt.Fprintf(opts.Out, "  line %d: %s\n", x.Line, x.What)
		}
	}
	if opts.Check || name == "-" {
		return nil
	}
	return rewriteFile(name, out)
}

// rewriteFile puts a new content in the place of a file at once, and keeps its mode.
func rewriteFile(name string, content []byte) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".fmt-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Chmod(info.Mode().Perm()), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(tmp.Name()))
	}
	return nil
}
