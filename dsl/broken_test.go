package dsl

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each policy in testdata/broken carries what must be said about it, on the line where
// it must be said: "# ERROR: summary | part of the detail". Nothing else may be said.
func TestBrokenPolicies(t *testing.T) {
	paths, err := filepath.Glob("testdata/broken/*.hcl")
	if err != nil || len(paths) < 40 {
		t.Fatalf("Glob = %d policies, %v, want 40 at least", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hcl"), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			policy, diags := Load(path)
			if diags.HasErrors() != (policy.Plan == nil) {
				t.Errorf("Load(%s): plan is nil: %v, errors: %v", path, policy.Plan == nil, diags.HasErrors())
			}
			left := slices.Clone(diags)
			for i, line := range strings.Split(string(src), "\n") {
				_, rest, _ := strings.Cut(line, "# ERROR: ")
				for want := range strings.SplitSeq(rest, "# ERROR: ") {
					summary, part, _ := strings.Cut(strings.TrimSpace(want), " | ")
					if summary == "" {
						continue
					}
					at := slices.IndexFunc(left, func(d Diagnostic) bool {
						return d.Line == i+1 && d.Summary == summary && strings.Contains(d.Detail, part)
					})
					if at < 0 {
						t.Errorf("%s:%d: nobody said %q", path, i+1, want)
						continue
					}
					left = slices.Delete(left, at, at+1)
				}
			}
			if len(left) > 0 {
				var b bytes.Buffer
				if err := left.WriteText(&b); err != nil {
					t.Fatal(err)
				}
				t.Errorf("Load(%s) says besides:\n%s", path, b.String())
			}
		})
	}
}

// Every finding is provoked by a policy of the corpus, but for the one that needs no text.
func TestEveryFindingHasABrokenPolicy(t *testing.T) {
	paths, err := filepath.Glob("testdata/broken/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{unreadable.ID: true} // TestWhatCannotBeReadIsSaid
	for _, path := range paths {
		_, diags := Load(path)
		for _, d := range diags {
			said[d.ID] = true
		}
	}
	for _, f := range Findings {
		if !said[f.ID] {
			t.Errorf("no policy in testdata/broken provokes %s %s", f.ID, f.Slug)
		}
	}
}
