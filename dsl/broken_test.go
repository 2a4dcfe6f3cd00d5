package dsl

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// expectation is what must be said about the line that it stands on.
var expectation = regexp.MustCompile(`# (ERROR|WARNING): `)

// Each policy in testdata/broken carries what must be said about it, on the line where
// it must be said: "# ERROR: summary | part of the detail". What must be said of a table is
// said in the policy, with the place: "# ERROR: @tables/rows.csv:3 summary". Nothing else
// may be said.
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
			if policy.Plan != nil {
				diags = append(diags, policy.StaleIgnores()...)
			}
			if diags.HasErrors() != (policy.Plan == nil) {
				t.Errorf("Load(%s): plan is nil: %v, errors: %v", path, policy.Plan == nil, diags.HasErrors())
			}
			left := slices.Clone(diags)
			for i, line := range strings.Split(string(src), "\n") {
				marks := expectation.FindAllStringSubmatchIndex(line, -1)
				for j, m := range marks {
					severity, want := strings.ToLower(line[m[2]:m[3]]), line[m[1]:]
					if j+1 < len(marks) {
						want = line[m[1]:marks[j+1][0]]
					}
					summary, part, _ := strings.Cut(strings.TrimSpace(want), " | ")
					file, row := path, i+1
					if place, rest, ok := strings.Cut(summary, " "); ok && summary[0] == '@' {
						name, number, _ := strings.Cut(place[1:], ":")
						file, summary = filepath.Join(filepath.Dir(path), name), rest
						row, _ = strconv.Atoi(number)
					}
					at := slices.IndexFunc(left, func(d Diagnostic) bool {
						return d.Severity == severity && d.File == file && d.Line == row && d.Summary == summary && strings.Contains(d.Detail, part)
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

// Every finding is provoked by a policy of the corpus, but for those that no text
// provokes, and those of dsl/analyze, which has a corpus of its own.
func TestEveryFindingHasABrokenPolicy(t *testing.T) {
	paths, err := filepath.Glob("testdata/broken/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	// These need more than a text, and have tests of their own.
	said := map[string]bool{unreadable.ID: true, tableTooLarge.ID: true, strayVariable.ID: true}
	for _, f := range []Finding{
		UnreachableRule, PossibleGap, ImpossibleCondition, InvariantRefuted, NobodyThere, ClockRunsOn, NeverOpen, NeverDrained, InvariantBroken,
	} {
		said[f.ID] = true
	}
	for _, path := range paths {
		policy, diags := Load(path)
		if policy.Plan != nil {
			diags = append(diags, policy.StaleIgnores()...)
		}
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
