package policytest

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

const covered = `
priority "P0" { when = lead.score > 50 }
priority "P1" {}
queue "q" { drain_to = pool.a }
rep "ana" { email = "ana@example.com" }
pool "a" { members = [rep.ana] }
rule "r" {
  when = lead.score > 10 && lead.country == "DE"
  assign { to = pool.a }
  assign {
    to   = rep.ana
    when = lead.score > 90
  }
  assign { to = queue.q }
}
rule "never" {
  when = lead.country == "FR"
  to   = [queue.q]
}
rule "off" {
  enabled = false
  to      = queue.q
}
rule "rest" { to = queue.q }
test "one" {
  case "hot <&> German" {
    lead = { score = 60, country = "DE" }
  }
  case "cold" {
    lead = { score = 5, country = "DE" }
    }
  expect {
    rule = rule.r
  }
}
`

func runCovered(t *testing.T) (*dsl.Policy, []Result, plan.CoverageReport) {
	t.Helper()
	p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(covered)})
	if p.Plan == nil {
		t.Fatal(diags.Error())
	}
	c := plan.NewCoverage(p.Plan)
	results, err := Run(p, nil, c.Explain)
	if err != nil || len(results) != 2 {
		t.Fatalf("Run = %d results, %v, want 2", len(results), err)
	}
	return p, results, c.Report()
}

// What was reached is counted, from the left and both ways; what is disabled is not asked for.
func TestCoverage(t *testing.T) {
	p, _, r := runCovered(t)
	if r.Rules != (plan.Tally{Covered: 2, Of: 3}) || r.Branches != (plan.Tally{Covered: 3, Of: 5}) || r.Atoms != (plan.Tally{Covered: 2, Of: 5}) {
		t.Errorf("rules %+v, targets %+v, atoms %+v, want 2 of 3, 3 of 5, 2 of 5", r.Rules, r.Branches, r.Atoms)
	}
	var b bytes.Buffer
	if err := WriteCoverage(&b, &r); err != nil {
		t.Fatal(err)
	}
	const want = `  rule r
      lead.country == "DE" is never false
      lead.score > 90 is never true
      target rep.ana is never offered
  rule never is never taken
      lead.country == "FR" is never true
coverage: rules 2/3 (67%), conditions both ways 2/5 (40%), targets 3/5 (60%)
`
	if b.String() != want {
		t.Errorf("WriteCoverage =\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := WriteCoverageHTML(&b, p, &r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<span class="l-none" title="never taken"><i>16</i>`,
		`<mark class="gap" title="never offered">rep.ana</mark>`,
		`<mark class="full" title="true 1 times, false 1 times">lead.score &gt; 10</mark>`,
		`<mark class="gap" title="is never false">lead.country == &#34;DE&#34;</mark>`,
		`hot &lt;&amp;&gt; German`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %s:\n%s", want, b.String())
		}
	}
	for _, outside := range []string{"src=", "href=", "http://", "https://"} {
		if strings.Contains(b.String(), outside) {
			t.Errorf("the page is not self-contained: it has %s", outside)
		}
	}
}

// The JUnit report holds what build servers read: counts that agree, names, and the text of a failure.
func TestJUnit(t *testing.T) {
	_, results, _ := runCovered(t)
	results = append(results, Result{Kind: KindScenario, Name: "s", File: "p.hcl", Line: 3})
	var b bytes.Buffer
	if err := WriteJUnit(&b, results); err != nil {
		t.Fatal(err)
	}
	var got struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Class   string `xml:"classname,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	d := xml.NewDecoder(&b)
	if err := d.Decode(&got); err != nil {
		t.Fatalf("Decode = %v", err)
	}
	if got.Tests != 3 || got.Failures != 1 || len(got.Suites) != 2 || got.Suites[0].Tests != 2 || got.Suites[0].Failures != 1 || got.Suites[1].Name != "scenario" {
		t.Fatalf("report = %+v, want 3 tests in 2 suites, 1 failure", got)
	}
	cases := got.Suites[0].Cases
	if cases[0].Name != "one/hot <&> German" || cases[0].Failure != nil || cases[0].Class != "test" {
		t.Errorf("case = %+v, want one that passed", cases[0])
	}
	if f := cases[1].Failure; f == nil || f.Message != "rule is rest, want r" || !strings.Contains(f.Text, "p.hcl:2") {
		t.Errorf("failure = %+v, want the difference and the place", f)
	}
}
