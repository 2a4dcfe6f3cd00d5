package examples_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/scenario"
	"github.com/leadroute/leadroute/processors/pools"
)

// The policies in scenarios/ show what the parts of the language do that decide who gets a lead.
// A comment above a scenario says which: # covers: pool.require, pool.strategy = weighted. That it
// is so is tried: without the attribute, or with another value, the scenario must not hold.

// shown are the blocks whose every attribute needs a scenario.
var shown = []string{"priority.step", "pool", "pool.capacity", "queue", "rule.assign"}

// valuesOf are the values of an attribute of which each needs one.
func valuesOf(attr string) []string {
	switch attr {
	case "pool.strategy":
		var names []string
		for _, s := range pools.Builtin {
			names = append(names, string(s.Name()))
		}
		return names
	case "pool.catch_up":
		return []string{string(plan.CatchUpNone), string(plan.CatchUpAverage), string(plan.CatchUpFull)}
	case "queue.order":
		return []string{string(plan.ByDeadline), string(plan.ByPriority), string(plan.ByArrival)}
	}
	return nil
}

// unseen are attributes that no scenario can show, and why. Those that the product does not act
// on yet are listed by plan.Inactive, too.
var unseen = map[string]string{}

// claimed is what a scenario says that it covers.
type claimed struct {
	file, scenario, what string
}

var (
	coversLine = regexp.MustCompile(`^# covers: (.+)$`)
	storyLine  = regexp.MustCompile(`^scenario "(.+)" \{$`)
)

// claims reads the comments.
func claims(t *testing.T) (all []claimed) {
	t.Helper()
	files, err := filepath.Glob("scenarios/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(scenarios/*.hcl) = %v, %v, want policies", files, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for line := range strings.Lines(string(src)) {
			line = strings.TrimRight(line, "\n")
			if m := coversLine.FindStringSubmatch(line); m != nil {
				said = strings.Split(m[1], ", ")
			} else if m := storyLine.FindStringSubmatch(line); m != nil {
				for _, what := range said {
					all = append(all, claimed{file, m[1], what})
				}
				said = nil
			}
		}
	}
	return all
}

func TestScenariosHold(t *testing.T) {
	files, err := filepath.Glob("scenarios/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(scenarios/*.hcl) = %v, %v, want policies", files, err)
	}
	for _, file := range files {
		p, diags := dsl.Load(file)
		if len(diags) > 0 {
			t.Errorf("Load(%s): %v, want nothing to say", file, diags.Error())
			continue
		}
		if inactive := p.Plan.Inactive(); len(inactive) > 0 {
			t.Errorf("%s: %v, want scenarios of what is acted on alone", file, inactive)
		}
		results, err := scenario.Run(p, nil, nil, nil)
		if err != nil || len(results) == 0 {
			t.Errorf("Run(%s) = %d results, %v, want some", file, len(results), err)
		}
		for _, r := range results {
			if len(r.Wrong) > 0 {
				t.Errorf("%s:%d %s: %+v\n%s", r.File, r.Line, r.Name, r.Wrong, strings.Join(r.Timeline, "\n"))
			}
		}
	}
}

// Every attribute of the blocks that decide who gets a lead has a scenario.
func TestEveryAttributeHasAScenario(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range claims(t) {
		covered[c.what] = true
	}
	known := map[string]bool{}
	for _, path := range shown {
		for _, attr := range attributesOf(t, path) {
			wants := []string{path + "." + attr}
			for _, v := range valuesOf(wants[0]) {
				wants = append(wants, wants[0]+" = "+v)
			}
			if len(wants) > 1 {
				wants = wants[1:]
			}
			for _, want := range wants {
				known[want] = true
				switch reason := unseen[want]; {
				case covered[want] && reason != "":
					t.Errorf("%s has a scenario: take it out of unseen (%s)", want, reason)
				case !covered[want] && reason == "":
					t.Errorf("%s has no scenario: add one to examples/scenarios, with # covers: %s", want, want)
				}
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(covered)) {
		if !known[what] {
			t.Errorf("# covers: %s, which the language does not have", what)
		}
	}
	for what := range unseen {
		if !known[what] {
			t.Errorf("unseen has %s, which the language does not have", what)
		}
	}
}

// attributesOf are the attributes of a block by its path, without the description.
func attributesOf(t *testing.T, path string) []string {
	t.Helper()
	in := dsl.Describe().Blocks
	parts := strings.Split(path, ".")
	for n, part := range parts {
		i := slices.IndexFunc(in, func(b dsl.BlockDoc) bool { return b.Name == part })
		if i < 0 {
			t.Fatalf("the language has no block %s", path)
		}
		if n == len(parts)-1 {
			var names []string
			for _, a := range in[i].Attributes {
				if a.Name != "description" {
					names = append(names, a.Name)
				}
			}
			return names
		}
		in = in[i].Blocks
	}
	return nil
}

// A scenario covers an attribute if it does not hold without it, or with any other value.
func TestScenariosCoverWhatTheySay(t *testing.T) {
	for _, c := range claims(t) {
		t.Run(c.scenario+"/"+c.what, func(t *testing.T) {
			src, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Dir(c.file))); err != nil { // with what stands beside it
				t.Fatal(err)
			}
			path, value, of := strings.Cut(c.what, " = ")
			block, attr := path[:strings.LastIndex(path, ".")], path[strings.LastIndex(path, ".")+1:]
			if !of {
				if holds(t, dir, without(t, src, block, attr, ""), c) {
					t.Errorf("%s: %q holds without %s as well", c.file, c.scenario, path)
				}
				return
			}
			for _, other := range valuesOf(path) {
				if other != value && !holds(t, dir, without(t, src, block, attr, other, value), c) {
					return
				}
			}
			t.Errorf("%s: %q holds with every other %s as well", c.file, c.scenario, path)
		})
	}
}

// without takes an attribute out of all blocks of a path or, where it has one of the given
// values, sets it to another.
func without(t *testing.T, src []byte, path, attr, to string, from ...string) []byte {
	t.Helper()
	f, diags := hclwrite.ParseConfig(src, "policy.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	bodies := []*hclwrite.Body{f.Body()}
	for part := range strings.SplitSeq(path, ".") {
		var in []*hclwrite.Body
		for _, b := range bodies {
			for _, n := range b.Blocks() {
				if n.Type() == part {
					in = append(in, n.Body())
				}
			}
		}
		bodies = in
	}
	changed := 0
	for _, b := range bodies {
		a := b.GetAttribute(attr)
		switch {
		case a == nil:
		case to == "":
			b.RemoveAttribute(attr)
			changed++
		case slices.Contains(from, strings.Trim(strings.TrimSpace(string(a.Expr().BuildTokens(nil).Bytes())), `"`)):
			b.SetAttributeValue(attr, cty.StringVal(to))
			changed++
		}
	}
	if changed == 0 {
		t.Fatalf("no %s in the policy has %s %s", path, attr, fmt.Sprint(from))
	}
	return f.Bytes()
}

// holds tells whether the scenario holds in that version of the policy; one that does not load
// needs what was taken out.
func holds(t *testing.T, dir string, src []byte, c claimed) bool {
	t.Helper()
	file := filepath.Join(dir, filepath.Base(c.file))
	if err := os.WriteFile(file, src, 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := dsl.Load(file)
	if p.Plan == nil {
		return false
	}
	results, err := scenario.Run(p, regexp.MustCompile("^"+regexp.QuoteMeta(c.scenario)+"$"), nil, nil)
	if err != nil {
		return false // such as a clock that stands still
	}
	if len(results) != 1 {
		t.Fatalf("%d scenarios are called %q, want one", len(results), c.scenario)
	}
	return len(results[0].Wrong) == 0
}
