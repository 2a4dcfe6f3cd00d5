package scenario

import (
	"regexp"
	"strings"
	"testing"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/policytest"
)

func load(t *testing.T, source string) *dsl.Policy {
	t.Helper()
	p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(source)})
	if p.Plan == nil {
		t.Fatalf("Parse = %v", diags.Error())
	}
	return p
}

func TestEscalation(t *testing.T) {
	p, diags := dsl.Load("testdata/escalation.hcl")
	if p.Plan == nil {
		t.Fatalf("Load = %v", diags.Error())
	}
	results, err := Run(p, nil, nil)
	if err != nil || len(results) != 3 {
		t.Fatalf("Run = %d results, %v, want 3", len(results), err)
	}
	for _, r := range results {
		if len(r.Wrong) > 0 || r.Kind != policytest.KindScenario {
			t.Errorf("%s %s: %+v\n%s", r.Kind, r.Name, r.Wrong, strings.Join(r.Timeline, "\n"))
		}
	}
	if results, err = Run(p, regexp.MustCompile("evening"), nil); err != nil || len(results) != 1 {
		t.Errorf("Run(evening) = %d results, %v, want that one alone", len(results), err)
	}
}
