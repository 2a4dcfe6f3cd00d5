package arch

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The module as it is keeps the rules.
func TestImportsGoTheirWay(t *testing.T) {
	pkgs := list(t)
	if _, ok := pkgs[Module]; !ok {
		t.Fatalf("go list knows %d packages, but not %s", len(pkgs), Module)
	}
	for _, v := range Check(Rules, pkgs) {
		t.Error(v)
	}
}

// Each of these edges would be a mistake; the table must say so, and name the way.
func TestWrongEdgesAreFound(t *testing.T) {
	for _, tc := range []struct{ from, to, why string }{
		{".", "github.com/twmb/franz-go/pkg/kgo", "the nouns"},
		{".", "dsl/plan", "the nouns"},
		{"dsl/plan", "github.com/hashicorp/hcl/v2", "nothing of HCL"},
		{"dsl/plan", "processors/stream", "nothing of HCL"},
		{"dsl", "processors/ledger", "who runs it"},
		{"dsl", "github.com/lovoo/goka", "who runs it"},
		{"dsl/analyze", "github.com/twmb/franz-go/pkg/kgo", "who runs it"},
		{"processors/ledger", "processors/pools", "meet on topics"},
		{"processors/deliver/connector", "processors/clock", "meet on topics"},
		{"processors/stream", "processors/reps", "meet on topics"},
		{"processors/admit", "github.com/hashicorp/hcl/v2/hclsyntax", "dsl/plan.Plan"},
		{"processors/reps", "github.com/zclconf/go-cty/cty", "dsl/plan.Plan"},
		{"processors/gateway", "dsl", "dsl/plan.Plan"},
		{"processors/gateway", "views", "dsl/plan.Plan"},
		{"processors/accounts", "sink/migrations", "dsl/plan.Plan"},
		{"processors", "internal/crmsim", "dsl/plan.Plan"},
		{"views", "dsl", "not the language"},
		{"sink", "github.com/hashicorp/hcl/v2", "not the language"},
		{"views/console", "sink", "read apart"},
		{"sink", "views", "read apart"},
		{"internal/loadgen", "processors/gateway", "share its code"},
		{"internal/crmsim", "processors/deliver", "share its code"},
		{"internal/sim", "cmd/leadroute", "wired by nobody"},
		{"cmd/leadroute", "math/rand", "have replaced them"},
	} {
		from, to := full(tc.from), full(tc.to)
		pkgs := graph(from, to)
		found := Check(Rules, pkgs)
		if !slices.ContainsFunc(found, func(v Violation) bool {
			return v.From == from && v.To == to && strings.Contains(v.Why, tc.why) && slices.Equal(v.Path, []string{from, to})
		}) {
			t.Errorf("Check(%s → %s) = %v, want a violation that says %q", tc.from, tc.to, found, tc.why)
		}
	}
}

// What the layout is for must stay allowed.
func TestRightEdgesAreNot(t *testing.T) {
	for _, tc := range [][]string{
		{".", "github.com/goccy/go-json"},
		{"dsl/plan", "."},
		{"dsl", "dsl/plan"},
		{"dsl", "github.com/hashicorp/hcl/v2"},
		{"processors/ledger", "processors/stream"},
		{"processors/ledger", "dsl/plan"},
		{"processors/deliver", "processors/deliver/connector"},
		{"processors", "processors/ledger"},
		{"processors/stream", "github.com/lovoo/goka"},
		{"views", "processors/stream"},
		{"sink", "github.com/ClickHouse/clickhouse-go/v2"},
		{"internal/sim", "processors/ledger"},
		{"internal/loadgen", "."},
		{"cmd/leadroute", "sink"},
		{"processors/reps", "math/rand/v2"},
	} {
		if found := Check(Rules, graph(full(tc[0]), full(tc[1]))); len(found) != 0 {
			t.Errorf("Check(%s → %s) = %v, want none", tc[0], tc[1], found)
		}
	}
}

// A wrong import is found behind a right one.
func TestDetoursAreFollowed(t *testing.T) {
	admit, stream, hcl := full("processors/admit"), full("processors/stream"), "github.com/hashicorp/hcl/v2"
	pkgs := map[string]Package{
		admit:  {ImportPath: admit, Imports: []string{stream}, Deps: []string{stream, hcl}},
		stream: {ImportPath: stream, Imports: []string{hcl}, Deps: []string{hcl}},
		hcl:    {ImportPath: hcl},
	}
	want := []string{admit, stream, hcl}
	if !slices.ContainsFunc(Check(Rules, pkgs), func(v Violation) bool { return v.From == admit && slices.Equal(v.Path, want) }) {
		t.Errorf("Check(%v) does not find the way %v", pkgs, want)
	}
}

func full(path string) string {
	first, _, _ := strings.Cut(path, "/")
	switch {
	case path == ".":
		return Module
	case strings.Contains(first, "."), first == "math":
		return path
	}
	return Module + "/" + path
}

func graph(from, to string) map[string]Package {
	return map[string]Package{
		from: {ImportPath: from, Imports: []string{to}, Deps: []string{to}},
		to:   {ImportPath: to, Standard: strings.HasPrefix(to, "math/")},
	}
}

func list(t *testing.T) map[string]Package {
	t.Helper()
	touch(t, root)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", Module+"/...")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	pkgs := map[string]Package{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatalf("read go list's answer: %v", err)
		}
		pkgs[p.ImportPath] = p
	}
}

// touch looks at every folder and Go file of the module. The go command remembers what a test
// opened, not what its children did: without this it would answer from its cache after an
// import was added.
func touch(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "data"):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatalf("look over %s: %v", root, err)
	}
}
