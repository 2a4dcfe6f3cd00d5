package intake_test

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

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

// TestTimesInEveryForm: shifts, holidays, times away and prices, as cells and as JSON.
func TestTimesInEveryForm(t *testing.T) {
	want := leadroute.Rep{
		ID: "ana", Timezone: "Europe/Berlin", Holidays: []string{"de", "company"}, Cost: map[leadroute.Class]int{"P0": 3, "P1": 2},
		Away: []leadroute.Away{
			{From: leadroute.Moment{Day: 20261224}, Until: leadroute.Moment{Day: 20261231}, Reason: "vacation"},
			{From: leadroute.Moment{At: leadroute.At(time.Date(2026, 12, 1, 11, 0, 0, 0, time.UTC))}, Until: leadroute.Moment{Day: 20261201}},
			{From: leadroute.Moment{Day: 20270201}, Reason: "parental"},
			{From: leadroute.Moment{Day: 20261210}, Until: leadroute.Moment{Day: 20261210}},
		},
	}
	for _, day := range []time.Weekday{1, 2, 3, 5} {
		want.Shifts[day] = []leadroute.Span{{From: 9 * 60, Until: 12 * 60}, {From: 13 * 60, Until: 17*60 + 30}}
	}
	want.Shifts[6] = []leadroute.Span{{From: 10 * 60, Until: 24 * 60}}
	for name, content := range map[string]string{
		"reps.csv": "id,timezone,shifts,holidays,away,cost\n" +
			`ana,Europe/Berlin,"mon-wed,fri 09:00-12:00,13:00-17:30; sat 10:00-24:00",de|company,2026-12-24..2026-12-31 vacation|2026-12-01T12:00:00+01:00..2026-12-01|2027-02-01.. parental|2026-12-10,P0=3|P1=2`,
		"reps.ndjson": `{"id":"ana","timezone":"Europe/Berlin","holidays":["de","company"],"cost":{"P0":3,"P1":2},` +
			`"shifts":{"sat":"10:00-24:00","mon-wed":"09:00-12:00","fri":"13:00-17:30, 09:00-12:00","mon,tue,wed":"13:00-17:30"},"away":[` +
			`{"from":"2026-12-24","until":"2026-12-31","reason":"vacation"},{"from":"2026-12-01T12:00:00+01:00","until":"2026-12-01"},` +
			`{"from":"2027-02-01","reason":"parental"},"2026-12-10"]}`,
	} {
		rows, wrong := read(name, content)
		if len(wrong) > 0 || len(rows) != 1 {
			t.Errorf("%s = %d rows, wrong %q, want one row", name, len(rows), wrong)
			continue
		}
		if d := cmp.Diff(want, rows[0]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		object, err := json.Marshal(rows[0])
		if err != nil {
			t.Fatal(err)
		}
		if again, wrong := read("again.json", string(object)); len(wrong) > 0 || !cmp.Equal(again, rows) {
			t.Errorf("%s, written as %s, is read as %v, %q", name, object, again, wrong)
		}
	}
}

// TestOnlyWhatThePolicyDeclares: names that the running policy does not have are told.
func TestOnlyWhatThePolicyDeclares(t *testing.T) {
	table := intake.Reps(&intake.Known{Hours: []string{"office"}, Calendars: []string{"de", "us"}, Classes: []string{"P0"}})
	_, faults := table.Read([]json.RawMessage{[]byte(`{"id":"ana","hours":"nights","holidays":["fr"],"cost":{"P7":2}}`)})
	var got []string
	for _, f := range faults {
		got = append(got, f.Pointer+" "+f.Message+": "+f.Remedy)
	}
	want := []string{
		`/hours no hours "nights" are declared: write one of office, or leave it out`,
		`/holidays no calendar "fr" is declared: write one of de, us, or leave it out`,
		`/cost/P7 no priority "P7" is declared: write one of P0, or leave it out`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
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
		{
			"reps.csv", "id,shifts,away,cost\nana,mon-fri 9-17,,\nben,\"mon-fri 09:00-12:00,11:00-13:00\",2026-02-30,P0=0\nchloe,monday 09:00-17:00,2026-12-31..2026-12-24,many\ndario,nights,2026-12-24 gone fishing,\n",
			[]string{
				`reps.csv:2:5: column "shifts": "9-17" is no shift: "9" is no time of day: write "09:00-17:30"; over midnight, write two spans`,
				`reps.csv:3:39: column "away": "2026-02-30" is neither a day nor an instant (February 2026 has 28 days): write a day, "2026-12-24", or an instant with its zone, "2026-12-24T12:00:00+01:00"`,
				`reps.csv:3:50: column "cost": a lead of P0 cannot take 0 places: write a whole number from 1 to 1000`,
				`reps.csv:3:5: column "shifts": 11:00-13:00 overlaps with another shift of mon: make them one span, or take one out`,
				`reps.csv:4:26: column "away": until 2026-12-24 lies before from 2026-12-31: write them the other way round; the last day is a whole one`,
				`reps.csv:4:49: column "cost": must be prices, not "many": write {"P0": 3}, in a cell P0=3|P1=2`,
				`reps.csv:4:7: column "shifts": "monday" is no day: write "mon", "mon-fri" or "mon,wed,fri"`,
				`reps.csv:5:14: column "away": the reason must be one short word, not "gone fishing": write one such as vacation, or leave it out`,
				`reps.csv:5:7: column "shifts": must be shifts, not "nights": write days and hours, like "mon-fri 09:00-17:30; sat 10:00-14:00"`,
			},
		},
		{
			"reps.ndjson", `{"id":"ana","shifts":{"mon":"17:00-09:00","tue":9},"away":[{"from":"tomorrow"},{"from":"2026-12-24","to":"2026-12-31"},{}],"cost":{"P0":"3"}}`,
			[]string{
				`reps.ndjson:1: shifts.mon: "17:00-09:00" is no shift: they end before they begin: write "09:00-17:30"; over midnight, write two spans`,
				`reps.ndjson:1: shifts.tue: must be a text, not 9: write it like "09:00-17:30"`,
				`reps.ndjson:1: away.0.from: "tomorrow" is neither a day nor an instant: write a day, "2026-12-24", or an instant with its zone, "2026-12-24T12:00:00+01:00"`,
				`reps.ndjson:1: away.1.to: a time out of the office has no member "to": write from, until or reason`,
				`reps.ndjson:1: away.2: says neither from when nor until when: write {"from": "2026-12-24", "until": "2026-12-31", "reason": "vacation"}, in a cell 2026-12-24..2026-12-31 vacation`,
				`reps.ndjson:1: cost.P0: a lead of P0 cannot take "3" places: write a whole number from 1 to 1000`,
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

// A file that is cut some records at a time gives the same records and the same complaints,
// at the same places, as one that is read as a whole.
func TestCutInParts(t *testing.T) {
	for name, content := range map[string]string{
		"good.csv":   "id,name,level\nana,\"Ana,\nthe first\",1\nben,Ben,2\ncy,Cy,\ndan,,3\n",
		"bad.csv":    "id,name\nana,Ana\nben\na b,Ben\nana,Twice\ncy,Cy,more\n",
		"torn.csv":   "id,name\nana,Ana\nben,\"Ben\ncy,Cy\n",
		"good.json":  "[{\"id\":\"ana\"},\n\n {\"id\":\"ben\"},{\"id\":\"cy\"}\n]",
		"after.json": "[{\"id\":\"ana\"},{\"id\":\"ben\"}]\n\n  x",
		"torn.json":  "[{\"id\":\"ana\"},\n{\"id\":\"ben\"},\n{\"id\":",
		"l.ndjson":   "{\"id\":\"ana\"}\n\n{\"id\":\"b n\"}\n{\"id\":\"ana\"}\n{\"id\":\"cy\",\"weight\":\"x\"}\n",
		"bad.ndjson": "{\"id\":\"ana\"}\n{\"id\":\"ben\"}\n{id}\n",
		"empty.json": "[]",
		"head.csv":   "id,name\n",
	} {
		wantRows, want := read(name, content)
		for n := 1; n <= 3; n++ {
			rows, got := cut(t, name, content, n)
			if len(want) == 0 {
				if d := cmp.Diff(wantRows, rows); d != "" {
					t.Errorf("%s in parts of %d (-whole +parts):\n%s", name, n, d)
				}
			}
			// What cannot be cut ends the reading of a whole file: parts tell more.
			for _, w := range want {
				if !slices.Contains(got, w) {
					t.Errorf("%s in parts of %d tells %q, want %q, too", name, n, got, w)
				}
			}
			if len(want) == 0 && len(got) > 0 {
				t.Errorf("%s in parts of %d tells %q, want nothing", name, n, got)
			}
		}
	}
}

func cut(t *testing.T, name, content string, n int) (rows []leadroute.Rep, wrong []string) {
	t.Helper()
	table := intake.Reps(nil)
	c, err := table.Cut(name, iotest.OneByteReader(strings.NewReader(content)))
	if err != nil {
		return nil, []string{err.Error()}
	}
	reading := table.Reading()
	for {
		f, err := c.Next(n)
		if errors.Is(err, io.EOF) {
			return rows, wrong
		}
		if err != nil {
			wrong = append(wrong, strings.Split(err.Error(), "\n")...)
		}
		if f == nil {
			return rows, wrong
		}
		if len(f.Records) > n {
			t.Fatalf("%s: a part of %d records, want at most %d", name, len(f.Records), n)
		}
		some, faults := reading.Read(f.Records)
		for _, fault := range faults {
			wrong = append(wrong, f.Describe(fault))
		}
		rows = append(rows, some...)
	}
}
