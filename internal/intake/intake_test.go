package intake_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/intake"
)

// read opens and reads a file of reps; the lines are what is wrong with it.
func read(name, content string) (rows []leadroute.Rep, wrong []string) {
	table := intake.Reps(nil)
	f, err := table.Open(name, []byte(content))
	var many interface{ Unwrap() []error }
	switch {
	case errors.As(err, &many):
		for _, e := range many.Unwrap() {
			wrong = append(wrong, e.Error())
		}
		return nil, wrong
	case err != nil:
		return nil, []string{err.Error()}
	}
	rows, faults := table.Read(f.Records)
	for _, fault := range faults {
		wrong = append(wrong, f.Describe(fault))
	}
	return rows, wrong
}

var ana = leadroute.Rep{
	ID: "ana", Name: "Ana", Skills: []string{"german", "french"}, Weight: 1.5, Caps: leadroute.Caps{Open: 30, PerDay: 8},
	Attrs: map[string]any{"tier": "gold", "level": 3.0, "remote": true, "code": "007", "areas": []any{"north", "south"}, "deal.stage": "won"},
}

func TestOneRepInEveryForm(t *testing.T) {
	object, err := json.Marshal(ana)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"reps.csv": "\ufeffID, Name,skills,weight,open,caps.per_day,tier,level,remote,code,areas,deal.stage\r\n" +
			"ana,Ana,german | french,1.5,30,8,gold,3,true,007,north|south,won\r\n",
		"excel.csv":   "id;name;skills;weight;open;per_day;tier;level;remote;code;areas;deal.stage;team\nana;Ana;german|french;1.5;30;8;gold;3;true;\"\"\"007\"\"\";north|south;won;\n",
		"reps.json":   "[\n" + string(object) + "\n]\n",
		"reps.ndjson": string(object) + "\n\n",
		"-":           string(object),
	} {
		rows, wrong := read(name, content)
		if len(wrong) > 0 || len(rows) != 1 {
			t.Errorf("%s = %d rows, wrong %q, want one row", name, len(rows), wrong)
			continue
		}
		if d := cmp.Diff(ana, rows[0]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestColumnsThatBecomeAttributesAreNamed(t *testing.T) {
	f, err := intake.Reps(nil).Open("reps.csv", []byte("id,e-mail,team\nana,ana@example.com,ae\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"e-mail"}, f.Attrs); d != "" {
		t.Errorf("Attrs (-want +got):\n%s", d)
	}
}

func TestFaultsNameThePlace(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          []string
	}{
		{
			"reps.csv", "id,open,timezone\nana,many,UTC\nben,-1,Berlin\n",
			[]string{
				`reps.csv:2:5: column "open": must be a whole number, not "many": write it like 30, or leave it out`,
				`reps.csv:3:8: column "timezone": "Berlin" is no time zone: write an IANA name like "Europe/Berlin" or "UTC", or leave it out`,
				`reps.csv:3:5: column "open": -1 is negative: write a number above 0, or leave it out for no cap; to give a rep nothing, set the status to off`,
			},
		},
		{"reps.csv", "id\nana\nben\nana\n", []string{`reps.csv:4:1: column "id": rep "ana" was there before, as record 1: keep one of the two`}},
		{"reps.csv", "name\nAna\n", []string{`reps.csv:2: id: the id is missing: write a short name without blanks, like "ana"`}},
		{
			"reps.csv", "id,name\nana,Roe, Ana\nben,Ben,x\n",
			[]string{
				`reps.csv:2:1: cells in the line: 3, in the header: 2: put a cell that holds the separator in quotes, like "Roe, Emi"`,
				`reps.csv:3:1: cells in the line: 3, in the header: 2: put a cell that holds the separator in quotes, like "Roe, Emi"`,
			},
		},
		{"reps.csv", "id,name,\nana,Ana,\n", []string{"reps.csv:1:9: the column has no name: name it in the header, or take it out"}},
		{"reps.csv", "id,open,caps.open\nana,1,2\n", []string{`reps.csv:1:9: the column "caps.open" is there twice: take one out`}},
		{"reps.csv", "id\n", []string{"reps.csv:1:1: the file has a header and nothing below it: add a line for each"}},
		{
			"reps.csv", "id,name\nana,\"Ana\nben,Ben\n",
			[]string{`reps.csv:2:1: extraneous or missing " in quoted-field: put the whole cell in quotes, and write a quote within it twice, like "the ""new"" team"`},
		},
		{"reps.csv", " \n", []string{"reps.csv:1:1: the file is empty: give a JSON array, a rep a line (NDJSON), or a CSV with a header"}},
		{
			"reps.ndjson", "{\"id\":\"ana\"}\n{\"id\":\"ben\",\"caps\":{\"open\":\"x\"}}\n",
			[]string{`reps.ndjson:2: caps.open: must be a whole number, not "x": write it like 30, or leave it out`},
		},
		{"reps.json", "[\n  {\"id\":\"ana\"},\n  {\"id\":3}\n]", []string{`reps.json:3: id: must be a text, not 3: write it like "emea", or leave it out`}},
		{"reps.json", "[\n  {\"id\":\"ana\"}\n  {\"id\":\"ben\"}\n]", []string{"reps.json:3:3: expected comma after array element: write valid JSON here"}},
		{"reps.json", "[{\"id\":\"ana\"}", []string{"reps.json:1:14: the file ends in the middle of a record: give the whole file"}},
		{"reps.json", "[{\"id\":\"ana\"}]\n{}", []string{"reps.json:2:1: there is something after the array: take it out"}},
		{"reps.json", "[]", []string{"reps.json:1:1: the file holds no rep: put one in"}},
		{"reps.json", "[1]", []string{"reps.json:1: must be a JSON object, not 1: write it in braces"}},
	} {
		_, wrong := read(c.name, c.content)
		if d := cmp.Diff(c.want, wrong); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.content, d)
		}
	}
}

func TestDomainsHaveOneForm(t *testing.T) {
	table := intake.Accounts()
	for in, want := range map[string]string{
		"Example.com": "example.com", " www.example.com. ": "example.com", "Bücher.example": "bücher.example", "a-b.co.uk": "a-b.co.uk",
		"http://example.com": "", "example": "", "a@example.com": "", "example.com/x": "", "-a.com": "", "": "",
	} {
		raw, err := json.Marshal(map[string]string{"domain": in})
		if err != nil {
			t.Fatal(err)
		}
		rows, faults := table.Read([]json.RawMessage{raw})
		if ok := len(faults) == 0; ok != (want != "") || ok && rows[0].Domain != want {
			t.Errorf("domain %q = %q, %v, want %q", in, rows[0].Domain, faults, want)
		}
	}
}

// Whatever a file holds, it is read or refused in words, and what is wrong is placed.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{"id,open\nana,3\n", `[{"id":"ana","caps":{"open":1}}]`, "{\"id\":\"a\"}\n{", "a;b\n\"", "[", "id\n\"x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, content string) {
		for _, name := range []string{"x", "x.csv", "x.json"} {
			rows, wrong := read(name, content)
			if len(rows) == 0 && len(wrong) == 0 {
				t.Errorf("%s of %q has neither rows nor faults", name, content)
			}
			for _, w := range wrong {
				if !strings.HasPrefix(w, name) {
					t.Errorf("%s of %q: %q has no place", name, content, w)
				}
			}
		}
	})
}
