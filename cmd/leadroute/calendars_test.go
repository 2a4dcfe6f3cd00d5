package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute/dsl"
)

func TestCalendarsAreFetchedAtStart(t *testing.T) {
	later := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case map[bool]string{true: "/good.ics"}[later]:
			_, _ = w.Write([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:2026-05-18\nEND:VEVENT\nEND:VCALENDAR\n"))
		case "/good.ics":
			_, _ = w.Write([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260518\nEND:VEVENT\nEND:VCALENDAR\n"))
		case "/torn.ics":
			_, _ = w.Write([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\n"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	src := strings.ReplaceAll(`
policy "p" {}
priority "P0" {}
queue "backlog" {}
rule "rest" { to = queue.backlog }
calendar "good" { source = "URL/good.ics" }
calendar "torn" { source = "URL/torn.ics" }
calendar "gone" { source = "URL/gone.ics" }
hours "office" {
  week     = { "mon-sun" = "00:00-24:00" }
  holidays = [calendar.good, calendar.torn, calendar.gone]
}`, "URL", s.URL)
	before, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(src)})
	if before.Plan == nil {
		t.Fatal(diags)
	}
	var told bytes.Buffer
	days := calendars{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&told, nil))}
	after := days.with(t.Context(), before)
	day := time.Date(2026, 5, 18, 12, 0, 0, 0, time.UTC)
	if !before.Plan.Hours["office"].Open(day) || after.Plan.Hours["office"].Open(day) {
		t.Error("18 May 2026 must be a working day before the calendar is fetched, and off after")
	}
	if after.Plan.ID == before.Plan.ID || after.Source[s.URL+"/good.ics"] == nil {
		t.Errorf("the fetched calendar is no part of the policy: plan %s, source %d files", after.Plan.ID, len(after.Source))
	}
	for _, want := range []string{"torn.ics", "ends in the middle", "gone.ics", "http 404"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("nobody was told of %q:\n%s", want, told.String())
		}
	}

	// It breaks: the days of before stay in force, for a policy that is started or applied anew.
	later = true
	told.Reset()
	again, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(src)})
	if again.Plan == nil {
		t.Fatal(diags)
	}
	if again = days.with(t.Context(), again); again.Plan.Hours["office"].Open(day) || again.Plan.ID != after.Plan.ID {
		t.Error("18 May 2026 must stay off when its calendar does not parse any more")
	}
	for _, want := range []string{"good.ics", "days of before stay in force", "is no day"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("nobody was told of %q:\n%s", want, told.String())
		}
	}
}
