package dsl

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute/dsl/plan"
)

func TestThePlansIDIsOfTheContentAlone(t *testing.T) {
	src, err := os.ReadFile("../examples/demo.hcl")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "demo.hcl")
	if err := os.WriteFile(elsewhere, src, 0o600); err != nil {
		t.Fatal(err)
	}
	a, _ := Load("../examples/demo.hcl")
	b, _ := Load(filepath.Dir(elsewhere))
	c, _ := CompileSource(a.Source)
	d, _ := CompileSource(map[string][]byte{"demo.hcl": append(slices.Clone(src), "\n# more\n"...)})
	if a.Plan.ID != b.Plan.ID || a.Plan.ID != c.ID || a.Plan.ID == d.ID || len(a.Plan.ID) != 20 {
		t.Errorf("plan ids = %s, %s, %s and %s, want the first three equal and the last another", a.Plan.ID, b.Plan.ID, c.ID, d.ID)
	}
}

func TestAPolicyMayBeSplitOverFiles(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{
		"b-rules.hcl":  `rule "r" { to = [pool.a, queue.unassigned] }`,
		"a-people.hcl": "rep \"ana\" { email = \"ana@example.com\" }\npool \"a\" { members = [rep.ana] }",
		"c-speed.hcl":  `priority "P0" { deliver_within = "1m" }`,
		"notes.txt":    "not a policy",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, diags := Load(dir)
	if p.Plan == nil || len(p.Source) != 3 {
		t.Fatalf("Load = %d files, %v, want 3 and no error", len(p.Source), diags.Error())
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	for _, paths := range [][]string{{"testdata/nothing.hcl"}, {t.TempDir()}, {}, {"testdata/broken/no_rules.hcl", "./testdata/broken/no_rules.hcl"}} {
		p, diags := Load(paths...)
		if p.Plan != nil || !slices.ContainsFunc(diags, func(d Diagnostic) bool { return d.ID == unreadable.ID }) {
			t.Errorf("Load(%q) = %v, want %s", paths, diags, unreadable.Summary)
		}
	}
}

func TestFindingsHaveNumbersOfTheirOwn(t *testing.T) {
	ids, slugs, summaries := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range Findings {
		if ids[f.ID] || slugs[f.Slug] || summaries[f.Summary] || !strings.HasPrefix(f.ID, "LR") || strings.ToLower(f.Slug) != f.Slug {
			t.Errorf("the finding %v has the id, slug or words of another, or no good ones", f)
		}
		if len(strings.Fields(f.Explain)) < 8 || strings.Contains(f.Explain, "\n") || f.Bad == "" || f.Good == "" || f.Bad == f.Good {
			t.Errorf("%s %s lacks its paragraph (Explain), or an example of it (Bad) and of it mended (Good)", f.ID, f.Slug)
		}
		ids[f.ID], slugs[f.Slug], summaries[f.Summary] = true, true, true
	}
}

// The text form: place, words, id; the line; carets under the cause; what to write.
func TestTextForm(t *testing.T) {
	_, diags := Parse(map[string][]byte{"policy.hcl": []byte("priority \"P0\" {}\nschema \"lead\" {\n  field \"company_size\" { type = number }\n}\n" +
		"rule \"r\" {\n\twhen = lead.companysize > 500\n\tto   = queue.unassigned\n}\nrule \"s\" { to = queue.unassigned }\n")})
	var b bytes.Buffer
	if err := diags.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := "policy.hcl:6,9-25: Unknown lead field                                              LR003\n" +
		"    6 | \twhen = lead.companysize > 500\n" +
		"      | \t       ^^^^^^^^^^^^^^^^\n" +
		"  A lead has no field \"companysize\". Did you mean \"lead.company_size\"?\n"
	if b.String() != want {
		t.Errorf("WriteText = \n%s, want\n%s", b.String(), want)
	}
}

func TestAWarningIsIgnoredForAReason(t *testing.T) {
	const policy = "priority \"P0\" {}\nrep \"a\" { email = \"a@example.com\" }\npool \"a\" { members = [rep.a] }\n" +
		"rule \"r\" {\n  when = pool.a.available > 0 %\n  to   = queue.unassigned\n}\nrule \"s\" { to = queue.unassigned }\n"
	for comment, want := range map[string]int{
		"": 1, "# leadroute:ignore LR024 ops asked for it": 0, "# leadroute:ignore live-read ops asked for it": 0,
		"# leadroute:ignore LR024": 2, "# leadroute:ignore LR012 ops asked for it": 1,
	} {
		_, diags := Parse(map[string][]byte{"p.hcl": []byte(strings.Replace(policy, "%", comment, 1))})
		if len(diags) != want {
			t.Errorf("with %q: %v, want %d findings", comment, diags, want)
		}
	}
}

func TestDurationsAndRates(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour, "2w": 336 * time.Hour, "1w2d3h": 219 * time.Hour,
		"1.5d": 36 * time.Hour, "500ms": 500 * time.Millisecond, "1d-24h": 0, "d": -1, "": -1, "1x": -1, "99999999w": -1, "1d1": -1,
	} {
		d, err := ParseDuration(s)
		if err != nil {
			d = -1
		}
		if d != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", s, d, err, want)
		}
	}
	for s, want := range map[string]float64{"50/s": 50, "600/m": 10, "3600/h": 1, "0/s": 0, "x/s": 0, "5": 0, "5/d": 0, "-1/s": 0, "NaN/s": 0} {
		if got, _ := ParseRate(s); got != want {
			t.Errorf("ParseRate(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestHoursOfTheWeek(t *testing.T) {
	p, diags := CompileSource(map[string][]byte{"p.hcl": []byte(`
policy "p" { timezone = "Europe/Berlin" }
priority "P0" {}
hours "h" { week = { "fri-mon" = "08:30-12:00, 13:00-24:00", "wed" = ["09:00-10:00"] } }
rule "r" { to = queue.unassigned }
`)})
	if p == nil {
		t.Fatal(diags.Error())
	}
	h := p.Hours["h"]
	long := []plan.Span{{From: 510, Until: 720}, {From: 780, Until: 1440}}
	for d, want := range map[time.Weekday][]plan.Span{time.Friday: long, time.Sunday: long, time.Monday: long, time.Wednesday: {{From: 540, Until: 600}}, time.Tuesday: nil} {
		if !slices.Equal(h.Week[d], want) {
			t.Errorf("week[%s] = %v, want %v", d, h.Week[d], want)
		}
	}
	if h.Zone.String() != "Europe/Berlin" {
		t.Errorf("zone = %s, want the policy's", h.Zone)
	}
}

// No text makes the compiler panic, and a plan there is exactly when there is no error.
func FuzzLoad(f *testing.F) {
	paths, _ := filepath.Glob("testdata/broken/*.hcl")
	more, _ := filepath.Glob("../examples/*.hcl")
	for _, path := range append(paths, more...) {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, diags := Parse(map[string][]byte{"p.hcl": src})
		if (p.Plan == nil) != diags.HasErrors() {
			t.Fatalf("Parse: plan is nil: %v, errors: %v", p.Plan == nil, diags)
		}
		if err := diags.WriteText(&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	})
}
