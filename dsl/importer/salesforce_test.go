package importer

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

func TestSalesforceRoutesAsBefore(t *testing.T) {
	f, err := os.Open("testdata/leads.assignmentRules-meta.xml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	result, err := Salesforce(f, "")
	if err != nil {
		t.Fatal(err)
	}
	p, diags := dsl.Parse(result.Files)
	if p.Plan == nil {
		t.Fatalf("%v\n%s", diags, result.Files["policy.hcl"])
	}
	if result.Rules != 5 || result.Disabled != 1 || len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "formula") {
		t.Errorf("imported %+v", result)
	}
	for _, c := range []struct{ lead, rule string }{
		{`{"number_of_employees":1000,"country":"us"}`, "entry_1_enterprise_desk"},
		{`{"number_of_employees":1000,"country":"UNITED STATES, THE"}`, "entry_1_enterprise_desk"},
		{`{"number_of_employees":1000,"country":"DE"}`, "entry_1_enterprise_desk"}, // NOT contains takes a lead without industry
		{`{"number_of_employees":1000,"country":"DE","industry":"Government"}`, "entry_5_everybody"},
		{`{"number_of_employees":999,"country":"US"}`, "entry_5_everybody"},
		{`{"product_interest":["Platform"],"email":"ben@example.com"}`, "entry_2_ana"}, // no lead source is not Web
		{`{"product_interest":["Platform"],"email":"ben@example.com","lead_source":"web"}`, "entry_5_everybody"},
		{`{"product_interest":["Platform"]}`, "entry_5_everybody"}, // no e-mail
		{`{"is_partner":true}`, "entry_4_ana"},
		{`{}`, "entry_5_everybody"},
	} {
		if got := decide(t, p.Plan, c.lead).Rule; got != c.rule {
			t.Errorf("%s took rule %s, want %s\n%s", c.lead, got, c.rule, result.Files["policy.hcl"])
		}
	}
}

func decide(t *testing.T, p *plan.Plan, lead string) plan.Decision {
	t.Helper()
	fields, problems, err := p.Check([]byte(lead))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	at := time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)
	r, err := p.Record(&leadroute.Lead{ID: "x", ReceivedAt: leadroute.At(at), Fields: fields}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Free()
	return p.Decide(r, nil, at)
}

func TestSalesforceRefuses(t *testing.T) {
	const one = `<AssignmentRules><assignmentRule><fullName>A</fullName></assignmentRule></AssignmentRules>`
	for _, c := range []struct{ file, rule, want string }{
		{"", "", "this is no assignment-rule metadata"},
		{"a,b\n1,2", "", "this is no assignment-rule metadata"},
		{"<AssignmentRules><assignmentRule>", "", "line 1: this is no assignment-rule metadata"},
		{"<CustomObject/>", "", "this is no assignment-rule metadata"},
		{"<AssignmentRules/>", "", "holds no assignment rule"},
		{one, "", `none of the assignment rules is active; choose one with --rule: "A"`},
		{one, "B", `there is no assignment rule "B"; there are "A"`},
	} {
		if _, err := Salesforce(strings.NewReader(c.file), c.rule); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.file, err, c.want)
		}
	}
}

func TestFilterLogic(t *testing.T) {
	for _, c := range []struct{ filter, want string }{
		{"1", "1"},
		{"1 AND 2 OR 3", "(1 && 2) || 3"},
		{"1 and (2 or 3)", "1 && (2 || 3)"},
		{"NOT (1 OR 2) AND 3", "(!1 && !2) && 3"},
		{"NOT NOT 1", "1"},
		{"1 OR", ""},
		{"1 2", ""},
		{"(1 OR 2", ""},
		{"1 XOR 2", ""},
	} {
		f := &filterParser{tokens: filterTokens(c.filter), leaf: func(n int, negated bool) (string, error) {
			if negated {
				return "!" + string(rune('0'+n)), nil
			}
			return string(rune('0' + n)), nil
		}}
		got, err := f.parse()
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: %s, want an error", c.filter, got)
			}
		} else if got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.filter, got, err, c.want)
		}
	}
}
