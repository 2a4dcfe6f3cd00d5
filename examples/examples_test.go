// Package examples_test keeps the policies that people copy right: those of this folder,
// and the one in README.md.
package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/policytest"
)

func TestExamplesHold(t *testing.T) {
	policies, err := filepath.Glob("*.hcl")
	if err != nil || len(policies) == 0 {
		t.Fatalf("Glob(*.hcl) = %v, %v, want policies", policies, err)
	}
	for _, path := range append(policies, readme(t)) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			policy, diags := dsl.Load(path)
			for _, d := range diags {
				if d.Severity == dsl.SeverityError {
					t.Errorf("Load(%s): %v", path, d)
				}
			}
			if t.Failed() {
				return
			}
			results, err := policytest.Run(policy, nil, nil)
			if err != nil || len(results) == 0 {
				t.Fatalf("Run(%s) = %d results, %v, want some", path, len(results), err)
			}
			for _, r := range results {
				for _, w := range r.Wrong {
					t.Errorf("%s, %q: %s = %q, want %q", path, r.Name, w.What, w.Got, w.Want)
				}
			}
		})
	}
}

// readme writes the policy of README.md into a file of its own.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "```hcl\n")
	policy, _, ended := strings.Cut(after, "```")
	if !ok || !ended {
		t.Fatal("README.md shows no policy in ```hcl")
	}
	path := filepath.Join(t.TempDir(), "readme.hcl")
	if err := os.WriteFile(path, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
