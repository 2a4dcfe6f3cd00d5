package analyze

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
)

func policyOf(t testing.TB, source string) *dsl.Policy {
	t.Helper()
	p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(source)})
	if p.Plan == nil {
		t.Fatalf("Parse(%s) = %v", source, diags.Error())
	}
	return p
}

func mustJSON(t testing.TB, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Each policy in testdata/policies carries what must be said about it, on the line where it
// must be said: "# WARNING: summary | part of the detail". Nothing else may be said.
func TestPolicies(t *testing.T) {
	paths, err := filepath.Glob("testdata/policies/*.hcl")
	if err != nil || len(paths) < 10 {
		t.Fatalf("Glob = %d policies, %v, want 10 at least", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hcl"), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			policy, diags := dsl.Load(path)
			if policy.Plan == nil {
				t.Fatal(diags.Error())
			}
			left := Run(policy, Options{Year: 2026}).Diagnostics
			for i, line := range strings.Split(string(src), "\n") {
				_, rest, _ := strings.Cut(line, "# WARNING: ")
				for want := range strings.SplitSeq(rest, "# WARNING: ") {
					summary, part, _ := strings.Cut(strings.TrimSpace(want), " | ")
					if summary == "" {
						continue
					}
					at := slices.IndexFunc(left, func(d dsl.Diagnostic) bool {
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
				t.Errorf("Run(%s) says besides:\n%s", path, b.String())
			}
		})
	}
}

// drawCondition draws a condition that the analysis knows exactly.
func drawCondition(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 11).Draw(t, "kind")
	if depth == 0 {
		kind %= 9
	}
	switch kind {
	case 0, 1:
		op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "op")
		return fmt.Sprintf("lead.size %s %d", op, rapid.IntRange(0, 3).Draw(t, "n"))
	case 2:
		op := rapid.SampledFrom([]string{"==", "!="}).Draw(t, "op")
		return fmt.Sprintf("lead.region %s %q", op, rapid.SampledFrom([]string{"NA", "EMEA", "APAC"}).Draw(t, "region"))
	case 3:
		return rapid.SampledFrom([]string{"lead.vip", "!lead.vip", "lead.vip == false"}).Draw(t, "vip")
	case 4:
		return "has(lead." + rapid.SampledFrom([]string{"size", "region", "vip", "tags", "title"}).Draw(t, "f") + ")"
	case 5:
		return rapid.SampledFrom([]string{`one_of(lead.region, ["NA", "APAC"])`, "one_of(lead.size, [0, 2])", "between(lead.size, 1, 2)"}).Draw(t, "set")
	case 6:
		return fmt.Sprintf("contains(lead.tags, %q)", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tag"))
	case 7:
		return rapid.SampledFrom([]string{`lead.title == "boss"`, `startswith(lead.title, "b")`, `lead.title != "clerk"`}).Draw(t, "title")
	case 8:
		return rapid.SampledFrom([]string{"lead.priority == priority.P0", "lead.priority != priority.P1", "lead.territory == territory.far", "has(lead.territory)"}).Draw(t, "decided")
	case 9:
		return "!(" + drawCondition(t, depth-1) + ")"
	case 10:
		return "(" + drawCondition(t, depth-1) + " && " + drawCondition(t, depth-1) + ")"
	default:
		return "(" + drawCondition(t, depth-1) + " || " + drawCondition(t, depth-1) + ")"
	}
}

// everyLead lists a lead for each combination of cells of drawCondition's fields.
func everyLead() []string {
	var all []string
	for _, size := range []string{"", "-1", "0", "0.5", "1", "1.5", "2", "2.5", "3", "4"} {
		for _, region := range []string{"", `"NA"`, `"EMEA"`, `"APAC"`} {
			for _, vip := range []string{"", "true", "false"} {
				for _, tags := range []string{"", "[]", `["a"]`, `["b"]`, `["a","b"]`} {
					for _, title := range []string{"", `"boss"`, `"clerk"`, `"bard"`, `"dean"`} {
						lead := map[string]json.RawMessage{}
						for name, v := range map[string]string{"size": size, "region": region, "vip": vip, "tags": tags, "title": title} {
							if v != "" {
								lead[name] = json.RawMessage(v)
							}
						}
						raw, err := json.Marshal(lead)
						if err != nil {
							panic(err)
						}
						all = append(all, string(raw))
					}
				}
			}
		}
	}
	return all
}

// What the analysis says of small rule sets is what trying every lead says.
func TestSameAsTryingEveryLead(t *testing.T) {
	leads := everyLead()
	rapid.Check(t, func(t *rapid.T) {
		var src strings.Builder
		decided := func(s string) string { // priorities and territories do not read each other here
			for strings.Contains(s, "lead.priority") || strings.Contains(s, "lead.territory") {
				s = drawCondition(t, 1)
			}
			return s
		}
		fmt.Fprintf(&src, `
schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC"]
  }
  field "size" { type = number }
  field "vip" { type = bool }
}
priority "P0" { when = %s }
priority "P1" { when = %s }
priority "P2" {}
territory "near" { when = %s }
territory "far" { when = %s }
`, decided("!("+drawCondition(t, 1)+")"), decided(drawCondition(t, 2)), decided("!("+drawCondition(t, 1)+")"), decided(drawCondition(t, 2)))
		n := rapid.IntRange(1, 7).Draw(t, "rules")
		for i := range n {
			fmt.Fprintf(&src, "rule \"r%d\" {\n  when = %s\n  enabled = %v\n  to = queue.unassigned\n}\n", i,
				drawCondition(t, 3), rapid.IntRange(0, 5).Draw(t, "enabled") > 0)
		}
		p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(src.String())})
		if p.Plan == nil {
			t.Fatalf("Parse(%s) = %v", src.String(), diags.Error())
		}
		taken, hole := map[string]bool{}, false
		for _, raw := range leads {
			r, err := p.Plan.Record(&leadroute.Lead{Fields: []byte(raw)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			d := p.Plan.Decide(r, nil, time.Time{})
			taken[d.Rule] = true
			hole = hole || d.Rule == ""
			r.Free()
		}
		said, gap := map[int]bool{}, false
		lines := strings.Split(src.String(), "\n")
		for _, d := range Run(p, Options{Year: 2026}).Diagnostics {
			switch d.ID {
			case dsl.UnreachableRule.ID, dsl.ImpossibleCondition.ID:
				for i := d.Line - 1; i >= 0; i-- {
					var rule int
					if c, _ := fmt.Sscanf(lines[i], "rule \"r%d\"", &rule); c == 1 {
						said[rule] = true
						break
					}
					if strings.HasPrefix(lines[i], "priority") || strings.HasPrefix(lines[i], "territory") {
						break
					}
				}
			case dsl.PossibleGap.ID:
				gap = true
				if d.Lead == nil {
					t.Errorf("a gap without a lead: %s\n%s", d.Detail, src.String())
				}
			}
		}
		enabled := false
		for i := range p.Plan.Rules {
			r := &p.Plan.Rules[i]
			enabled = enabled || !r.Disabled
			if want := !r.Disabled && !taken[r.Name]; said[i] != want {
				t.Errorf("rule.%s unreachable: said %v, want %v\n%s", r.Name, said[i], want, src.String())
			}
		}
		if enabled && gap != hole {
			t.Errorf("gap: said %v, want %v\n%s", gap, hole, src.String())
		}
	})
}
