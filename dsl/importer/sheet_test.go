package importer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
)

const territories = "\ufeffTerritory,Countries,State,Zip prefix,Size from,Size to,Industry,Owner,Notes\n" +
	"DACH big,DE|AT|CH,,,\"1,000\",,,ana@example.com,named desk\n" +
	"DACH,DE;AT;CH,,,,,,Team DACH,\n" +
	"California,US,CA,,,,,ben@example.com,\n" +
	"Bay Area,US,,94,,,,ben@example.com,before the rest\n" +
	",,,,,,,,\n" +
	"US health,US,,,50,500,health,Health Desk,\n" +
	"Rest,,,,,,,Inbound,\n"

func TestSheetRoutesByItsRows(t *testing.T) {
	result, err := Sheet(strings.NewReader(territories))
	if err != nil {
		t.Fatal(err)
	}
	if result.Rules != 6 || len(result.Notes) != 1 || !strings.Contains(result.Notes[0], `"Notes"`) {
		t.Errorf("imported %+v", result)
	}
	dir := t.TempDir()
	for name, content := range result.Files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, diags := dsl.Load(dir)
	if p.Plan == nil {
		t.Fatalf("%v\n%s\n%s", diags, result.Files["policy.hcl"], result.Files["tables/territories.csv"])
	}
	if formatted, _ := dsl.Format("policy.hcl", result.Files["policy.hcl"]); string(formatted) != string(result.Files["policy.hcl"]) {
		t.Errorf("the policy is not laid out:\n%s", result.Files["policy.hcl"])
	}
	for _, c := range []struct{ lead, pool, territory string }{
		{`{"country":"AT","company_size":1000}`, "ana", "DACH big"},
		{`{"country":"CH","company_size":999}`, "team_dach", "DACH"},
		{`{"country":"DE"}`, "team_dach", "DACH"},
		{`{"country":"US","state":"CA"}`, "ben", "California"},
		{`{"country":"US","postal_code":"94107"}`, "ben", "Bay Area"},
		{`{"country":"US","company_size":50,"industry":"health"}`, "health_desk", "US health"},
		{`{"country":"US","company_size":501,"industry":"health"}`, "inbound", "Rest"},
		{`{"country":"JP"}`, "inbound", "Rest"},
		{`{}`, "inbound", "Rest"},
	} {
		d := decide(t, p.Plan, c.lead)
		if len(d.Targets) == 0 || d.Targets[0].Pool != leadroute.PoolID(c.pool) || d.Territory != c.territory {
			t.Errorf("%s goes to %v in %q, want pool.%s in %q", c.lead, d.Targets, d.Territory, c.pool, c.territory)
		}
	}
}

func TestSheetRefuses(t *testing.T) {
	for _, c := range []struct{ sheet, want string }{
		{"", "the sheet is empty"},
		{"country,state\nDE,\n", "no column says who takes the leads"},
		{"owner,notes\nana@example.com,x\n", "no column says which leads a row is for"},
		{"country,owner\n", "a header and no rows"},
		{"country,owner\nDE\n", "line 2 has 1 cells, the header 2"},
		{"country,owner\nDE,\n", "line 2 says nobody who takes its leads"},
		{"country,size_from,owner\nDE,many,ana@example.com\n", `line 2: company_size_from is "many", which is no number`},
		{"country,owner,rep\nDE,a,b\n", `the columns "owner" and "rep" say the same`},
		{"country,owner\n\"DE,ana\n", "read the sheet"},
	} {
		if _, err := Sheet(strings.NewReader(c.sheet)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.sheet, err, c.want)
		}
	}
}
