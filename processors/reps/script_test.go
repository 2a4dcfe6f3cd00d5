package reps

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// TestScripts plays testdata/*.txt: the desk of ana, message by message. After -rewrite,
// read the diff.
//
//	pool emea [open=1] [per_hour=1] [per_day=1] [per_week=1]
//	hours 09:00-17:00         every day, UTC
//	profile [open=2] [per_hour=1] [per_day=1] [per_week=1] [zone=Europe/Berlin] [hours] [shift=09:00-12:00 every day] [away=2026-01-15 that day]
//	away [from=2026-01-14] [until=2026-01-16T12:00:00Z]    back [all]
//	tick 5s
//	status away [said=-5m] [until=20m]    pause 20m (since the script began)    remove [keep] [at=5m]    check    sweep
//	claim L1 [rev=1] [try=1] [pool=emea] [even_if_full]
//	release L1 [rev=1] [try=1] [counted]
//	confirm L1 [rev=1] [try=1] [pool=emea]
//
// The last line of an answer is the desk.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		t.Helper()
		if strings.Contains(path, "rapid") {
			return
		}
		p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{}, Hours: map[string]*plan.Hours{}}
		now := transcript.Start
		var s *desk.State
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			a := transcript.Of(t, d)
			switch d.Cmd {
			case "pool":
				name := leadroute.PoolID(a.Pos(0))
				p.Pools[name] = &plan.Pool{Name: name, Caps: caps(a)}
				return ""
			case "hours":
				var from, until int
				if _, err := fmt.Sscanf(a.Pos(0), "%d:00-%d:00", &from, &until); err != nil {
					d.Fatalf(t, "%v", err)
				}
				h := &plan.Hours{Name: "office", Zone: time.UTC}
				for day := range h.Week {
					h.Week[day] = []plan.Span{{From: from * 60, Until: until * 60}}
				}
				p.Hours["office"] = h
				return ""
			case "tick":
				now = now.Add(transcript.Span(t, d, a.Pos(0)))
				return now.Time().Format("Mon 15:04:05") + "\n"
			case "sweep":
				return transcript.Effects(Sweep("ana", s, now))
			}
			var out []leadroute.Effect
			s, out = Apply(Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}, "ana", s, message(t, d, a, now), now)
			return transcript.Effects(out) + "= " + shows(s) + "\n"
		})
	})
}

func caps(a transcript.Args) leadroute.Caps {
	return leadroute.Caps{Open: a.Int("open", 0), PerHour: a.Int("per_hour", 0), PerDay: a.Int("per_day", 0), PerWeek: a.Int("per_week", 0)}
}

func message(t *testing.T, d *datadriven.TestData, a transcript.Args, now leadroute.Millis) *leadroute.RepMessage {
	t.Helper()
	c := leadroute.Claim{
		ID:   leadroute.ClaimID{Lead: leadroute.LeadID(a.Pos(0)), Rev: a.Int("rev", 1), Try: a.Int("try", 1), Rep: "ana"},
		Pool: leadroute.PoolID(a.Text("pool", "")), EvenIfFull: a.Has("even_if_full"), Plan: "p",
	}
	switch d.Cmd {
	case "profile":
		r := &leadroute.Rep{CRMID: "u1", Caps: caps(a), Timezone: a.Text("zone", "")}
		if a.Has("hours") {
			r.Hours = "office"
		}
		if s := a.Text("shift", ""); s != "" {
			if err := r.Shifts.Put("sun-sat", s); err != nil {
				d.Fatalf(t, "%v", err)
			}
		}
		if day := moment(t, d, a.Text("away", "")); day != (leadroute.Moment{}) {
			r.Away = []leadroute.Away{{From: day, Until: day}}
		}
		return &leadroute.RepMessage{Profile: r}
	case "status":
		m := &leadroute.RepMessage{Status: new(leadroute.RepStatus(a.Pos(0)))}
		if said := a.Text("said", ""); said != "" {
			m.SaidAt = now.Add(transcript.Span(t, d, said))
		}
		if until := a.Text("until", ""); until != "" {
			m.Until = now.Add(transcript.Span(t, d, until))
		}
		return m
	case "pause":
		return &leadroute.RepMessage{Pause: &leadroute.Pause{Until: transcript.Start.Add(transcript.Span(t, d, a.Pos(0)))}}
	case "away":
		return &leadroute.RepMessage{Away: &leadroute.RepAway{Add: []leadroute.Away{{From: moment(t, d, a.Text("from", "")), Until: moment(t, d, a.Text("until", "")), Reason: a.Text("reason", "")}}}}
	case "back":
		return &leadroute.RepMessage{Away: &leadroute.RepAway{Back: now, All: a.Has("all")}}
	case "remove":
		m := &leadroute.RepRemoval{Reason: "operator", Keep: a.Has("keep")}
		if at := a.Text("at", ""); at != "" {
			m.At = transcript.Start.Add(transcript.Span(t, d, at))
		}
		return &leadroute.RepMessage{Remove: m}
	case "check":
		return &leadroute.RepMessage{Check: &leadroute.Check{}}
	case "claim":
		return &leadroute.RepMessage{Claim: &c}
	case "release":
		return &leadroute.RepMessage{Release: &leadroute.Release{Claim: c.ID, Counted: a.Has("counted")}}
	case "confirm":
		return &leadroute.RepMessage{Confirm: &leadroute.Confirm{Claim: c}}
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return nil
}

func moment(t *testing.T, d *datadriven.TestData, s string) (m leadroute.Moment) {
	t.Helper()
	if s == "" {
		return m
	}
	m, err := leadroute.ParseMoment(s)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return m
}

// shows is the desk in a few words.
func shows(s *desk.State) string {
	if s == nil {
		return "no row"
	}
	out := fmt.Sprintf("v%d %s", s.Version, s.Status)
	if s.StatusUntil > 0 {
		out += " until " + transcript.Clock(s.StatusUntil)
	}
	if s.Gone {
		out += " gone"
	}
	if s.Leaving {
		out += " leaving"
	}
	out += fmt.Sprintf(", open %d:", s.Open())
	for _, c := range s.Held {
		out += fmt.Sprintf(" %s/%d", c.Lead, c.Rev)
		if c.Exempt {
			out += "(exempt)"
		}
	}
	for _, a := range s.Away {
		out += fmt.Sprintf(", away %s..%s", a.From, a.Until)
	}
	if s.Back > 0 {
		out += ", back " + transcript.Clock(s.Back)
	}
	if len(s.Taken) > 0 {
		out += fmt.Sprintf(", counted %d", len(s.Taken))
	}
	return out
}
