package dsl

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

func world(t *testing.T) *Policy {
	t.Helper()
	p, diags := Load("testdata/world")
	if len(diags) > 0 {
		t.Fatalf("Load(testdata/world): %v", diags)
	}
	return p
}

func TestHolidaysAreLocalDays(t *testing.T) {
	h := world(t).Plan.Hours["berlin"]
	for at, open := range map[string]bool{
		"2026-12-23T23:59:59+01:00": true,
		"2026-12-24T00:00:00+01:00": false, // the policy's own list
		"2026-12-23T23:30:00Z":      false, // the same day in Berlin
		"2026-12-26T23:59:59+01:00": false, // DTEND is the first day after
		"2026-12-27T00:00:00+01:00": true,
		"2026-10-03T12:00:00+02:00": false, // every year
		"2025-10-03T12:00:00+02:00": false,
		"2027-10-03T12:00:00+02:00": true, // but this one
		"2026-07-01T16:00:00Z":      true, // an event with a time of day
		"2026-05-05T12:00:00Z":      true, // cancelled
		// The clocks go forward on 29 March: a day of 23 hours, off from midnight to midnight.
		"2026-03-28T23:59:59+01:00": true,
		"2026-03-29T00:00:00+01:00": false,
		"2026-03-29T23:59:59+02:00": false,
		"2026-03-30T00:00:00+02:00": true,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Open(when); got != open {
			t.Errorf("Open(%s) = %v, want %v", at, got, open)
		}
	}
	if got := h.Holidays[0].Days[plan.Date{Year: 2026, Month: 10, Day: 3}]; got != "Tag der Deutschen Einheit, jedes Jahr" {
		t.Errorf("summary = %q, want the folded line whole", got)
	}
}

// A policy is sent to other machines as its Source, and is the same there.
func TestDataFilesArePartOfThePolicy(t *testing.T) {
	p := world(t)
	if got := slices.Sorted(maps.Keys(p.Source)); !slices.Equal(got, []string{"calendars/de.ics", "models/close-rate.json", "policy.hcl"}) {
		t.Errorf("Source = %v, want the policy, its calendar and its model", got)
	}
	there, diags := CompileSource(p.Source)
	if there == nil || there.ID != p.Plan.ID {
		t.Fatalf("CompileSource = %v, %v, want plan %s", there, diags, p.Plan.ID)
	}
	source := maps.Clone(p.Source)
	delete(source, "calendars/de.ics")
	if _, diags := CompileSource(source); !strings.Contains(diags.Error().Error(), "did not come with the policy") {
		t.Errorf("without the calendar: %v, want that it did not come", diags)
	}
	source = maps.Clone(p.Source)
	source["https://calendars.example.com/far.ics"] = []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260808\nDURATION:P1W\nEND:VEVENT\nEND:VCALENDAR\n")
	whole, diags := CompileSource(source)
	if whole == nil || whole.ID == p.Plan.ID {
		t.Fatalf("with the fetched calendar: %v, %v, want another plan", whole, diags)
	}
	if h := whole.Hours["berlin"]; h.Open(time.Date(2026, 8, 14, 12, 0, 0, 0, time.UTC)) || !h.Open(time.Date(2026, 8, 15, 12, 0, 0, 0, time.UTC)) {
		t.Error("a week from 8 August is off, and not the day after")
	}
}

func TestRequireReadsLeadAndRep(t *testing.T) {
	pool := world(t).Plan.Pools["emea"]
	lead := &leadroute.Lead{ID: "l", Fields: []byte(`{"language":"de","country":"DACH"}`)}
	rep := func(region string, level float64, languages ...string) *leadroute.Rep {
		return &leadroute.Rep{ID: "ana", Region: region, Languages: languages, Attrs: map[string]any{"level": level}}
	}
	for _, c := range []struct {
		rep             *leadroute.Rep
		require, prefer bool
	}{
		{rep("DACH", 2, "en", "de"), true, true},
		{rep("UK", 3, "de"), true, false},
		{rep("DACH", 1, "de"), false, true},
		{rep("DACH", 2, "en"), false, true},
		{rep("", 2), false, false},
	} {
		o := &leadroute.Offer{Lead: lead.ID, About: pool.About(lead, nil, "")}
		require, prefer := pool.Require.Of(o).Holds(c.rep), pool.Prefer.Of(o).Holds(c.rep)
		if require != c.require || prefer != c.prefer {
			t.Errorf("%+v: require %v, prefer %v, want %v, %v", c.rep, require, prefer, c.require, c.prefer)
		}
	}
}

func TestAlertReadsLiveFigures(t *testing.T) {
	a := world(t).Plan.Alerts[0]
	if got, want := a.Figures(), []string{"backlog.P0.oldest", "dead_letters.rate", "sla.P0.p95"}; !slices.Equal(got, want) {
		t.Fatalf("Figures = %v, want %v", got, want)
	}
	for _, c := range []struct {
		figures map[string]float64
		want    bool
	}{
		{map[string]float64{"sla.P0.p95": 45.5}, true},
		{map[string]float64{"sla.P0.p95": 45}, false},
		{map[string]float64{"sla.P0.p95": 1, "backlog.P0.oldest": 31, "dead_letters.rate": 0.05}, true},
		{map[string]float64{"sla.P0.p95": 1, "backlog.P0.oldest": 31, "dead_letters.rate": 0.04}, false},
		{nil, false},
	} {
		got := a.Holds(func(name string) (float64, bool) { v, ok := c.figures[name]; return v, ok })
		if got != c.want {
			t.Errorf("Holds(%v) = %v, want %v", c.figures, got, c.want)
		}
	}
	want := []plan.Action{{Do: "hold", On: "P1"}, {Do: "overflow", On: "emea"}, {Do: "pause"}, {Do: "widen", On: "crm"}}
	if a.By != "source" || a.For != 30*time.Second || !slices.Equal(a.Do, want) {
		t.Errorf("alert = by %q, for %v, do %v, want source, 30s, %v", a.By, a.For, a.Do, want)
	}
}

func TestTheWorldIsInThePlan(t *testing.T) {
	p := world(t).Plan
	rep := &leadroute.Rep{ID: "ana", Attrs: map[string]any{"slack_id": "U1", "mobile": "+4930123456"}}
	var ways []string
	for _, w := range p.Channels[0].Ways {
		who := w.Everybody
		if w.To != nil {
			who = []string{w.To(rep)}
		}
		ways = append(ways, w.Kind+" "+strings.Join(who, ","))
	}
	if want := []string{"slack U1", "email ana@example.com,ben@example.com", "sms +4930123456"}; !slices.Equal(ways, want) {
		t.Errorf("ways = %v, want %v", ways, want)
	}
	step := p.Class("P0").Steps[0]
	if d := cmp.Diff(plan.Step{
		Name: "hand_over", Every: 5 * time.Minute, Reassign: true, To: &plan.Target{Queue: "backlog"},
		Pause: 20 * time.Minute, AtMost: 3, Notify: []string{"owner"},
	}, step); d != "" {
		t.Errorf("step (-want +got):\n%s", d)
	}
	taste := p.Pools["emea"].PoolTaste
	if taste.CatchUp != plan.CatchUpAverage || taste.Ramp != (plan.Ramp{Weeks: 6, From: 0.25}) || taste.Cost["P0"] != 3 || taste.Explore != 0.05 {
		t.Errorf("taste = %+v", taste)
	}
	crm := p.Destination("crm")
	for status, want := range map[int]bool{409: true, 503: true, 429: false, 400: false} {
		if retry, said := crm.Retries(status); retry != want || !said {
			t.Errorf("Retries(%d) = %v, %v, want %v", status, retry, said, want)
		}
	}
	if sf := p.Destination("salesforce"); sf.Other == nil || sf.Other.Settings["client_secret"].Name != "SFDC_CLIENT_SECRET" || sf.Other.Settings["object"].Literal != "Lead" {
		t.Errorf("salesforce = %+v", sf.Other)
	}
	if m := p.Accounts; m.Similarity != 0.92 || !slices.Equal(m.By, []string{"domain", "subsidiary_of", "name"}) {
		t.Errorf("accounts = %+v", m)
	}
}

// What is compiled and not acted on is told, each with what happens instead.
func TestInactiveIsTold(t *testing.T) {
	regions, diags := Load("../examples/multi-region")
	if regions.Plan == nil {
		t.Fatal(diags)
	}
	var got []string
	for _, i := range append(world(t).Plan.Inactive(), regions.Plan.Inactive()...) {
		if i.Consequence == "" {
			t.Errorf("%+v says no consequence", i)
		}
		got = append(got, i.Block+" "+i.What)
	}
	for _, want := range []string{
		`policy "world" on_missing`, `calendar "far" `,
		`destination "salesforce" salesforce`, `destination "crm" batch`, `enrich "firmographics" `, `alert "P0 at risk" `,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("Inactive does not tell %q; it tells\n%s", want, strings.Join(got, "\n"))
		}
	}
	if slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, `calendar "de"`) }) {
		t.Error("a calendar that was read is told as inactive")
	}
}

// Whatever a calendar holds, it is read or refused, and never hangs or loses an event in silence.
func FuzzICS(f *testing.F) {
	good, err := os.ReadFile("testdata/world/calendars/de.ics")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDURATION:P2D\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=3\nEND:VEVENT\nEND:VCALENDAR"))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\nRRULE:COUNT=3\nEND:VEVENT\nEND:VCALENDAR"))
	f.Fuzz(func(t *testing.T, src []byte) {
		days, err := parseICS(src)
		if (err == nil) != (len(days) > 0) {
			t.Errorf("parseICS(%q) = %d days, %v, want days or an error", src, len(days), err)
		}
		for d := range days {
			if back := plan.DateOf(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)); back != d {
				t.Errorf("%v is no day", d)
			}
		}
	})
}

func TestYearlyEventsAreCounted(t *testing.T) {
	days, err := parseICS([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDURATION:P2D\nDTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20330101T000000Z\nEND:VEVENT\nEND:VCALENDAR"))
	if err != nil {
		t.Fatal(err)
	}
	var got []plan.Date
	for d := range days {
		got = append(got, d)
	}
	slices.SortFunc(got, plan.Date.Compare)
	want := []plan.Date{{Year: 2024, Month: 2, Day: 29}, {Year: 2024, Month: 3, Day: 1}, {Year: 2028, Month: 2, Day: 29}, {Year: 2028, Month: 3, Day: 1}, {Year: 2032, Month: 2, Day: 29}, {Year: 2032, Month: 3, Day: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("days = %v, want %v: 29 February every other year, where there is one", got, want)
	}
}
