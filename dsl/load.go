package dsl

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Policy is a policy as it was read.
type Policy struct {
	// Plan is what it compiles to; nil when it has errors.
	Plan *plan.Plan
	// Tests are its test blocks, in the order of the source.
	Tests []Test
	// Scenarios are its scenario blocks, in the order of the source.
	Scenarios []Scenario
	// Source is what it was read from, file name (without folder) to content: what
	// CompileSource takes on another machine. What its blocks read besides stands under the
	// name by which they say it: tables/countries.csv, calendars/de.ics, or an address.
	Source map[string][]byte
	// Fields are the lead's, and Declarations the named blocks; both are there for a policy
	// with errors, too, as far as it could be read.
	Fields       []plan.Field
	Declarations []Declaration

	source *compiler // where what stands
}

// Options change how a policy is read.
type Options struct {
	// Vars are values of the policy's variables; a name that it does not declare is an error.
	Vars map[string]string
	// Environ is the environment, "NAME=value", whose LEADROUTE_VAR_name sets what Vars does not.
	Environ []string
}

// setFile is where Source keeps the variables that were set from outside.
const setFile = "variables.set.json"

// file is one source file; path is how the user named it, for the diagnostics.
type file struct {
	name, path string
	src        []byte
}

// Load reads a policy from files and folders (their *.hcl, not those of folders inside),
// checks and compiles it. The diagnostics hold everything that is wrong, a file that
// cannot be read included; where there is an error the plan is nil. Variables are set
// from the environment.
func Load(paths ...string) (*Policy, Diagnostics) {
	return LoadWith(Options{Environ: os.Environ()}, paths...)
}

// LoadWith is Load with options.
func LoadWith(opts Options, paths ...string) (*Policy, Diagnostics) {
	var files []file
	c := newCompiler()
	c.opts, c.readTable, c.disk = opts, readTableFile, true
	for _, path := range paths {
		found, err := readPath(path)
		if err != nil {
			c.report(unreadable, hcl.Range{}, "%s.", capital(err.Error()))
		}
		files = append(files, found...)
	}
	if len(paths) == 0 {
		c.report(unreadable, hcl.Range{}, "Name a policy file, or a folder of *.hcl files.")
	}
	return c.compile(files), c.done()
}

// CompileSource compiles a policy from its files' contents, by file name.
func CompileSource(source map[string][]byte) (*plan.Plan, Diagnostics) {
	p, diags := Parse(source)
	return p.Plan, diags
}

// Parse is Load from memory.
func Parse(source map[string][]byte) (*Policy, Diagnostics) {
	c, files := fromSource(source)
	return c.compile(files), c.done()
}

// ParseOpen is Load for an editor: the policy's files as they are open, by path, with what
// their blocks read besides from disk.
func ParseOpen(open map[string][]byte) (*Policy, Diagnostics) {
	files := make([]file, 0, len(open))
	for path, src := range open {
		files = append(files, file{name: filepath.Base(path), path: path, src: src})
	}
	c := newCompiler()
	c.opts, c.readTable, c.disk = Options{Environ: os.Environ()}, readTableFile, true
	return c.compile(files), c.done()
}

// fromSource sets a compiler up for a policy's files as Source holds them.
func fromSource(source map[string][]byte) (*compiler, []file) {
	files := make([]file, 0, len(source))
	c := newCompiler()
	c.given = source
	for name, src := range source {
		switch ext := filepath.Ext(name); {
		case name == setFile:
			if err := json.Unmarshal(src, &c.opts.Vars); err != nil {
				c.report(unreadable, hcl.Range{Filename: name}, "These are no variables: %s.", err)
			}
		case ext != ".csv" && ext != ".json" && ext != ".ics" && !IsAddress(name): // those are data
			files = append(files, file{name: filepath.Base(name), path: name, src: src})
		}
	}
	c.readTable = func(_, name string) ([]byte, error) {
		src, ok := source[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		if len(src) > maxTable {
			return nil, errTooLarge
		}
		return src, nil
	}
	return c, files
}

func readPath(path string) ([]file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainError(path, err)
	}
	names := []string{path}
	if info.IsDir() {
		if names, err = filepath.Glob(filepath.Join(escapeGlob(path), "*.hcl")); err != nil {
			return nil, plainError(path, err)
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("the folder %s holds no *.hcl file", path)
		}
	}
	files := make([]file, 0, len(names))
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, plainError(name, err)
		}
		files = append(files, file{name: filepath.Base(name), path: name, src: src})
	}
	return files, nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func plainError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file or folder %s", path)
	}
	return err
}

// planID is the hash of the files' names and contents, wherever they lie.
func planID(files []file) leadroute.PlanID {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%d %s %d ", len(f.name), f.name, len(f.src))
		h.Write(f.src)
	}
	return leadroute.PlanID(hex.EncodeToString(h.Sum(nil)[:10]))
}

func byName(files []file) []file {
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return files
}
