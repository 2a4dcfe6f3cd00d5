package dsl_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/leadroute/leadroute/dsl"
)

// words are a source's tokens without its layout: what it says.
func said(src []byte) []string {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	var out []string
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenEOF:
		case hclsyntax.TokenComment:
			out = append(out, strings.TrimRight(string(t.Bytes), " \t\r\n"))
		default:
			out = append(out, string(t.Bytes))
		}
	}
	return out
}

// Formatting says the same, comments included, and formatting again changes nothing.
func checkFormat(t *testing.T, src []byte) {
	t.Helper()
	once, diags := dsl.Format("p.hcl", src)
	if diags.HasErrors() {
		if !bytes.Equal(once, src) {
			t.Errorf("a broken file was changed:\n%s", once)
		}
		return
	}
	if !slices.Equal(said(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))), said(once)) {
		t.Errorf("formatting changed what is said:\n%q\n%q", src, once)
	}
	if twice, _ := dsl.Format("p.hcl", once); !bytes.Equal(once, twice) {
		t.Errorf("formatting twice is not formatting once:\n%q\n%q", once, twice)
	}
}

func policies(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, pattern := range []string{"../examples/*.hcl", "../examples/*/*.hcl", "testdata/broken/*.hcl"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, src)
		}
	}
	if len(out) < 100 {
		t.Fatalf("%d policies, want a hundred at least", len(out))
	}
	return out
}

func TestFormat(t *testing.T) {
	for _, src := range policies(t) {
		checkFormat(t, src)
	}
	got, _ := dsl.Format("p.hcl", []byte("# head\r\npolicy \"p\" {\n      timezone=\"UTC\"  # tail\n  description  =   \"x\"\n}\n\n\n"))
	if want := "# head\npolicy \"p\" {\n  timezone    = \"UTC\" # tail\n  description = \"x\"\n}\n"; string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestExamplesAreFormatted(t *testing.T) {
	for _, pattern := range []string{"../examples/*.hcl", "../examples/*/*.hcl"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := dsl.Format(name, src); !bytes.Equal(got, src) {
				t.Errorf("%s is not formatted: leadroute fmt", name)
			}
		}
	}
}

func FuzzFormat(f *testing.F) {
	for _, src := range policies(f) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		checkFormat(t, src)
		fixed, _ := dsl.Fix("p.hcl", src)
		if again, more := dsl.Fix("p.hcl", fixed); len(more) > 0 && bytes.Equal(again, fixed) {
			t.Errorf("%v was fixed and nothing changed", more)
		}
	})
}

func TestFix(t *testing.T) {
	const head = "policy \"p\" {}\npriority \"P2\" {}\nschema \"lead\" {\n  field \"n\" { type = number }\n}\nqueue \"q\" {}\nrule \"x\" {\n  when = "
	const tail = "\n  to   = queue.q\n}\nrule \"rest\" { to = queue.q }\n"
	for _, c := range []struct{ bad, good string }{
		{`lead.country == "DE" and lead.n > 1`, `lead.country == "DE" && lead.n > 1`},
		{`lead.country == "DE" OR not has(lead.n)`, `lead.country == "DE" || !has(lead.n)`},
		{`lead.country = "DE"`, `lead.country == "DE"`},
		{`lead.country === "DE"`, `lead.country == "DE"`},
		{`lead.country !== "DE"`, `lead.country != "DE"`},
		{`lead.country <> "DE"`, `lead.country != "DE"`},
		{`lead.n ≥ 5`, `lead.n >= 5`},
		{`lead.n > 100k`, `lead.n > 100000`},
		{`lead.n > 1_500`, `lead.n > 1500`},
		{`lead.country == 'DE'`, `lead.country == "DE"`},
		{`lead.country == “DE”`, `lead.country == "DE"`},
		{`lead.country in ["DE", "AT"]`, `one_of(lead.country, ["DE", "AT"])`},
		{`"demo" in lead.tags`, `contains(lead.tags, "demo")`},
		{`lead.title =~ "^VP"`, `matches(lead.title, "^VP")`},
		{`lead.tags.contains("demo")`, `contains(lead.tags, "demo")`},
		{`one_of(lead.country, ["DE" "AT"])`, `one_of(lead.country, ["DE", "AT"])`},
		{"lead.country\u00a0== \"DE\"", `lead.country == "DE"`},
		{`lead.n > 1 & lead.n < 5;`, `lead.n > 1 && lead.n < 5`},
	} {
		got, fixed := dsl.Fix("p.hcl", []byte(head+c.bad+tail))
		if want := head + c.good + tail; string(got) != want || len(fixed) == 0 {
			t.Errorf("%s became:\n%s\nwant %s", c.bad, strings.TrimSuffix(strings.TrimPrefix(string(got), head), tail), c.good)
		}
		if _, diags := dsl.Parse(map[string][]byte{"p.hcl": got}); diags.HasErrors() {
			t.Errorf("%s was fixed to what does not load: %v", c.bad, diags)
		}
	}
	// What can mean two things is named and left alone.
	for _, bad := range []string{`lead.n > 50%`, `lead.n > `, `"demo" in [lead.title]`} {
		src := []byte(head + bad + tail)
		if got, fixed := dsl.Fix("p.hcl", src); len(fixed) > 0 && bytes.Contains(got, []byte("50")) {
			t.Errorf("%s was fixed: %v", bad, fixed)
		}
		if _, diags := dsl.Parse(map[string][]byte{"p.hcl": src}); !diags.HasErrors() {
			t.Errorf("%s loads", bad)
		}
	}
}

// The log keeps to the schema of SARIF 2.1.0, and holds every finding with its place.
func TestSARIF(t *testing.T) {
	_, diags := dsl.Parse(map[string][]byte{"policies/p.hcl": []byte("policy \"p\" {}\npriority \"P2\" {}\nrule \"x\" {\n  when = lead.skore > 5\n  to   = pool.nowhere\n}\n")})
	if len(diags) < 2 {
		t.Fatalf("findings: %v", diags)
	}
	var b bytes.Buffer
	if err := diags.WriteSARIF(&b); err != nil {
		t.Fatal(err)
	}
	log, err := sarif.FromBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Validate(); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	results := log.Runs[0].Results
	if len(results) != len(diags) || len(log.Runs[0].Tool.Driver.Rules) != len(dsl.Findings) {
		t.Fatalf("%d results of %d, %d rules of %d", len(results), len(diags), len(log.Runs[0].Tool.Driver.Rules), len(dsl.Findings))
	}
	for i, r := range results {
		at := r.Locations[0].PhysicalLocation
		if *r.RuleID != diags[i].ID || *at.Region.StartLine != diags[i].Line || *at.ArtifactLocation.URI != "policies/p.hcl" {
			t.Errorf("result %d is %s at %d, want %v", i, *r.RuleID, *at.Region.StartLine, diags[i])
		}
	}
}
