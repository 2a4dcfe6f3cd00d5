// Package examples_test keeps the policies that people copy right: those of this folder,
// and the one in README.md.
package examples_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/policytest"
)

func TestExamplesHold(t *testing.T) {
	policies, err := filepath.Glob("*.hcl")
	if err != nil || len(policies) == 0 {
		t.Fatalf("Glob(*.hcl) = %v, %v, want policies", policies, err)
	}
	policies = append(policies, readme(t))
	for _, path := range append(policies, "multi-region", "enterprise") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			policy, diags := dsl.Load(path)
			later := 0
			for _, d := range diags {
				switch {
				case d.ID == "LR005": // the policies in folders say the whole language
					later++
				case d.Severity == dsl.SeverityError:
					t.Errorf("Load(%s): %v", path, d)
				}
			}
			if later > 0 {
				t.Skipf("%s says %d things that this version does not know yet", path, later)
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

func TestExamplesAreLaidOut(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"*.hcl", "*/*.hcl"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("Glob(%s) = %v, %v, want policies", pattern, found, err)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(hclwrite.Format(src), src) {
			t.Errorf("%s is not laid out as leadroute fmt does it", path)
		}
	}
}

// The tables are there, and say nothing that the policies could not use.
func TestTablesHoldWhatThePoliciesName(t *testing.T) {
	for path, want := range map[string]struct {
		column string
		values []string
		rows   int
	}{
		"multi-region/tables/country_region.csv": {"region", []string{"NA", "EMEA", "APAC", "LATAM"}, 40},
		"enterprise/tables/country_region.csv":   {"region", []string{"AMER", "EMEA", "APAC"}, 40},
		"enterprise/tables/naics.csv":            {"industry", []string{"finance", "health", "retail", "public", "tech", "manufacturing", "other"}, 20},
		"enterprise/tables/territories.csv":      {"pool", []string{"named_amer", "named_emea", "growth_amer", "growth_emea", "growth_apac", "inside_sales"}, 55},
	} {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(src)).ReadAll()
		if err != nil || len(rows) < want.rows {
			t.Fatalf("%s: %d rows, %v, want %d", path, len(rows), err, want.rows)
		}
		column := slices.Index(rows[0], want.column)
		seen := map[string]int{}
		for i, row := range rows[1:] {
			if column < 0 || !slices.Contains(want.values, row[column]) {
				t.Errorf("%s:%d: %s = %v, want one of %v", path, i+2, want.column, row, want.values)
			}
			whole := strings.Join(row, ",")
			if first := seen[whole]; first > 0 {
				t.Errorf("%s:%d is line %d again", path, i+2, first)
			}
			seen[whole] = i + 2
		}
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
